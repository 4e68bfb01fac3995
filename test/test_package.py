# Copyright 2026 seg_ros contributors
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.

"""The package as pip and colcon see it: one version, its requirements, and what it installs."""

from importlib.util import find_spec
import os
from pathlib import Path
import re
import shutil
import subprocess
import sys
import tarfile
import xml.etree.ElementTree as ET

import pytest
from seg_ros import __version__

ROOT = Path(__file__).parents[1]
SHIPPED = ('seg_ros', 'launch', 'config', 'resource', 'setup.py', 'setup.cfg', 'pyproject.toml',
           'package.xml', 'MANIFEST.in', 'CHANGELOG.rst', 'LICENSE')
FROM_SYSTEM = ('numpy', 'opencv', 'PyYAML')

needs_setuptools = pytest.mark.skipif(not find_spec('setuptools'), reason='needs setuptools')


def run(*command: str, folder: Path, **environment: str) -> str:
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, **environment}, text=True, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture(scope='module')
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of what is shipped, so that a build leaves nothing in the checkout."""
    folder = tmp_path_factory.mktemp('workspace') / 'seg_ros'
    folder.mkdir()
    for name in SHIPPED:
        if (ROOT / name).is_dir():
            ignored = shutil.ignore_patterns('__pycache__')
            shutil.copytree(ROOT / name, folder / name, ignore=ignored)
        else:
            shutil.copy(ROOT / name, folder)
    return folder


@needs_setuptools
def test_the_version_is_the_same_everywhere() -> None:
    manifest = ET.parse(ROOT / 'package.xml').findtext('version')
    changelog = (ROOT / 'CHANGELOG.rst').read_text(encoding='utf-8')
    package = run(sys.executable, 'setup.py', '--quiet', '--version', folder=ROOT)
    assert manifest == __version__
    assert package.split()[-1] == __version__
    assert f'\n{__version__} (' in changelog


def test_the_manifest_names_every_ros_package_that_the_code_imports() -> None:
    manifest = ET.parse(ROOT / 'package.xml').getroot()
    named = {element.text for element in manifest if element.tag.endswith('depend')}
    code = '\n'.join(
        file.read_text(encoding='utf-8')
        for folder in ('seg_ros', 'launch') for file in (ROOT / folder).rglob('*.py')
    )
    words = {line.split()[1].split('.')[0] for line in code.splitlines()
             if line.lstrip().startswith(('import ', 'from '))}
    ros = {word for word in words if word.endswith(('_msgs', '_srvs', '_interfaces'))}
    ros |= words & {'rclpy', 'bondpy', 'launch', 'launch_ros', 'ament_index_python', 'cv_bridge'}
    assert 'sensor_msgs' in ros
    assert ros - named == {'builtin_interfaces'} & ros  # rclpy brings it


# Names in rosdep's lists that the manifest uses: packages of ROS, and keys of rosdep/python.yaml.
ROSDEP_KEYS = {
    'ament_copyright', 'ament_flake8', 'ament_index_python', 'ament_mypy', 'ament_pep257',
    'ament_xmllint', 'bondpy', 'cv_bridge', 'diagnostic_msgs', 'geometry_msgs', 'launch',
    'launch_ros', 'lifecycle_msgs', 'nav_msgs', 'rcl_interfaces', 'rclpy', 'sensor_msgs',
    'std_msgs', 'std_srvs', 'tf2_ros_py', 'vision_msgs', 'visualization_msgs',
    'python3-numpy', 'python3-opencv', 'python3-pytest', 'python3-tqdm', 'python3-yaml',
}


def test_the_manifest_is_valid_and_complete() -> None:
    package = pytest.importorskip('catkin_pkg.package', reason='catkin_pkg is not installed')
    warnings: list[str] = []
    manifest = package.parse_package(str(ROOT / 'package.xml'), warnings=warnings)
    manifest.validate(warnings=warnings)
    assert warnings == []
    assert {url.type for url in manifest.urls} == {'website', 'repository', 'bugtracker'}
    assert manifest.licenses == ['Apache-2.0']


def test_bloom_finds_every_line_of_the_changelog() -> None:
    reader = pytest.importorskip('catkin_pkg.changelog', reason='catkin_pkg is not installed')
    changelog = reader.get_changelog_from_path(str(ROOT))
    lines = re.findall(r'^\* ', (ROOT / 'CHANGELOG.rst').read_text(encoding='utf-8'), re.MULTILINE)
    found = [
        item for _, _, content in changelog.foreach_version() for part in content
        for item in getattr(part, 'bullets', ())
    ]
    assert len(found) == len(lines) > 100


def test_rosdep_knows_every_key_of_the_manifest() -> None:
    manifest = ET.parse(ROOT / 'package.xml').getroot()
    assert {item.text for item in manifest if item.tag.endswith('depend')} <= ROSDEP_KEYS


def test_every_xml_file_is_well_formed() -> None:
    files = [ROOT / 'package.xml', *(ROOT / 'config').glob('*.xml')]
    for file in files:
        ET.parse(file)


# The keys of rosdep for what pip calls otherwise; engines have none, and a robot's comes with its
# GPU or by pip.
ROSDEP = {
    'numpy': 'python3-numpy', 'opencv-python-headless': 'python3-opencv', 'PyYAML': 'python3-yaml',
    'tqdm': 'python3-tqdm',
}
ENGINES = ('openvino', 'onnxruntime')


@needs_setuptools
def test_pip_and_rosdep_bring_the_same_packages(tree: Path, tmp_path: Path) -> None:
    written = requirements(tree, tmp_path).partition('\n[')
    required = {re.split('[><=]', line)[0] for line in written[0].splitlines() if line}
    manifest = ET.parse(ROOT / 'package.xml').getroot()
    named = {
        element.text for element in manifest.findall('exec_depend')
        if str(element.text).startswith('python3-')
    }
    assert {ROSDEP[name] for name in required - set(ENGINES)} == named


def requirements(tree: Path, folder: Path, **environment: str) -> str:
    """Return what setup.py asks of pip, as an environment without ROS has it."""
    command = [sys.executable, 'setup.py', '--quiet', 'egg_info', '--egg-base', str(folder)]
    plain = {key: value for key, value in os.environ.items() if key != 'ROS_DISTRO'}
    subprocess.run(
        command, cwd=tree, env={**plain, **environment}, check=True, capture_output=True
    )
    return (folder / 'seg_ros.egg-info' / 'requires.txt').read_text(encoding='utf-8')


@needs_setuptools
@pytest.mark.parametrize('distribution', ['', 'humble'])
def test_pip_brings_numpy_and_opencv_unless_a_sourced_ros_does(
    tree: Path, tmp_path: Path, distribution: str
) -> None:
    environment = {'ROS_DISTRO': distribution} if distribution else {}
    written = requirements(tree, tmp_path, **environment)
    required = written.partition('\n[')[0].splitlines()
    assert any(line.startswith('openvino') or line == 'tqdm>=4.60' for line in required)
    assert not any(line.startswith(('onnx>', 'spox', 'torch')) for line in required)
    assert '[compile]\n' in written
    for name in FROM_SYSTEM:
        assert any(line.startswith(name) for line in required) != bool(distribution), name


@needs_setuptools
def test_a_source_distribution_holds_what_a_wheel_is_made_of(tree: Path, tmp_path: Path) -> None:
    run(
        sys.executable, 'setup.py', '--quiet', 'egg_info', '--egg-base', str(tmp_path),
        'sdist', '--dist-dir', str(tmp_path), folder=tree,
    )
    [archive] = tmp_path.glob('*.tar.gz')
    with tarfile.open(archive) as file:
        held = {name.partition('/')[2] for name in file.getnames()}
    of_the_source_alone = {'seg_ros/training/pretrained.npz', 'seg_ros/training/hand_labels.json'}
    shipped = {
        str(path.relative_to(tree)) for folder in ('seg_ros', 'launch', 'config', 'resource')
        for path in (tree / folder).rglob('*') if path.is_file() and '.egg-info' not in str(path)
    }
    assert shipped - held == of_the_source_alone
    assert {'package.xml', 'CHANGELOG.rst', 'LICENSE'} <= held
    assert not any(name.startswith('test') for name in held)


@pytest.mark.skipif(
    not find_spec('colcon_core') or not find_spec('colcon_ros'),
    reason='needs colcon-core and colcon-ros',
)
def test_colcon_installs_executables_and_shared_files_where_ros_looks(tree: Path) -> None:
    colcon = 'import sys; from colcon_core.command import main; sys.exit(main())'
    output = run(sys.executable, '-c', colcon, 'build', folder=tree.parent, AMENT_PREFIX_PATH='')
    prefix = tree.parent / 'install' / 'seg_ros'
    share = prefix / 'share' / 'seg_ros'
    assert 'WARNING' not in output    # such as a manifest that cannot be read and is skipped
    assert (prefix / 'share/ament_index/resource_index/packages/seg_ros').is_file()
    assert (share / 'package.xml').is_file()
    assert any(share.glob('hook/ament_prefix_path.*'))
    for folder in ('launch', 'config'):
        installed = {file.name for file in (share / folder).iterdir()}
        assert installed == {file.name for file in (ROOT / folder).iterdir() if file.is_file()}
    assert (prefix / 'lib/seg_ros/segmentation_node').is_file()
    [site] = prefix.glob('lib/python*/site-packages')
    version = run(
        str(prefix / 'lib/seg_ros/seg_ros'), '--version', folder=tree.parent,
        PYTHONPATH=os.pathsep.join([str(site), os.environ.get('PYTHONPATH', '')]),
    )
    assert __version__ in version

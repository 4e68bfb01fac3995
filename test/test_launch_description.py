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

"""The launch file starts what the package installs, and its configuration files are accepted."""

from dataclasses import fields
from importlib.util import module_from_spec, spec_from_file_location
import os
from pathlib import Path
import subprocess
import sys
from types import ModuleType, SimpleNamespace
from typing import Any
import xml.etree.ElementTree as ET

import pytest
from seg_ros.core.settings import Settings
import yaml

ROOT = Path(__file__).parents[1]
CONFIG = ROOT / 'config'
PROFILES = ('FASTRTPS_DEFAULT_PROFILES_FILE', 'FASTDDS_DEFAULT_PROFILES_FILE')


class Recorded:
    """Stands for any class of launch: it keeps what it was made from."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.args, self.kwargs = args, kwargs


RECORDED = {
    'launch': ('LaunchContext', 'LaunchDescription'),
    'launch.actions': ('DeclareLaunchArgument', 'OpaqueFunction'),
    'launch_ros': (),
    'launch_ros.actions': ('LifecycleNode', 'Node'),
}


class Launched:
    """The launch file run on recording classes: its arguments, and the nodes it starts."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name, classes in RECORDED.items():
            module = ModuleType(name)
            for kind in classes:
                setattr(module, kind, type(kind, (Recorded,), {}))
            monkeypatch.setitem(sys.modules, name, module)
        [*arguments, self._start] = load().generate_launch_description().args[0]
        self.arguments = {argument.args[0]: argument.kwargs for argument in arguments}

    def nodes(
        self, environment: dict[str, str] | None = None, pushed: str = '', **given: str
    ) -> list[Any]:
        """
        Return what these arguments start; an argument that is not declared is an error.

        :param pushed: the namespace that launch files around have pushed.
        """
        values = {name: facts['default_value'] for name, facts in self.arguments.items()}
        assert set(given) <= set(values)
        context = SimpleNamespace(
            launch_configurations={
                **values, **given, **({'ros_namespace': pushed} if pushed else {})
            },
            environment=environment or {},
        )
        nodes: list[Any] = self._start.kwargs['function'](context)
        return nodes


def load() -> ModuleType:
    spec = spec_from_file_location('launch_file', ROOT / 'launch' / 'segmentation.launch.py')
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def launched(monkeypatch: pytest.MonkeyPatch) -> Launched:
    return Launched(monkeypatch)


def test_the_executable_is_one_that_the_package_installs(launched: Launched) -> None:
    [node] = launched.nodes()
    assert type(node).__name__ == 'LifecycleNode'
    assert (node.kwargs['package'], node.kwargs['name']) == ('seg_ros', 'segmentation')
    setup = (ROOT / 'setup.py').read_text(encoding='utf-8')
    assert f"'{node.kwargs['executable']} = seg_ros.ros.main:main'" in setup


def test_every_argument_is_described_and_used(launched: Launched) -> None:
    assert all(facts['description'] for facts in launched.arguments.values())
    source = (ROOT / 'launch' / 'segmentation.launch.py').read_text(encoding='utf-8')
    for name in launched.arguments:
        assert source.count(f"'{name}'") > 1, name


def test_what_is_not_given_is_left_to_the_params_file(launched: Launched) -> None:
    [node] = launched.nodes()
    assert node.kwargs['parameters'] == [str(CONFIG / 'segmentation.yaml')]
    assert node.kwargs['remappings'] == []


def test_what_is_given_overrides_the_params_file(launched: Launched, tmp_path: Path) -> None:
    params_file = tmp_path / 'mine.yaml'
    params_file.touch()
    [node] = launched.nodes(
        params_file=str(params_file), model='/m.onnx', autostart='false', use_sim_time='true',
        cameras='front, rear', name='eyes', namespace='robot', log_level='debug',
    )
    assert node.kwargs['parameters'] == [str(params_file), {
        'model': '/m.onnx', 'autostart': False, 'use_sim_time': True, 'cameras': ['front', 'rear'],
    }]
    assert (node.kwargs['name'], node.kwargs['namespace']) == ('eyes', 'robot')
    assert node.kwargs['ros_arguments'] == ['--log-level', 'debug']


@pytest.mark.parametrize(('cameras', 'image', 'remappings'), [
    ('', '/usb/image', [('camera/image_raw', '/usb/image')]),
    ('left,right', '/l,/r', [('left/image_raw', '/l'), ('right/image_raw', '/r')]),
])
def test_every_camera_gets_its_image_topic(
    launched: Launched, cameras: str, image: str, remappings: list[tuple[str, str]]
) -> None:
    [node] = launched.nodes(cameras=cameras, image=image)
    assert node.kwargs['remappings'] == remappings
    names = [old.split('/')[0] for old, _ in remappings]
    assert node.kwargs['parameters'][1] == {'cameras': names}


def test_every_camera_gets_its_depth_topic(launched: Launched) -> None:
    [node] = launched.nodes(cameras='left,right', image='/l,/r', depth='/dl,/dr')
    assert node.kwargs['remappings'][2:] == [
        ('left/depth_registered/image_rect', '/dl'), ('right/depth_registered/image_rect', '/dr'),
    ]
    with pytest.raises(ValueError, match='depth names 1 topics, there are 2 cameras'):
        launched.nodes(cameras='left,right', image='/l,/r', depth='/d')


def test_more_images_than_cameras_are_refused(launched: Launched) -> None:
    with pytest.raises(ValueError, match='2 topics, cameras 1'):
        launched.nodes(cameras='left', image='/l,/r')


def test_a_missing_params_file_is_refused(launched: Launched, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match='gone'):
        launched.nodes(params_file=str(tmp_path / 'gone.yaml'))


@pytest.mark.parametrize(('distribution', 'variable'), [
    ('humble', PROFILES[0]), ('jazzy', PROFILES[0]), ('kilted', PROFILES[1]),
])
def test_fast_dds_gets_our_profile_by_the_name_that_it_reads(
    launched: Launched, distribution: str, variable: str
) -> None:
    [node] = launched.nodes({'ROS_DISTRO': distribution})
    assert node.kwargs['additional_env'] == {variable: str(CONFIG / 'fastdds.xml')}


@pytest.mark.parametrize('variable', PROFILES)
def test_a_profile_that_the_user_has_set_stays(launched: Launched, variable: str) -> None:
    [node] = launched.nodes({variable: '/mine.xml'})
    assert node.kwargs['additional_env'] == {}


def test_rviz_shows_the_topics_of_this_node(launched: Launched) -> None:
    rviz, _ = launched.nodes(rviz='true', name='eyes', cameras='front', image='/usb/image')
    assert rviz.kwargs['arguments'] == ['-d', str(CONFIG / 'segmentation.rviz')]
    shown = yaml.safe_load((CONFIG / 'segmentation.rviz').read_text(encoding='utf-8'))
    topics = [item['Topic']['Value'] for item in shown['Visualization Manager']['Displays']]
    renamed = dict(rviz.kwargs['remappings'])
    assert [renamed[topic] for topic in topics] == [
        'eyes/front/overlay', 'eyes/front/color', '/usb/image'
    ]


TWO = '/**:\n  ros__parameters:\n    cameras: [front, rear]\n    use_sim_time: true\n'


@pytest.fixture
def two_cameras(tmp_path: Path) -> str:
    (tmp_path / 'two.yaml').write_text(TWO)
    return str(tmp_path / 'two.yaml')


def test_rviz_shows_the_first_camera_of_the_params_file(
    launched: Launched, two_cameras: str
) -> None:
    rviz, node = launched.nodes(params_file=two_cameras, rviz='true')
    assert node.kwargs['parameters'] == [two_cameras]
    assert dict(rviz.kwargs['remappings']) == {
        '/segmentation/camera/overlay': 'segmentation/front/overlay',
        '/segmentation/camera/color': 'segmentation/front/color',
        '/camera/image_raw': 'front/image_raw',
    }
    assert rviz.kwargs['parameters'] == [{'use_sim_time': True}]
    rviz, _ = launched.nodes(params_file=two_cameras, rviz='true', use_sim_time='false')
    assert rviz.kwargs['parameters'] == [{'use_sim_time': False}]


def test_as_many_images_as_the_params_file_has_cameras_are_of_these(
    launched: Launched, two_cameras: str
) -> None:
    [node] = launched.nodes(params_file=two_cameras, image='/f,/r')
    assert node.kwargs['remappings'] == [('front/image_raw', '/f'), ('rear/image_raw', '/r')]
    with pytest.raises(ValueError, match=r'3 topics, .* 2 cameras'):
        launched.nodes(params_file=two_cameras, image='/a,/b,/c')


@pytest.mark.parametrize(('pushed', 'namespace', 'section'), [
    ('/fleet/robot', '', '/fleet/robot/segmentation'), ('/fleet', 'robot', '/fleet/robot/*'),
    ('/fleet', '/robot/', '/robot/segmentation'), ('', 'robot', '/robot/segmentation'),
])
def test_the_section_of_the_node_is_that_of_its_whole_namespace(
    launched: Launched, tmp_path: Path, pushed: str, namespace: str, section: str
) -> None:
    path = tmp_path / 'mine.yaml'
    path.write_text(yaml.safe_dump({section: {'ros__parameters': {'cameras': ['front']}}}))
    [node] = launched.nodes(
        params_file=str(path), image='/cam', pushed=pushed, namespace=namespace
    )
    assert node.kwargs['remappings'] == [('front/image_raw', '/cam')]


def test_one_image_that_replaces_the_cameras_of_the_params_file_is_reported(
    launched: Launched, two_cameras: str, caplog: pytest.LogCaptureFixture
) -> None:
    [node] = launched.nodes(params_file=two_cameras, image='/usb/image')
    assert node.kwargs['parameters'][1] == {'cameras': ['camera']}
    assert 'image:=/usb/image replaces the cameras front, rear' in caplog.text
    caplog.clear()
    launched.nodes(params_file=two_cameras, cameras='usb', image='/usb/image')
    launched.nodes(image='/usb/image')
    assert caplog.text == ''


@pytest.mark.parametrize(('word', 'value'), [
    ('true', True), ('True', True), ('1', True), ('false', False), ('False', False), ('0', False),
])
def test_a_switch_is_read_as_python_and_yaml_write_it(
    launched: Launched, word: str, value: bool
) -> None:
    for name in ('use_sim_time', 'autostart', 'rviz'):
        assert word in launched.arguments[name]['choices']
    [node] = launched.nodes(use_sim_time=word)
    assert node.kwargs['parameters'][1] == {'use_sim_time': value}
    assert len(launched.nodes(rviz=word)) == 1 + value


def test_the_real_launch_accepts_the_file() -> None:
    actions = pytest.importorskip(
        'launch_ros.actions', reason='launch_ros comes with a ROS installation only'
    )
    import launch

    context = launch.LaunchContext()
    started = [
        node for entity in load().generate_launch_description().entities
        for node in entity.visit(context) or []
    ]
    assert [type(node) for node in started] == [actions.LifecycleNode]


def examples() -> dict[str, Any]:
    """Return what segmentation.yaml sets, its commented examples included."""
    lines = (CONFIG / 'segmentation.yaml').read_text(encoding='utf-8').splitlines()
    examples = [line.replace('    # ', '    ') for line in lines if ': ' in line]
    values: dict[str, Any] = yaml.safe_load('\n'.join(examples))
    return values


def test_every_example_in_the_params_file_is_a_parameter_and_a_right_value() -> None:
    values = examples()
    assert len(values) > 5
    assert isinstance(values.pop('autostart'), bool)
    known = {item.name: type(item.default) for item in fields(Settings)}
    assert set(values) <= set(known)
    Settings(**{key: known[key](value) for key, value in values.items()})
    for key, value in values.items():
        kind = list if known[key] is tuple else known[key]
        assert type(value) is kind, f'{key}: rclpy takes no {type(value).__name__} for it'


def test_fast_dds_gets_room_for_images_and_keeps_the_network() -> None:
    space = '{http://www.eprosima.com/XMLSchemas/fastRTPS_Profiles}'
    root = ET.parse(CONFIG / 'fastdds.xml').getroot()
    transports = {
        item.findtext(f'{space}type'): item for item in root.iter(f'{space}transport_descriptor')
    }
    assert set(transports) == {'SHM', 'UDPv4'}
    room = transports['SHM'].findtext(f'{space}segment_size')
    assert int(room or 0) >= 4 * 1920 * 1080 * 3
    used = [item.text for item in root.iter(f'{space}userTransports') for item in item]
    assert used == [item.findtext(f'{space}transport_id') for item in transports.values()]


@pytest.mark.ros
def test_ros_accepts_the_params_file_and_the_profile(tmp_path: Path) -> None:
    pytest.importorskip('rclpy', reason='ROS 2 is not installed')
    program = (
        'import rclpy\n'
        'rclpy.init()\n'
        'node = rclpy.create_node("n", automatically_declare_parameters_from_overrides=True)\n'
        'print("autostart", node.get_parameter("autostart").value)\n'
        'rclpy.shutdown()\n'
    )
    profile = dict.fromkeys(PROFILES, str(CONFIG / 'fastdds.xml'))
    done = subprocess.run(
        [sys.executable, '-c', program, '--ros-args', '--params-file',
         str(CONFIG / 'segmentation.yaml')],
        env={**os.environ, **profile}, check=True, capture_output=True, text=True,
    )
    assert done.stdout == 'autostart True\n'
    assert 'XMLPARSER' not in done.stderr

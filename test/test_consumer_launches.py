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

"""The launch files for consumers wire topics that exist, with parameters that exist."""

from dataclasses import fields
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
import re
import sys
from types import ModuleType
from typing import Any

import pytest
from seg_ros.core.settings import Settings
import yaml

ROOT = Path(__file__).parents[1]
CONSUMERS = ('slam', 'nav2', 'grasp')
PARAMETERS = {item.name for item in fields(Settings)}


class Recorded:
    """Stands for any class of launch: it keeps what it was made from."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.args, self.kwargs = args, kwargs


RECORDED = {
    'launch': ('LaunchContext', 'LaunchDescription'),
    'launch.actions': (
        'DeclareLaunchArgument', 'GroupAction', 'IncludeLaunchDescription', 'OpaqueFunction',
        'SetLaunchConfiguration',
    ),
    'launch.conditions': ('IfCondition',),
    'launch.launch_description_sources': ('PythonLaunchDescriptionSource',),
    'launch.substitutions': ('LaunchConfiguration', 'PathJoinSubstitution'),
    'launch_ros': (),
    'launch_ros.actions': ('LifecycleNode', 'Node', 'PushRosNamespace', 'SetRemap'),
    'launch_ros.substitutions': ('FindPackagePrefix', 'FindPackageShare'),
    'launch_ros.utilities': ('make_namespace_absolute', 'prefix_namespace'),
}


def load(path: Path) -> ModuleType:
    """Import a file anew."""
    spec = spec_from_file_location(path.name.partition('.')[0], path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def actions(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Give a function that returns a launch file's actions by their kind, those of groups too."""
    for name, classes in RECORDED.items():
        module = ModuleType(name)
        for kind in classes:
            setattr(module, kind, type(kind, (Recorded,), {}))
        monkeypatch.setitem(sys.modules, name, module)
    shared = load(ROOT / 'seg_ros' / 'launch_actions.py')
    monkeypatch.setitem(sys.modules, 'seg_ros.launch_actions', shared)

    def of(name: str) -> dict[str, list[Any]]:
        module = load(ROOT / 'launch' / f'{name}.launch.py')
        found: dict[str, list[Any]] = {}
        waiting = list(module.generate_launch_description().args[0])
        while waiting:
            action = waiting.pop(0)
            found.setdefault(type(action).__name__, []).append(action)
            waiting += action.args[0] if type(action).__name__ == 'GroupAction' else []
        return found

    return of


def published() -> set[str]:
    """Return the topics below a camera, as the outputs name them."""
    folder = ROOT / 'seg_ros' / 'ros' / 'outputs'
    source = ''.join(path.read_text(encoding='utf-8') for path in folder.glob('*.py'))
    return {'nav2/label_info', *re.findall(r"Output\(\s*'([a-z0-9_/]+)'", source)}


@pytest.mark.parametrize('name', ['rgbd', *CONSUMERS])
def test_every_argument_is_described(actions: Any, name: str) -> None:
    assert all(item.kwargs['description'] for item in actions(name)['DeclareLaunchArgument'])


@pytest.mark.parametrize('name', ['rgbd', *CONSUMERS])
def test_what_is_included_exists_and_takes_what_it_is_given(actions: Any, name: str) -> None:
    for included in actions(name)['IncludeLaunchDescription']:
        path = included.args[0].args[0]
        if not isinstance(path, str):   # of another package
            continue
        declared = actions(Path(path).name.partition('.')[0])['DeclareLaunchArgument']
        passed = {argument for argument, _ in included.kwargs['launch_arguments']}
        assert passed <= {argument.args[0] for argument in declared}


@pytest.mark.parametrize('name', CONSUMERS)
def test_the_defaults_of_an_included_file_are_not_taken_for_ours(actions: Any, name: str) -> None:
    found = actions(name)
    grouped = [action for group in found['GroupAction'] for action in group.args[0]]
    assert all(included in grouped for included in found['IncludeLaunchDescription'])


def test_nav2_gets_the_namespace_the_time_and_whether_to_start(actions: Any) -> None:
    [nav2] = [
        included for included in actions('nav2')['IncludeLaunchDescription']
        if not isinstance(included.args[0].args[0], str)
    ]
    passed = dict(nav2.kwargs['launch_arguments'])
    assert {'namespace', 'use_sim_time', 'autostart', 'params_file'} <= set(passed)
    words = {
        argument.args[0]: argument.kwargs['default_value']
        for argument in actions('nav2')['DeclareLaunchArgument']
    }
    assert (words['use_sim_time'], words['autostart']) == ('false', 'true')


@pytest.mark.parametrize('path', sorted((ROOT / 'launch').glob('*.launch.py')))
def test_the_files_that_are_named_exist(path: Path) -> None:
    text = path.read_text(encoding='utf-8')
    for name in re.findall(r"'(?:config/)?(\w+\.(?:yaml|rviz))'", text):
        if name == 'nav2_params.yaml':      # Nav2's own
            continue
        assert (ROOT / 'config' / name).exists(), name


@pytest.mark.parametrize('name', [
    'launch/slam.launch.py', 'config/nav2.yaml', 'config/moveit_sensors.yaml',
])
def test_the_topics_are_those_that_the_node_publishes(name: str) -> None:
    text = (ROOT / name).read_text(encoding='utf-8')
    topics = re.findall(r"(?:/segmentation/camera|outputs\(\), ')/([a-z0-9_/]+)", text)
    assert topics
    assert set(topics) <= published()


@pytest.mark.parametrize('name', ['slam', 'nav2_segmentation', 'grasp'])
def test_the_parameters_of_the_node_are_right_values(name: str) -> None:
    text = (ROOT / 'config' / f'{name}.yaml').read_text(encoding='utf-8')
    values = yaml.safe_load(text)['/**']['ros__parameters']
    assert set(values) <= PARAMETERS
    Settings(**values)


def test_the_semantic_layer_knows_every_class_of_the_default_model() -> None:
    from seg_ros.sim.classes import CLASSES

    text = (ROOT / 'config' / 'nav2.yaml').read_text(encoding='utf-8')
    layer = yaml.safe_load(text)['local_costmap']['local_costmap']['ros__parameters'][
        'semantic_layer']['camera']
    named = [name for kind in layer['class_types'] for name in layer[kind]['classes']]
    assert sorted(named) == sorted(item.name for item in CLASSES)
    free = {item.name for item in CLASSES if 'traversable' in item.roles}
    assert set(layer['traversable']['classes']) == free

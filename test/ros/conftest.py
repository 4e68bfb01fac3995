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

"""Fixtures for tests that need ROS 2; without it the whole folder is skipped."""

from collections.abc import Callable, Iterator
import importlib
from importlib.util import find_spec
from pathlib import Path
import sys
import types
from typing import Any, TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from robot import Robot

if not find_spec('rclpy'):
    collect_ignore_glob = ['test_*.py']


@pytest.fixture(scope='session')
def channel_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Compile the channel network: classes red 10, green 20 and blue 30."""
    from robot import channel_network
    from seg_ros.compile.compile_model import compile_model
    from seg_ros.core.card_reading import card_from_dict

    folder = tmp_path_factory.mktemp('model')
    card = card_from_dict({
        'name': 'channels',
        'task': 'semantic',
        'input': {'fit': 'stretch'},
        'classes': [
            {'id': 10, 'name': 'red', 'color': [200, 0, 0]},
            {'id': 20, 'name': 'green', 'color': [0, 200, 0]},
            {'id': 30, 'name': 'blue', 'color': [0, 0, 200]},
        ],
    })
    path = folder / 'channels.model.onnx'
    compiled = compile_model(channel_network(folder / 'channels.onnx'), card)
    path.write_bytes(compiled.SerializeToString())
    return path


@pytest.fixture
def robot(channel_model: Path) -> Iterator[Callable[..., 'Robot']]:
    """Start nodes with parameters; the model defaults to the channel network."""
    from robot import Robot

    robots: list[Robot] = []

    def start(**parameters: Any) -> Robot:
        robots.append(Robot({'model': str(channel_model), 'threads': 1, **parameters}))
        return robots[-1]

    yield start
    for each in robots:
        each.close()


@pytest.fixture(params=['installed', 'stand-in'])
def vision_outputs(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Any, Any]]:
    """
    Load `outputs.vision` and `outputs.points` with the installed vision_msgs and with a stand-in.

    The stand-in has the fields of the released package, as its type hashes prove.
    """
    if request.param == 'installed':
        pytest.importorskip('vision_msgs.msg', reason='vision_msgs is not installed')
    else:
        pytest.importorskip('rosbags', reason='rosbags, which knows ROS types, is not installed')
        from vision_types import vision_msgs

        monkeypatch.setitem(sys.modules, 'vision_msgs', types.ModuleType('vision_msgs'))
        monkeypatch.setitem(sys.modules, 'vision_msgs.msg', vision_msgs())
    names = ('seg_ros.ros.outputs.vision', 'seg_ros.ros.outputs.points')
    vision, points = (importlib.reload(importlib.import_module(name)) for name in names)
    yield vision, points
    monkeypatch.undo()
    for module in (vision, points):
        importlib.reload(module)

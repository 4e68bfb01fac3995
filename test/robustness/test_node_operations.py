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

"""Half a minute of random operations on a running node; `operations.py` runs for longer."""

from pathlib import Path
import sys

import pytest

pytest.importorskip('rclpy', reason='ROS 2 is not installed')
sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / 'ros'))


@pytest.mark.slow
def test_random_operations_neither_end_nor_silence_the_node(tmp_path: Path) -> None:
    from operations import run
    from robot import channel_network
    from seg_ros.compile.compile_model import compile_model
    from seg_ros.core.card_reading import card_from_dict

    card = card_from_dict({'name': 'channels', 'task': 'semantic', 'classes': [
        {'id': number, 'name': name} for number, name in enumerate(('red', 'green', 'blue'))
    ]})
    model = tmp_path / 'channels.model.onnx'
    raw = channel_network(tmp_path / 'channels.onnx')
    model.write_bytes(compile_model(raw, card).SerializeToString())
    found = run(model, model, seed=0, seconds=30.0)
    assert found.violations == []
    assert found.masks

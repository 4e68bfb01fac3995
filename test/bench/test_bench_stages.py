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

"""`seg_ros bench stages`: what it says of a model."""

from pathlib import Path

import pytest
from seg_ros.bench.stages import model_stages
from seg_ros.core.errors import EngineError
from seg_ros.engines.model_path import path_from_model

pytest.importorskip('rclpy', reason='a way to publish() needs ROS 2')
pytest.importorskip('openvino', reason='what is measured is OpenVINO')


def test_a_model_is_measured_from_message_to_publication():
    (found,) = model_stages([path_from_model('default')], rounds=5).values()
    assert {'semantic', 'confidence', 'instance', 'panoptic', 'overlay'} <= set(found['topics'])
    assert set(found['stages_ms']) >= {'decode', 'fit', 'network', 'paint', 'publish'}
    engine_share = found['stages_ms']['network'] / found['whole_ms']['median']
    assert found['outside_engine'] == pytest.approx(1 - engine_share, abs=0.001)
    assert found['rate_hz'] > 0
    assert all(rate_hz > 0 for rate_hz in found['rate_of_workers_hz'].values())


def test_a_file_that_is_no_model_is_named(tmp_path: Path):
    file = tmp_path / 'none.onnx'
    file.write_bytes(b'nothing')
    with pytest.raises(EngineError, match=r'none\.onnx') as caught:
        model_stages([file], rounds=2)
    assert 'ROS' not in str(caught.value)

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

"""label_info and detections, against the field lists of the released vision_msgs."""

import importlib
import sys
import types

import numpy as np
import pytest

pytest.importorskip('rosbags', reason='rosbags, which knows ROS types, is not installed')
from seg_ros.core.card_reading import card_from_dict
from seg_ros.core.frame import Frame
from seg_ros.core.segmentation import Segment, Segmentation
from seg_ros.ros.publishers import View
from std_msgs.msg import Header
from vision_types import RIHS01, store, vision_msgs

CARD = card_from_dict({
    'name': 'pair', 'task': 'instance',
    'classes': [{'id': 3, 'name': 'mug'}, {'id': 7, 'name': 'box'}],
})


@pytest.fixture
def vision(monkeypatch):
    """Load the outputs as they load where vision_msgs is installed."""
    monkeypatch.setitem(sys.modules, 'vision_msgs', types.ModuleType('vision_msgs'))
    monkeypatch.setitem(sys.modules, 'vision_msgs.msg', vision_msgs())
    module = importlib.import_module('seg_ros.ros.outputs.vision')
    yield importlib.reload(module)
    monkeypatch.undo()
    importlib.reload(module)


def view(step=1):
    segments = (
        Segment(5, 3, 0.875, (10, 20, 30, 60), 800),
        Segment(2, 7, 0.5, (0, 0, 8, 8), 64),
    )
    segmentation = Segmentation((64, 64), segments=segments)
    frame = Frame(np.zeros((64, 64, 3), np.uint8))
    return View(frame, segmentation, CARD, Header(frame_id='optical'), None, step, 0.5, False)


@pytest.mark.parametrize('name', sorted(RIHS01))
def test_the_stand_in_has_the_type_hash_of_the_released_message(name):
    assert store.hash_rihs01(f'vision_msgs/msg/{name}') == f'RIHS01_{RIHS01[name]}'


def test_each_segment_is_one_detection_with_box_name_score_and_id(vision):
    (output,) = vision.VISION
    message = output.make(view())
    assert message.header.frame_id == 'optical'
    first, second = message.detections
    assert (first.id, second.id) == ('5', '2')
    assert (first.bbox.center.position.x, first.bbox.center.position.y) == (20, 40)
    assert (first.bbox.size_x, first.bbox.size_y) == (20, 40)
    assert first.results[0].hypothesis.class_id == 'mug'
    assert first.results[0].hypothesis.score == 0.875
    assert second.results[0].hypothesis.class_id == 'box'


def test_boxes_are_in_the_pixels_of_the_published_masks(vision):
    (output,) = vision.VISION
    box = output.make(view(step=2)).detections[0].bbox
    assert (box.center.position.x, box.size_x) == (10, 10)


def test_label_info_names_the_cards_classes_and_nothing_else(vision):
    message = vision.label_info(CARD, Header(), 0.25)
    assert [(item.class_id, item.class_name) for item in message.class_map] == [
        (3, 'mug'), (7, 'box'),
    ]
    assert message.threshold == 0.25


def test_without_the_package_the_topics_are_absent_and_the_reason_is_kept(monkeypatch):
    monkeypatch.setitem(sys.modules, 'vision_msgs.msg', None)
    module = importlib.reload(importlib.import_module('seg_ros.ros.outputs.vision'))
    assert module.VISION == ()
    assert 'vision_msgs' in module.MISSING


@pytest.mark.parametrize('error', [
    ImportError('no vision_msgs'), RuntimeError('of another ROS'),
    ValueError('numpy.dtype size changed'), SystemError('initialization failed'),
])
def test_a_broken_vision_msgs_costs_its_topics_and_no_more(vision, monkeypatch, error):
    class Broken(types.ModuleType):
        def __getattr__(self, name):
            raise error

    monkeypatch.setitem(sys.modules, 'vision_msgs.msg', Broken('vision_msgs.msg'))
    module = importlib.reload(vision)
    assert str(error) in module.MISSING
    assert module.VISION == ()

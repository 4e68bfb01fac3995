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

"""label_info and detections, with the installed vision_msgs and with a stand-in."""

import importlib
import re
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
from vision_types import FIELDS, RIHS01, store

CARD = card_from_dict({
    'name': 'pair', 'task': 'instance',
    'classes': [{'id': 3, 'name': 'mug'}, {'id': 7, 'name': 'box'}],
})


@pytest.fixture
def vision(vision_outputs):
    """Return the module of the 2D outputs."""
    return vision_outputs[0]


def view(step=1):
    segments = (
        Segment(5, 3, 0.875, (10, 20, 30, 60), 800),
        Segment(2, 7, 0.5, (0, 0, 8, 8), 64),
    )
    segmentation = Segmentation((64, 64), segments=segments)
    frame = Frame(np.zeros((64, 64, 3), np.uint8))
    return View(
        frame=frame, segmentation=segmentation, card=CARD, header=Header(frame_id='optical'),
        camera_info=None, step=step, alpha=0.5, rectified=False,
    )


@pytest.mark.parametrize('name', sorted(RIHS01))
def test_the_stand_in_has_the_type_hash_of_the_released_message(name):
    assert store.hash_rihs01(f'vision_msgs/msg/{name}') == f'RIHS01_{RIHS01[name]}'


@pytest.fixture
def installed():
    return pytest.importorskip('vision_msgs.msg', reason='vision_msgs is not installed')


@pytest.mark.parametrize('name', sorted(RIHS01))
def test_the_installed_message_has_the_type_hash_of_the_released_one(name, installed, ros):
    from rclpy import create_node

    node = create_node('asker', context=ros)
    node.create_publisher(getattr(installed, name), 'topic', 1)
    (info,) = node.get_publishers_info_by_topic('/topic')
    node.destroy_node()
    if not hasattr(info, 'topic_type_hash'):
        pytest.skip('this ROS knows no type hashes')
    assert bytes(info.topic_type_hash.value).hex() == RIHS01[name]


@pytest.mark.parametrize('name', sorted(FIELDS))
def test_the_stand_in_has_the_fields_of_the_installed_message(name, installed):
    listed = {}
    for line in FIELDS[name].splitlines():
        kind, field = line.split()
        element = kind.removesuffix('[]')
        element = {'float64': 'double', 'float32': 'float'}.get(element, element)
        listed[field] = f'sequence<{element}>' if kind.endswith('[]') else element
    assert getattr(installed, name).get_fields_and_field_types() == listed


def test_what_ros_sends_is_what_rosbags_reads(installed):
    from rclpy.serialization import serialize_message

    vision = importlib.reload(importlib.import_module('seg_ros.ros.outputs.vision'))
    (output,) = vision.VISION
    sent = output.make(view())
    read = store.deserialize_cdr(serialize_message(sent), 'vision_msgs/msg/Detection2DArray')
    assert read.header.frame_id == 'optical'
    for mine, theirs in zip(sent.detections, read.detections, strict=True):
        assert mine.id == theirs.id
        assert mine.bbox.center.position.x == theirs.bbox.center.position.x
        assert (mine.bbox.size_x, mine.bbox.size_y) == (theirs.bbox.size_x, theirs.bbox.size_y)
        assert [each.hypothesis.class_id for each in mine.results] == [
            each.hypothesis.class_id for each in theirs.results
        ]


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


def test_without_the_package_the_topics_are_absent_and_the_reason_is_kept(vision, monkeypatch):
    monkeypatch.setitem(sys.modules, 'vision_msgs.msg', None)
    module = importlib.reload(vision)
    assert module.VISION == ()
    assert 'vision_msgs' in module.MISSING
    for topic in ('label_info', 'nav2/label_info', 'detections', 'detections_3d', 'prompts'):
        assert re.search(rf'[ ,]{topic}\b', module.MISSING), topic


@pytest.mark.parametrize('error', [
    ImportError('no vision_msgs'), RuntimeError('of another ROS'),
    ValueError('numpy.dtype size changed'), SystemError('initialization failed'),
])
def test_a_broken_vision_msgs_costs_its_topics_and_no_more(vision_outputs, monkeypatch, error):
    class Broken(types.ModuleType):
        def __getattr__(self, name):
            raise error

    monkeypatch.setitem(sys.modules, 'vision_msgs.msg', Broken('vision_msgs.msg'))
    vision, points = (importlib.reload(module) for module in vision_outputs)
    assert str(error) in vision.MISSING
    assert vision.VISION == ()
    assert 'detections_3d' not in {output.topic for output in points.POINTS}

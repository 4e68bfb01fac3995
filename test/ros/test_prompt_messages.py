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

"""Boxes, points and ids of prompts, read from vision_msgs."""

import numpy as np
import pytest

pytest.importorskip('rosbags', reason='rosbags, which knows ROS types, is not installed')
from seg_ros.ros.prompt_messages import MAX_PROMPTS, PromptReader
from vision_types import vision_msgs

TYPES = vision_msgs()


def detection(name, x, y, width, height, class_id='', theta=0.0):
    row = TYPES.Detection2D(id=name)
    row.bbox.center.position.x, row.bbox.center.position.y = x, y
    row.bbox.center.theta = theta
    row.bbox.size_x, row.bbox.size_y = width, height
    if class_id:
        result = TYPES.ObjectHypothesisWithPose()
        result.hypothesis.class_id = class_id
        row.results = [result]
    return row


def test_boxes_points_ids_and_classes_are_read():
    prompts, remarks = PromptReader().read([
        detection('7', 50.0, 40.0, 20.0, 10.0, 'cup'), detection('3', 5.0, 6.0, 0.0, 0.0),
    ])
    assert [(item.id, item.xyxy, item.name) for item in prompts] == [
        (7, (40, 35, 60, 45), 'cup'), (3, (5, 6, 5, 6), ''),
    ]
    assert remarks == []


def test_ids_that_are_no_numbers_get_free_ones_and_that_is_said():
    rows = [detection(name, 9.0, 9.0, 4.0, 4.0) for name in ('', '2', 'mug', '65536', '0')]
    prompts, remarks = PromptReader().read(rows)
    assert [item.id for item in prompts] == [1, 2, 3, 4, 5]
    assert len(remarks) == 3
    assert remarks[0].startswith("the prompt 'mug' gets the id 3")


@pytest.mark.parametrize('row', [
    detection('5', 9.0, 9.0, float('nan'), 4.0), detection('5', 9.0, 9.0, -3.0, 4.0),
    detection('5', 9.0, 9.0, 0.0, 4.0), detection('2', 9.0, 9.0, 3.0, 4.0),
    detection('5', 9.0, 9.0, 4.0, 4.0, theta=float('inf')),
    detection('5', 9.0, 9.0, 4.0, 4.0, theta=float('nan')),
])
def test_a_prompt_that_cannot_be_loses_no_other(row):
    prompts, remarks = PromptReader().read([detection('2', 5.0, 5.0, 2.0, 2.0), row])
    assert [item.id for item in prompts] == [2]
    assert len(remarks) == 1


def test_a_turned_box_is_read_as_the_upright_one_around_it():
    corners = np.array([[-10, -3], [10, -3], [10, 3], [-10, 3]]) @ np.array([
        [np.cos(0.5), np.sin(0.5)], [-np.sin(0.5), np.cos(0.5)],
    ]) + (50, 40)
    (prompt,), _ = PromptReader().read([detection('1', 50.0, 40.0, 20.0, 6.0, theta=0.5)])
    np.testing.assert_allclose(prompt.xyxy, (*corners.min(0), *corners.max(0)))


def ids(reader, *names, taken=()):
    prompts, _ = reader.read([detection(name, 9.0, 9.0, 4.0, 4.0) for name in names], taken)
    return [item.id for item in prompts]


def test_a_text_keeps_its_number_in_whatever_order_the_next_messages_are():
    reader = PromptReader()
    assert ids(reader, 'mug', 'plate', 'spoon') == [1, 2, 3]
    assert ids(reader, 'spoon', 'mug') == [3, 1]
    assert ids(reader, 'fork', '', 'spoon', 'mug') == [2, 4, 3, 1]


def test_a_number_is_announced_once():
    reader, rows = PromptReader(), [detection('mug', 9.0, 9.0, 4.0, 4.0)]
    assert [len(reader.read(rows)[1]) for _ in range(3)] == [1, 0, 0]


def test_ids_in_use_elsewhere_are_not_given():
    reader = PromptReader()
    assert ids(reader, '', 'mug', taken=[1, 2]) == [3, 4]
    assert ids(reader, 'mug', '2', taken=[4]) == [1, 2]


def test_of_a_message_of_very_many_only_the_first_are_looked_at():
    rows = [detection('', 9.0, 9.0, 4.0, 4.0)] * MAX_PROMPTS
    rows += [None] * (50_000 - MAX_PROMPTS)
    prompts, remarks = PromptReader().read(rows)
    assert len(prompts) == MAX_PROMPTS
    assert remarks == ['50000 prompts; expected 256 or fewer']

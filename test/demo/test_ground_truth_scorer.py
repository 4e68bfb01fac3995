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

"""The demo's score of masks that come beside the ground truth."""

import numpy as np
import pytest

pytest.importorskip('rclpy', reason='ROS 2 is not installed')

from seg_ros.demo.ground_truth_scorer import GroundTruthScorer, TOPICS
from seg_ros.sim.classes import FLOOR, PERSON, WALL
from sensor_msgs.msg import Image


class Topics:
    """Takes the place of a node: what is sent goes to who subscribed."""

    def __init__(self):
        self._callbacks = {}

    def create_subscription(self, kind, topic, callback, qos):
        self._callbacks[topic] = callback

    def send(self, topic, values, stamp_s):
        message = Image(height=values.shape[0], width=values.shape[1], data=values.tobytes())
        message.encoding = '16UC1' if values.dtype == np.uint16 else 'mono8'
        message.header.stamp.sec = stamp_s
        self._callbacks[topic](message)


@pytest.fixture
def scored():
    topics = Topics()
    scorer = GroundTruthScorer(topics)

    def score(true, found):
        nobody = np.zeros(true.shape, np.uint16)
        maps = dict(zip(TOPICS, (true, nobody, found, nobody), strict=True))
        for topic in TOPICS[::-1]:
            topics.send(topic, maps[topic], 1)
        return scorer.figures()

    return score


def test_a_class_that_is_not_there_counts_only_where_it_is_found_instead_of_another(scored):
    true = np.full((10, 10), FLOOR, np.uint8)
    true[:, 5:] = WALL
    found = true.copy()
    found[0, 0] = PERSON
    figures = scored(true, found)
    assert figures['images'] == 1
    assert figures['miou'] == pytest.approx((49 / 50 + 1) / 2)


def test_masks_that_are_the_truth_score_one(scored):
    true = np.full((10, 10), FLOOR, np.uint8)
    assert scored(true, true)['miou'] == 1

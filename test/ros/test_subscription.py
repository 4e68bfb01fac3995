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

"""A subscription is replaced when its topic or its reliability changes, and only then."""

from collections.abc import Iterator

import pytest
import rclpy
from rclpy.qos import ReliabilityPolicy
from seg_ros.ros import subscription
from seg_ros.ros.lifecycle import SafeLifecycleNode
from seg_ros.ros.subscription import Subscription
from sensor_msgs.msg import Image


@pytest.fixture
def node() -> Iterator[SafeLifecycleNode]:
    context = rclpy.Context()
    rclpy.init(context=context)
    each = SafeLifecycleNode('reader', context=context)
    yield each
    each.destroy_node()
    rclpy.shutdown(context=context)


def readers(node):
    return [
        (each.topic_name, each.qos_profile.reliability) for each in node.subscriptions
        if each.msg_type is Image
    ]


def test_it_follows_name_and_reliability_with_one_reader_at_a_time(node):
    images = Subscription(node, Image, print)
    assert not images.active
    assert images.listen('image', False)
    assert not images.listen('image', False)
    assert readers(node) == [('/image', ReliabilityPolicy.BEST_EFFORT)]
    assert images.listen('image', True)
    assert (images.active, images.reliable) == (True, True)
    assert readers(node) == [('/image', ReliabilityPolicy.RELIABLE)]
    assert images.listen('other', True)
    assert readers(node) == [('/other', ReliabilityPolicy.RELIABLE)]
    images.close()
    images.close()
    assert (images.active, readers(node)) == (False, [])


def test_the_graph_is_asked_at_once_and_then_now_and_again(node, monkeypatch):
    now_s = 100.0
    monkeypatch.setattr(subscription, 'monotonic', lambda: now_s)
    images = Subscription(node, Image, print)
    assert images.due
    images.listen('image', False)
    assert not images.due
    now_s += 1.1
    assert images.due
    images.listen('image', True)
    assert images.starting      # since it was opened first
    now_s += 2
    assert not images.starting
    images.close()
    assert images.due

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

"""Frames that are published for TF, with a tf2_ros that only counts."""

import sys
import types

import numpy as np
import pytest
import rclpy
from seg_ros.ros.base_frame import BaseFrame
from std_msgs.msg import Header, String


@pytest.fixture
def node(monkeypatch):
    """Give a node, and a tf2_ros whose broadcaster opens its publisher as the real one does."""
    class TransformBroadcaster:
        def __init__(self, node):
            self.pub_tf = node.create_publisher(String, '/tf', 100)

        def sendTransform(self, transform):  # noqa: N802 - its name in tf2_ros
            assert transform.child_frame_id

    class TransformListener:
        def __init__(self, buffer, node):
            self._node, self._subscription = node, node.create_subscription(
                String, '/tf', lambda _: None, 100
            )

        def unregister(self):
            self._node.destroy_subscription(self._subscription)

    fake = types.ModuleType('tf2_ros')
    fake.Buffer, fake.TransformException = object, RuntimeError
    fake.TransformBroadcaster, fake.TransformListener = TransformBroadcaster, TransformListener
    monkeypatch.setitem(sys.modules, 'tf2_ros', fake)
    context = rclpy.Context()
    rclpy.init(context=context)
    node = rclpy.create_node('frames', context=context)
    yield node
    node.destroy_node()
    rclpy.shutdown(context=context)


def topics(entities):
    return [each.topic_name for each in entities].count('/tf')


def test_a_frame_is_announced_when_it_is_sent_and_nothing_stays_behind(node):
    base = BaseFrame(node, 'base_link')
    assert (topics(node.publishers), topics(node.subscriptions)) == (0, 1)
    for _ in range(2):
        base.broadcast(Header(frame_id='optical'), 'scan', np.eye(4))
    assert topics(node.publishers) == 1
    base.close()
    assert (topics(node.publishers), topics(node.subscriptions)) == (0, 0)


def test_without_tf_nothing_is_sent_and_the_reason_is_known(node, monkeypatch):
    monkeypatch.setitem(sys.modules, 'tf2_ros', None)
    base = BaseFrame(node, 'base_link')
    base.broadcast(Header(frame_id='optical'), 'scan', np.eye(4))
    assert base.from_optical(Header()) is None
    assert 'tf2_ros_py' in base.missing
    base.close()

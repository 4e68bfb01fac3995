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

"""Transforms published and looked up, with a fake tf2_ros and with the installed one."""

import sys
from time import monotonic
import types

from geometry_msgs.msg import TransformStamped
import numpy as np
import pytest
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.parameter import Parameter
from rclpy.time import Time
from seg_ros.ros.base_frame import BaseFrame, matrix_from_transform
from std_msgs.msg import Header, String

PATIENCE_S = 10.0


class Buffer:
    """Holds one transform, and returns it for its own stamp or, as the newest, for stamp 0."""

    def __init__(self):
        self.held = None

    def clear(self):
        self.held = None

    def lookup_transform(self, target, source, time):
        if self.held is None or time.nanoseconds not in (0, self.held):
            raise RuntimeError('extrapolation')
        stamp = Time(nanoseconds=self.held).to_msg()
        found = TransformStamped(header=Header(stamp=stamp, frame_id=target))
        found.transform.translation.x = 7.0
        return found


@pytest.fixture
def node(monkeypatch):
    """Return a node, with a fake tf2_ros whose broadcaster opens a publisher like the real one."""
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
    fake.Buffer, fake.TransformException = Buffer, RuntimeError
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
    assert base.transform_of is None
    assert 'tf2-ros-py' in base.missing
    base.close()


S = 1_000_000_000


@pytest.mark.parametrize(('newest_s', 'image_s', 'now_s', 'taken'), [
    (100.0, 100.0, 100.0, True),
    (100.0, 100.9, 100.9, True),
    (100.0, 103.0, 103.1, False),       # it is no longer published
    (100.0, 95.0, 103.0, False),        # a recording that is played again
    (100.0, 9000.0, 100.1, True),       # the camera has another clock
    (100.0, 0.0, 100.1, True),          # the camera sets no stamps
    (0.0, 5.0, 100.0, True),            # a static transform
])
def test_the_newest_transform_is_taken_only_where_it_is_of_the_image_or_of_now(
    node, monkeypatch, newest_s, image_s, now_s, taken
):
    base = BaseFrame(node, 'base_link')
    base._buffer.held = round(newest_s * S)
    clock = types.SimpleNamespace(now=lambda: Time(nanoseconds=round(now_s * S)))
    with monkeypatch.context() as patched:
        patched.setattr(node, 'get_clock', lambda: clock)
        stamp = Time(nanoseconds=round(image_s * S)).to_msg()
        found = base.from_optical(Header(stamp=stamp, frame_id='optical'))
    assert (found is not None) == taken
    assert taken or 's from the image' in base.missing
    base.close()


def test_a_stamp_that_no_clock_gives_takes_the_newest_transform(node):
    base = BaseFrame(node, 'base_link')
    base._buffer.held = node.get_clock().now().nanoseconds
    header = Header(frame_id='optical')
    header.stamp.sec = -5
    assert base.from_optical(header) is not None
    base.close()


def test_simulated_time_that_starts_over_forgets_what_was_to_come(node):
    node.set_parameters([Parameter('use_sim_time', value=True)])
    base, clock = BaseFrame(node, 'base_link'), node.get_clock()
    base._buffer.held = 1000 * S
    clock.set_ros_time_override(Time(nanoseconds=1000 * S, clock_type=clock.clock_type))
    assert base._buffer.held
    clock.set_ros_time_override(Time(nanoseconds=2 * S, clock_type=clock.clock_type))
    assert base._buffer.held is None
    base.close()


@pytest.fixture
def installed(ros):
    """Return two nodes that spin together, with the installed tf2_ros."""
    pytest.importorskip('tf2_ros', reason='tf2_ros is not installed')
    executor = SingleThreadedExecutor(context=ros)
    nodes = [rclpy.create_node(name, context=ros) for name in ('frames', 'robot')]
    for each in nodes:
        executor.add_node(each)
    yield nodes
    executor.shutdown()
    for each in nodes:
        each.destroy_node()


def seen(node, condition):
    """Spin until a function returns something, and return it."""
    end = monotonic() + PATIENCE_S
    while (found := condition()) is None:
        assert monotonic() < end
        node.executor.spin_once(timeout_sec=0.02)
    return found


def test_tf_as_it_is_installed_gives_the_frames_that_a_robot_publishes(installed):
    from tf2_ros import Buffer, StaticTransformBroadcaster, TransformException, TransformListener

    node, robot = installed
    base = BaseFrame(node, 'base_link')
    assert base.from_optical(Header(frame_id='optical')) is None
    assert 'optical to base_link' in base.missing
    mount = TransformStamped(header=Header(frame_id='base_link'), child_frame_id='optical')
    mount.transform.translation.z = 0.8
    mount.transform.rotation.z = mount.transform.rotation.w = 0.5 ** 0.5
    StaticTransformBroadcaster(robot).sendTransform(mount)
    stamp = node.get_clock().now().to_msg()
    header = Header(stamp=stamp, frame_id='optical')
    expected = [[0, -1, 0, 0], [1, 0, 0, 0], [0, 0, 1, 0.8], [0, 0, 0, 1]]
    np.testing.assert_allclose(
        seen(node, lambda: base.from_optical(header)), expected, atol=1e-12
    )
    assert base.missing == ''

    reader = Buffer()
    listener = TransformListener(reader, robot)
    back = np.eye(4)
    back[:3, 3] = 0.1, 0.2, 0.3

    def heard():
        base.broadcast(header, 'scan', back)
        try:
            return reader.lookup_transform('scan', 'optical', Time.from_msg(stamp)).transform
        except TransformException:
            return None

    np.testing.assert_allclose(matrix_from_transform(seen(node, heard)), back, atol=1e-12)
    listener.unregister()
    base.close()
    assert topics(node.publishers) == topics(node.subscriptions) == 0

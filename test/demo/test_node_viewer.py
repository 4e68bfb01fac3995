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
"""What a node publishes is shown as it was published."""

import signal
import struct
import subprocess
import sys
from time import monotonic

from fakes.rerun import FakeRerun
import numpy as np
import pytest

pytest.importorskip('rclpy', reason='rclpy is not installed')

import rclpy
from rclpy.executors import SingleThreadedExecutor
from seg_ros.demo.node_viewer import NodeViewer, points_from_message
from seg_ros.demo.rerun_log import RerunLog
from sensor_msgs.msg import Image, PointCloud2, PointField

PATIENCE_S = 20.0
STAMP_NS = 7_000_000_008


@pytest.mark.ros
@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_a_node_that_is_silent_is_named_and_a_signal_ends_the_viewer(number):
    code = (
        'from seg_ros.demo import node_viewer; node_viewer.PATIENCE_S = 0.5\n'
        'node_viewer.follow_node("/none/camera", None); print("the end")'
    )
    process = subprocess.Popen(
        [sys.executable, '-c', code], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    try:
        assert 'nothing arrives on /none/camera/overlay' in process.stdout.readline()
        process.send_signal(number)
        output, _ = process.communicate(timeout=30)
    finally:
        process.kill()
    assert (process.returncode, output) == (0, 'the end\n')


def cloud():
    """Return three points, of which the second has no depth."""
    names = ('x', 'y', 'z', 'rgb', 'label')
    message = PointCloud2(width=3, height=1, point_step=20, row_step=60)
    message.fields = [
        PointField(name=name, offset=4 * index, datatype=7, count=1)
        for index, name in enumerate(names)
    ]
    message.data = b''.join(
        struct.pack('<fffII', *xyz, rgb, 7) for xyz, rgb in (
            ((1, 2, 3), 0x102030), ((np.nan,) * 3, 0xffffff), ((4, 5, 6), 0xff0001),
        )
    )
    return message


def test_points_have_place_and_color_and_those_without_depth_are_left_out():
    xyz, rgb = points_from_message(cloud())
    assert xyz.tolist() == [[1, 2, 3], [4, 5, 6]]
    assert rgb.tolist() == [[0x10, 0x20, 0x30], [0xff, 0, 1]]


def image(pixels, encoding):
    height, width = pixels.shape[:2]
    return Image(
        height=height, width=width, encoding=encoding, step=pixels.strides[0],
        data=pixels.tobytes(),
    )


@pytest.fixture
def context():
    """Give ROS in its default context, which the viewer lives in."""
    rclpy.init(args=[])
    yield
    rclpy.try_shutdown()


@pytest.mark.ros
def test_what_the_node_publishes_is_shown_at_its_stamp_and_is_no_silence(context, monkeypatch):
    monkeypatch.setattr('seg_ros.demo.node_viewer.PATIENCE_S', 10 * PATIENCE_S)
    rerun = FakeRerun()
    viewer, node = NodeViewer('/eyes/front', RerunLog(rerun)), rclpy.create_node('eyes')
    colors = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    ids = np.array([[0, 700, 3, 65535]] * 2, np.uint16)
    executor = SingleThreadedExecutor()
    for each in (viewer, node):
        executor.add_node(each)
    for topic, message in (
        ('overlay', image(colors, 'rgb8')), ('color', image(colors[::-1].copy(), 'rgb8')),
        ('instance', image(ids, '16UC1')), ('points', cloud()),
    ):
        message.header.stamp.sec, message.header.stamp.nanosec = divmod(STAMP_NS, 10**9)
        publisher = node.create_publisher(type(message), f'/eyes/front/{topic}', 1)
        spin_until(executor, publisher.get_subscription_count)
        publisher.publish(message)
        spin_until(executor, lambda topic=topic: rerun.of(topic))
    [silence] = viewer.timers
    assert silence.is_canceled()
    for each in (viewer, node):
        each.destroy_node()
    executor.shutdown()
    np.testing.assert_array_equal(rerun.of('overlay')[0][0][0], colors)
    np.testing.assert_array_equal(rerun.of('color')[0][0][0], colors[::-1])
    np.testing.assert_array_equal(rerun.of('instance')[-1][0][0], ids)
    np.testing.assert_array_equal(rerun.of('points')[0][0][0], [[1, 2, 3], [4, 5, 6]])
    assert rerun.times == [('stamp', np.datetime64(STAMP_NS, 'ns'))] * 4


def spin_until(executor, condition):
    end = monotonic() + PATIENCE_S
    while not condition():
        assert monotonic() < end
        executor.spin_once(timeout_sec=0.05)

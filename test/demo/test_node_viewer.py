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

import numpy as np
import pytest

pytest.importorskip('rclpy', reason='rclpy is not installed')

from seg_ros.demo.node_viewer import points_from_message
from sensor_msgs.msg import PointCloud2, PointField


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


def test_points_have_place_and_color_and_those_without_depth_are_left_out():
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
    xyz, rgb = points_from_message(message)
    assert xyz.tolist() == [[1, 2, 3], [4, 5, 6]]
    assert rgb.tolist() == [[0x10, 0x20, 0x30], [0xff, 0, 1]]

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

"""What the demo saves of the masks that it received."""

import cv2
import numpy as np
import pytest

pytest.importorskip('rclpy', reason='ROS 2 is not installed')

import rclpy
from seg_ros.demo.mask_recorder import MaskRecorder, TOPICS
from sensor_msgs.msg import Image


@pytest.fixture
def recorder():
    """Give a recorder in ROS's default context, which it lives in."""
    rclpy.init()
    node = MaskRecorder()
    yield node
    node.destroy_node()
    rclpy.try_shutdown()


def send(recorder, topic, stamp_s):
    """Deliver a mask of one pixel whose value is its stamp."""
    kind, value = ('16UC1', np.uint16) if topic == 'instance' else ('rgb8', np.uint8)
    pixel = np.full(1 if topic == 'instance' else 3, stamp_s, value)
    message = Image(height=1, width=1, step=pixel.nbytes, encoding=kind, data=pixel.tobytes())
    message.header.stamp.sec = stamp_s
    recorder._on_mask(topic, message)


@pytest.mark.ros
def test_saved_files_show_one_image_even_if_some_masks_of_the_next_have_come(
    recorder, tmp_path
):
    for topic in TOPICS:
        send(recorder, topic, 7)
    send(recorder, 'overlay', 8)
    send(recorder, 'color', 8)
    recorder.save(tmp_path)
    for name in ('overlay', 'classes'):
        assert cv2.imread(str(tmp_path / f'{name}.png')).tolist() == [[[7, 7, 7]]]

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

"""An RGB-D camera for a benchmark: publishes one scene repeatedly, stamped when sent."""

import sys

import numpy as np
import rclpy
from rclpy.node import Node
from seg_ros.bench.depth_scene import CAMERA, depth_scene, SIZE_HW
from seg_ros.ros.conversions import image_message
from seg_ros.ros.qos import image_qos
from seg_ros.ros.spin import spin_until_signal
from seg_ros.sim.classes import OBJECT
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header

RATE_HZ = 30.0
_BRIGHT, _DARK = 220, 40    # objects and everything else, separable by a threshold


class BenchRgbd(Node):
    """Publishes `camera/image_raw`, registered depth and camera_info, created in advance."""

    def __init__(self) -> None:
        super().__init__('bench_rgbd')
        depth_mm, masks = depth_scene()
        grey = np.where(masks.classes == OBJECT, np.uint8(_BRIGHT), np.uint8(_DARK))
        header = Header(frame_id='camera_optical')
        self._messages = (
            image_message(depth_mm, header), _camera_info(header),
            image_message(grey[..., None].repeat(3, 2), header),
        )
        names = 'depth_registered/image_rect', 'camera_info', 'image_raw'
        self._publishers = [
            self.create_publisher(kind, f'camera/{name}', image_qos(reliable=True))
            for name, kind in zip(names, (Image, CameraInfo, Image), strict=True)
        ]
        self.create_timer(1 / RATE_HZ, self._send)

    def _send(self) -> None:
        stamp = self.get_clock().now().to_msg()
        for publisher, message in zip(self._publishers, self._messages, strict=True):
            message.header.stamp = stamp
            publisher.publish(message)


def _camera_info(header: Header) -> CameraInfo:
    fx, fy, cx, cy = CAMERA.fx, CAMERA.fy, CAMERA.cx, CAMERA.cy
    return CameraInfo(
        header=header, height=SIZE_HW[0], width=SIZE_HW[1],
        k=[fx, 0.0, cx, 0.0, fy, cy, 0.0, 0.0, 1.0],
        p=[fx, 0.0, cx, 0.0, 0.0, fy, cy, 0.0, 0.0, 0.0, 1.0, 0.0],
    )


def main() -> int:
    """Publish until a signal ends the process."""
    rclpy.init()
    spin_until_signal(BenchRgbd())
    return 0


if __name__ == '__main__':
    sys.exit(main())

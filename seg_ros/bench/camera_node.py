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

"""Cameras for a benchmark: publish one image repeatedly at a fixed rate, stamped when sent."""

import argparse
import sys

import numpy as np
import rclpy
from rclpy.node import Node
from seg_ros.core.number_options import RATE_HZ, SIDE
from seg_ros.ros.conversions import image_message
from seg_ros.ros.qos import image_qos
from seg_ros.ros.spin import spin_until_signal
from sensor_msgs.msg import Image
from std_msgs.msg import Header


class BenchCamera(Node):
    """
    Publishes `<name>/image_raw` for every camera, at the same rate.

    The image is noise of a fixed seed, created in advance so that only sending takes time.
    """

    def __init__(self, names: list[str], rate_hz: float, size_hw: tuple[int, int]) -> None:
        super().__init__('bench_camera')
        image = np.random.default_rng(0).integers(0, 256, (*size_hw, 3), np.uint8)
        self._message = image_message(image, Header(frame_id='camera'))
        for name in names:
            publisher = self.create_publisher(Image, f'{name}/image_raw', image_qos(reliable=True))
            self.create_timer(1 / rate_hz, lambda publisher=publisher: self._send(publisher))

    def _send(self, publisher: 'rclpy.publisher.Publisher[Image]') -> None:
        self._message.header.stamp = self.get_clock().now().to_msg()
        publisher.publish(self._message)


def main(arguments: list[str] | None = None) -> int:
    """Publish until a signal ends the process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('names', nargs='+')
    parser.add_argument('--rate', type=RATE_HZ, default=30.0, help='Hz')
    parser.add_argument('--size', type=SIDE, nargs=2, default=(720, 1280), metavar=('H', 'W'))
    args = parser.parse_args(arguments)
    rclpy.init()
    spin_until_signal(BenchCamera(args.names, args.rate, tuple(args.size)))
    return 0


if __name__ == '__main__':
    sys.exit(main())

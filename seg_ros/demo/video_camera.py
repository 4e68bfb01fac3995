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

"""Publishes a webcam or a video file like a camera driver."""

import argparse
import sys

import cv2
import rclpy
from rclpy.node import Node
from rclpy.utilities import remove_ros_args
from seg_ros.core.errors import SegError
from seg_ros.core.number_options import RATE_HZ
from seg_ros.image.capture import open_capture
from seg_ros.ros.conversions import image_message
from seg_ros.ros.qos import image_qos
from seg_ros.ros.spin import spin_until_signal
from sensor_msgs.msg import Image
from std_msgs.msg import Header

FRAME_ID = 'camera_optical_frame'


class VideoCamera(Node):
    """
    Publishes `camera/image_raw`, best effort, newest only, bgr8.

    :param source: number of a camera of this machine, or a video file, which is played in a loop.
    :raises SettingError: if it cannot be opened.
    """

    def __init__(self, source: str, rate_hz: float) -> None:
        super().__init__('video_camera')
        self._source = source
        self._capture = open_capture(source)
        self._publisher = self.create_publisher(
            Image, 'camera/image_raw', image_qos(reliable=False)
        )
        self.create_timer(1 / rate_hz, self._publish)

    def _publish(self) -> None:
        """Publish one frame, stamped on arrival; restart a file at its end."""
        read, bgr = self._capture.read()
        if not read:
            self._capture.set(cv2.CAP_PROP_POS_FRAMES, 0)
            read, bgr = self._capture.read()
        if not read:
            self.get_logger().error(
                f'{self._source} delivers no frames', throttle_duration_sec=5.0
            )
            return
        header = Header(stamp=self.get_clock().now().to_msg(), frame_id=FRAME_ID)
        if self._publisher.get_subscription_count():
            self._publisher.publish(image_message(bgr, header, 'bgr8'))


def main(arguments: list[str] | None = None) -> int:
    """Publish until SIGINT or SIGTERM."""
    rclpy.init(args=arguments)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--source', default='0', help='number of a camera, or a video file')
    parser.add_argument('--rate', type=RATE_HZ, default=30.0, help='Hz')
    options = parser.parse_args(remove_ros_args(arguments)[1:])
    try:
        spin_until_signal(VideoCamera(options.source, options.rate))
        return 0
    except SegError as error:
        print(f'video_camera: {error}', file=sys.stderr)  # noqa: T201
        return 1
    finally:
        rclpy.try_shutdown()


if __name__ == '__main__':
    sys.exit(main())

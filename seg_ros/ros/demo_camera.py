"""A camera driver for the demo: publishes the tabletop as rgb8 images with camera_info."""

import argparse
import sys

import rclpy
from rclpy.node import Node
from rclpy.utilities import remove_ros_args
from seg_ros.ros.convert import image_message
from seg_ros.ros.qos import images
from seg_ros.ros.sim_camera import camera_info
from seg_ros.ros.spin import spin_until_signal
from seg_ros.sim.tabletop import Tabletop
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header

FRAME_ID = 'camera_optical_frame'
FOV_DEG = 45.0


class DemoCamera(Node):
    """Publishes `camera/image_raw` and `camera/camera_info`, best effort as drivers do."""

    def __init__(self, size_hw: tuple[int, int], rate_hz: float) -> None:
        super().__init__('demo_camera')
        self._size_hw = size_hw
        self._rate_hz = rate_hz
        # Drawn ahead, so that the camera costs no more than a driver does.
        world = Tabletop(size_hw)
        self._pictures = [world.picture(number / rate_hz)[0] for number in range(60)]
        self._number = 0
        self._images = self.create_publisher(Image, 'camera/image_raw', images(reliable=False))
        self._infos = self.create_publisher(
            CameraInfo, 'camera/camera_info', images(reliable=False)
        )
        self.create_timer(1 / rate_hz, self._publish)

    def _publish(self) -> None:
        header = Header(stamp=self.get_clock().now().to_msg(), frame_id=FRAME_ID)
        last = len(self._pictures) - 1
        # Forth and back, so that nothing jumps.
        turn = self._number % (2 * last)
        picture = self._pictures[turn if turn <= last else 2 * last - turn]
        self._number += 1
        self._images.publish(image_message(picture, 'rgb8', header))
        self._infos.publish(camera_info(self._size_hw, FOV_DEG, header))


def main(arguments: list[str] | None = None) -> int:
    """Publish until SIGINT or SIGTERM."""
    rclpy.init(args=arguments)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--height', type=int, default=480)
    parser.add_argument('--width', type=int, default=640)
    parser.add_argument('--rate', type=float, default=30.0, help='Hz')
    own = remove_ros_args(arguments if arguments is not None else sys.argv)
    options = parser.parse_args(own[1:])
    spin_until_signal(DemoCamera((options.height, options.width), options.rate))
    return 0


if __name__ == '__main__':
    sys.exit(main())

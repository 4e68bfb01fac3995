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

"""A camera in a simulated or recorded world: publishes images, depth and ground truth."""

import argparse
from contextlib import closing
from math import radians, tan
import sys
from typing import Any, Protocol

import numpy as np
import rclpy
from rclpy.node import Node
from rclpy.utilities import remove_ros_args
from seg_ros.core.errors import SegError, SettingError
from seg_ros.core.number_options import RATE_HZ, SEED, SIDE
from seg_ros.core.segmentation import Segmentation
from seg_ros.ros.conversions import image_message
from seg_ros.ros.qos import image_qos
from seg_ros.ros.spin import spin_until_signal
from seg_ros.sim.view import RenderedView
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header

FRAME_ID = 'camera_optical_frame'
_MAX_STEP_S = 0.2   # simulated time per frame, where rendering is slower than the rate


class SimulatedWorld(Protocol):
    """
    A simulated or recorded world with a camera.

    :param fov_deg: vertical field of view of the camera.
    """

    fov_deg: float

    def advance(self, seconds: float) -> None:
        """Advance the time."""

    def render(self) -> tuple[RenderedView, Segmentation]:
        """Return an image and its ground truth."""

    def close(self) -> None:
        """Release all resources."""


class SimCamera(Node):
    """
    Publishes like a depth camera: best effort, newest frame only, images only if subscribed to.

    :param world: world that the camera sees; closed by its owner.
    """

    def __init__(self, world: SimulatedWorld, rate_hz: float) -> None:
        super().__init__('sim_camera')
        self._world = world
        self._last_ns = self.get_clock().now().nanoseconds
        names = {
            'image': 'camera/image_raw', 'depth': 'camera/depth_registered/image_rect',
            'semantic': '~/truth/semantic', 'instance': '~/truth/instance',
            'panoptic': '~/truth/panoptic',
        }
        self._images = {
            kind: self.create_publisher(Image, name, image_qos(reliable=False))
            for kind, name in names.items()
        }
        self._infos = self.create_publisher(
            CameraInfo, 'camera/camera_info', image_qos(reliable=False)
        )
        self.create_timer(1 / rate_hz, self._publish)

    def _publish(self) -> None:
        now = self.get_clock().now()
        passed = (now.nanoseconds - self._last_ns) / 1e9
        self._last_ns = now.nanoseconds
        self._world.advance(min(max(passed, 0.0), _MAX_STEP_S))
        header = Header(stamp=self.get_clock().now().to_msg(), frame_id=FRAME_ID)
        rendered, truth = self._world.render()
        self._send('image', rendered.rgb, 'rgb8', header)
        self._send('depth', (rendered.depth_m * 1000).astype(np.uint16), '16UC1', header)
        self._send('semantic', truth.classes, 'mono8', header)
        self._send('instance', truth.instances, '16UC1', header)
        self._send('panoptic', truth.panoptic(), '32SC1', header)
        self._infos.publish(camera_info(rendered.rgb.shape[:2], self._world.fov_deg, header))

    def _send(self, kind: str, array: Any, encoding: str, header: Header) -> None:
        publisher = self._images[kind]
        if publisher.get_subscription_count():
            publisher.publish(image_message(array, header, encoding))


def camera_info(size_hw: tuple[int, int], fov_deg: float, header: Header) -> CameraInfo:
    """Return the `CameraInfo` of a pinhole camera with a vertical field of view."""
    height, width = size_hw
    focal = height / 2 / tan(radians(fov_deg) / 2)
    # In ROS the centre of the first pixel is at (0, 0).
    x, y = (width - 1) / 2, (height - 1) / 2
    info = CameraInfo(header=header, height=height, width=width)
    info.distortion_model = 'plumb_bob'
    info.d = [0.0] * 5
    info.k = [focal, 0.0, x, 0.0, focal, y, 0.0, 0.0, 1.0]
    info.r = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]
    info.p = [focal, 0.0, x, 0.0, 0.0, focal, y, 0.0, 0.0, 0.0, 1.0, 0.0]
    return info


def main(arguments: list[str] | None = None) -> int:
    """Publish until SIGINT or SIGTERM."""
    rclpy.init(args=arguments)
    options = _parser().parse_args(remove_ros_args(arguments)[1:])
    try:
        return _spin(options)
    except SegError as error:
        print(f'sim_camera: {error}', file=sys.stderr)  # noqa: T201
        return 1
    finally:
        rclpy.try_shutdown()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--height', type=SIDE, default=480, help='of simulated images')
    parser.add_argument('--width', type=SIDE, default=640, help='of simulated images')
    parser.add_argument('--rate', type=RATE_HZ, default=15.0, help='Hz')
    parser.add_argument(
        '--world', choices=('room', 'table', 'bin', 'recorded'), default='room',
        help='a room that the camera drives through, clutter that it circles, or a short '
        'recording, which needs no simulator',
    )
    parser.add_argument('--seed', type=SEED, default=0, help='selects the room or heap')
    parser.add_argument('--split', choices=('train', 'held-out'), default='held-out')
    return parser


def _spin(options: argparse.Namespace) -> int:
    with closing(_open_world(options)) as world:
        spin_until_signal(SimCamera(world, options.rate))
    return 0


def _open_world(options: argparse.Namespace) -> SimulatedWorld:
    if options.world == 'recorded':
        from seg_ros.sim.playback import Playback

        return Playback()
    try:
        from seg_ros.sim.drive import DrivenRoom
        from seg_ros.sim.orbit import OrbitedTable
    except ImportError as error:
        raise SettingError(
            f'a simulated camera without {error.name}', 'PyBullet', 'pip install "seg_ros[sim]"'
        ) from error
    settings = options.seed, options.split, (options.height, options.width)
    if options.world == 'room':
        return DrivenRoom(*settings)
    return OrbitedTable(*settings, options.world)


if __name__ == '__main__':
    sys.exit(main())

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

"""Transforms between a camera and the robot's base frame, from TF."""

from collections.abc import Callable
from typing import Any, TypeAlias

from builtin_interfaces.msg import Time as TimeMessage
from geometry_msgs.msg import Quaternion, TransformStamped, Vector3
import numpy as np
from numpy.typing import NDArray
from rclpy.clock import JumpThreshold
from rclpy.duration import Duration
from rclpy.node import Node
from rclpy.time import Time
from seg_ros.depth.boxes import quaternion_xyzw
from seg_ros.ros.conversions import stamp_ns
from std_msgs.msg import Header

# None where tf2_ros is not installed.
TransformOf: TypeAlias = Callable[[Header], NDArray[np.float64] | None] | None

STALE_S = 1.0   # age above which the newest transform is not used for an image
_RESTART = JumpThreshold(
    min_forward=None, min_backward=Duration(seconds=-1), on_clock_change=True
)


class BaseFrame:
    """
    Transforms from optical frames to the base frame; none if tf2_ros is not installed.

    :param frame: frame id of the base.
    """

    def __init__(self, node: Node, frame: str) -> None:
        self.frame = frame
        self.missing = ''
        self.installed = True
        try:
            from tf2_ros import (
                Buffer,
                TransformBroadcaster,
                TransformException,
                TransformListener,
            )
        except ImportError as error:
            self.missing = f'no TF: {error}; apt install ros-$ROS_DISTRO-tf2-ros-py'
            self.installed = False
            return
        self._failure = TransformException
        self._buffer: Any = Buffer()
        self._listener = TransformListener(self._buffer, node)
        self._node = node
        # After a jump back in time the buffer refuses new transforms and returns old ones.
        self._jumps = node.get_clock().create_jump_callback(
            _RESTART, post_callback=lambda _: self._buffer.clear()
        )
        self._broadcaster_of = TransformBroadcaster
        self._broadcaster: Any = None

    @property
    def transform_of(self) -> TransformOf:
        """Return `from_optical`, or None where tf2_ros is not installed."""
        return self.from_optical if self.installed else None

    def from_optical(self, header: Header) -> NDArray[np.float64] | None:
        """
        Look up a transform, without waiting for it.

        :param header: header of an image. If TF has no transform at its stamp, the newest one is
            used if it is within a second of that stamp or of now, as clocks may differ.
        :returns: float64 (4, 4), or None; `missing` then holds the reason.
        """
        for stamp in (header.stamp, TimeMessage()):
            try:
                found = self._buffer.lookup_transform(
                    self.frame, header.frame_id, Time.from_msg(stamp)
                )
            except (self._failure, ValueError) as error:    # a stamp before 1970 is a ValueError
                self.missing = f'{header.frame_id} to {self.frame}: {error}'
                continue
            offset_s = self._offset_s(found.header, header)
            if offset_s <= STALE_S:
                self.missing = ''
                return matrix_from_transform(found.transform)
            self.missing = (
                f'{header.frame_id} to {self.frame}: the newest transform is {offset_s:.1f} s '
                'from the image: check that it is still published, with stamps of the same clock'
            )
        return None

    def _offset_s(self, found: Header, image: Header) -> float:
        """Return the time between a transform and an image or now, whichever is closer."""
        found_ns: int = stamp_ns(found.stamp)
        if not found_ns:    # a static transform
            return 0.0
        now_ns: int = self._node.get_clock().now().nanoseconds
        return min(abs(found_ns - stamp_ns(image.stamp)), abs(found_ns - now_ns)) / 1e9

    def broadcast(
        self, header: Header, child: str, child_from_optical: NDArray[np.float64]
    ) -> None:
        """Broadcast a frame whose parent is an image's optical frame."""
        if not self.installed:
            return
        if self._broadcaster is None:   # on demand, as it opens a publisher of /tf
            self._broadcaster = self._broadcaster_of(self._node)
        message = TransformStamped(header=header, child_frame_id=child)
        place = -child_from_optical[:3, :3].T @ child_from_optical[:3, 3]
        x, y, z = place.tolist()
        message.transform.translation = Vector3(x=x, y=y, z=z)
        qx, qy, qz, qw = quaternion_xyzw(child_from_optical[:3, :3])
        message.transform.rotation = Quaternion(x=qx, y=qy, z=qz, w=qw)
        self._broadcaster.sendTransform(message)

    def close(self) -> None:
        """Release the subscriptions and publishers of TF."""
        if not self.installed:
            return
        self._jumps.unregister()
        self._listener.unregister()
        if self._broadcaster is not None:
            self._node.destroy_publisher(self._broadcaster.pub_tf)


def matrix_from_transform(transform: Any) -> NDArray[np.float64]:
    """Turn a geometry_msgs Transform into a matrix, float64 (4, 4)."""
    q, t = transform.rotation, transform.translation
    x, y, z, w = np.array([q.x, q.y, q.z, q.w]) / np.linalg.norm([q.x, q.y, q.z, q.w])
    matrix = np.eye(4)
    matrix[:3, :3] = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    matrix[:3, 3] = t.x, t.y, t.z
    return matrix

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
"""Shows a running node in Rerun: overlay, classes, instances and the labelled cloud."""

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray
import rclpy
from rclpy.node import Node
from seg_ros.core.frame import Pixels
from seg_ros.demo.mask_messages import array_from_mask
from seg_ros.demo.rerun_log import RerunLog
from seg_ros.ros.conversions import stamp_ns
from seg_ros.ros.qos import mask_qos
from seg_ros.ros.spin import spin_until_signal
from seg_ros.share import fastdds_profile
from sensor_msgs.msg import Image, PointCloud2

PATIENCE_S = 5.0


class NodeViewer(Node):
    """
    Shows what one camera of a node publishes.

    :param topics: full name of the node and the camera, such as `/segmentation/camera`.
    """

    def __init__(self, topics: str, log: RerunLog) -> None:
        super().__init__('seg_ros_view')
        self._log, self._topics = log, topics
        self._waiting = self.create_timer(PATIENCE_S, self._on_silence)
        for topic, kind, show in (
            ('overlay', Image, self._on_image), ('color', Image, self._on_image),
            ('instance', Image, self._on_instance), ('points', PointCloud2, self._on_points),
        ):
            self.create_subscription(
                kind, f'{topics}/{topic}',
                lambda message, topic=topic, show=show: self._show(topic, message, show),
                mask_qos(),
            )

    def _show(self, topic: str, message: Any, show: Any) -> None:
        self._log.at_stamp(stamp_ns(message.header.stamp))
        show(topic, message)
        self._waiting.cancel()

    def _on_silence(self) -> None:
        self._waiting.cancel()
        self.get_logger().warning(
            f'nothing arrives on {self._topics}/overlay yet: see /diagnostics'
        )

    def _on_image(self, topic: str, message: Image) -> None:
        self._log.image(topic, array_from_mask(message))

    def _on_instance(self, topic: str, message: Image) -> None:
        self._log.ids(topic, array_from_mask(message))

    def _on_points(self, topic: str, message: PointCloud2) -> None:
        self._log.points(topic, *points_from_message(message))


def points_from_message(message: PointCloud2) -> tuple[NDArray[np.float32], Pixels]:
    """
    Return the points with finite depth.

    :param message: has the fields x, y, z (float32) and rgb (bytes blue, green, red).
    :returns: float32 (N, 3), in metres, and uint8 (N, 3).
    """
    offsets = {field.name: field.offset for field in message.fields}
    kind = np.dtype({
        'names': ['x', 'y', 'z', 'bgr'], 'formats': ['<f4', '<f4', '<f4', ('u1', 3)],
        'offsets': [offsets[name] for name in ('x', 'y', 'z', 'rgb')],
        'itemsize': message.point_step,
    })
    points = np.frombuffer(message.data, kind)
    points = points[np.isfinite(points['z'])]
    xyz = np.stack([points[name] for name in 'xyz'], axis=1)
    return xyz.astype(np.float32), np.ascontiguousarray(points['bgr'][:, ::-1])


def follow_node(topics: str, log: RerunLog) -> None:
    """Show what a node publishes until Ctrl-C or SIGTERM; warn once if nothing arrives."""
    os.environ.update(fastdds_profile(os.environ))
    rclpy.init()
    spin_until_signal(NodeViewer(topics, log))

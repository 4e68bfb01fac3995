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

"""Compares masks received over DDS with the ground truth that the camera publishes."""

import sys
from typing import Any

from rclpy.node import Node
from seg_ros.core.segmentation import Segmentation
from seg_ros.demo.mask_messages import array_from_mask
from seg_ros.masks.from_maps import segmentation_from_maps
from seg_ros.metrics.scores import LiveScores
from seg_ros.ros.conversions import stamp_ns
from seg_ros.ros.qos import image_qos
from seg_ros.sim.classes import CARD
from sensor_msgs.msg import Image

TOPICS = (
    '/sim_camera/truth/semantic', '/sim_camera/truth/instance',
    '/segmentation/camera/semantic', '/segmentation/camera/instance',
)
_EVERY = 5      # frames; scoring one takes as long as inference
_MAX_WAITING = 30   # frames with missing maps: the node skips frames


class GroundTruthScorer:
    """
    Scores every fifth frame for which masks and ground truth have arrived.

    :param node: creates the subscriptions.
    """

    def __init__(self, node: Node) -> None:
        self._scores = LiveScores(CARD)
        self._maps: dict[int, dict[str, Any]] = {}
        self._complete = 0
        self.images = 0
        for topic in TOPICS:
            node.create_subscription(
                Image, topic, lambda message, topic=topic: self._on_map(topic, message),
                image_qos(reliable=False),
            )

    def figures(self) -> dict[str, Any]:
        """Return the scores of all images so far; `miou` covers the classes that occurred."""
        present = self._scores.confusion.figures()['miou_present']
        return {'images': self.images, **self._scores.figures(), 'miou': present}

    def _on_map(self, topic: str, message: Image) -> None:
        stamp = stamp_ns(message.header.stamp)
        maps = self._maps.setdefault(stamp, {})
        maps[topic] = array_from_mask(message)
        if len(maps) == len(TOPICS):
            self._maps = {key: value for key, value in self._maps.items() if key > stamp}
            if self._complete % _EVERY == 0:
                true, found = (
                    segmentation_from_maps(maps[classes], maps[instances], CARD)
                    for classes, instances in (TOPICS[:2], TOPICS[2:])
                )
                self._score(true, found)
            self._complete += 1
        elif len(self._maps) > _MAX_WAITING:
            del self._maps[min(self._maps)]

    def _score(self, true: Segmentation, found: Segmentation) -> None:
        self._scores.add(true, found)
        self.images += 1
        if sys.stderr.isatty():
            now = self.figures()
            sys.stderr.write(
                f'\r{self.images} frames scored: mean IoU {now["miou"]:.3f}, '
                f'panoptic quality {now["pq"]:.3f} '
            )

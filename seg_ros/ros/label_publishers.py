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

"""Publishers of the latched `label_info` topics."""

from collections.abc import Iterable
from typing import Any

from rclpy.node import Node
from seg_ros.core.card import ModelCard
from seg_ros.ros.outputs.vision import label_info, MISSING
from seg_ros.ros.qos import latched_qos
from std_msgs.msg import Header

# Nav2's layer reads the names next to its own mask.
TOPICS = ('label_info', 'nav2/label_info')


class LabelPublishers:
    """
    Publishers of the `label_info` topics of all cameras; none without vision_msgs.

    They are not lifecycle publishers: an inactive node publishes its labels too.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self._publishers: dict[str, Any] = {}

    def publish(self, card: ModelCard, cameras: Iterable[str], threshold: float) -> None:
        """
        Publish for each camera.

        :param threshold: minimum probability of a published class, 0 to 1.
        """
        if MISSING:
            return
        from vision_msgs.msg import LabelInfo

        header = Header(stamp=self._node.get_clock().now().to_msg())
        for topic in [f'~/{camera}/{topic}' for camera in cameras for topic in TOPICS]:
            if topic not in self._publishers:
                publisher = self._node.create_publisher(LabelInfo, topic, latched_qos())
                self._publishers[topic] = publisher
            self._publishers[topic].publish(label_info(card, header, threshold))

    def close(self) -> None:
        """Close the topics."""
        for publisher in self._publishers.values():
            self._node.destroy_publisher(publisher)
        self._publishers = {}

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

"""Names of a camera's topics: what to pass to rclpy, and what it resolves to."""

from rclpy.node import Node


def image_names(node: Node, camera: str, compressed: bool) -> tuple[str, str]:
    """
    Return the name of the image topic to subscribe to, and the topic it resolves to.

    A remapping of the raw topic applies to the compressed one too.
    """
    relative = f'{camera}/image_raw'
    resolved: str = node.resolve_topic_name(relative)
    if not compressed:
        return relative, resolved
    relative += '/compressed'
    if _is_remapped(node, relative):
        return relative, node.resolve_topic_name(relative)
    # The raw topic may have been remapped to the compressed one.
    topic = f'{resolved.removesuffix("/compressed")}/compressed'
    return topic, topic


def info_names(node: Node, camera: str, image_topic: str, previous: str) -> tuple[str, str]:
    """
    Return the name of the camera_info topic to subscribe to, and the topic it resolves to.

    Unless it is remapped itself, it is in the image topic's namespace or below that topic.

    :param image_topic: the resolved raw image topic.
    :param previous: the camera_info topic so far, if any.
    """
    relative = f'{camera}/camera_info'
    if _is_remapped(node, relative):
        return relative, node.resolve_topic_name(relative)
    topic, below = f'{image_topic.rpartition("/")[0]}/camera_info', f'{image_topic}/camera_info'
    # A topic below the image's, once found, is kept while its publisher restarts.
    if not node.count_publishers(topic) and (previous == below or node.count_publishers(below)):
        topic = below
    return topic, topic


def _is_remapped(node: Node, relative: str) -> bool:
    expanded = node.resolve_topic_name(relative, only_expand=True)
    return bool(node.resolve_topic_name(relative) != expanded)

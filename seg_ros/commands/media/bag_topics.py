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

"""Choice of a recording's image topics to segment: no depth, masks or duplicates."""

from collections.abc import Mapping
import re

from seg_ros.image.encodings import REFUSED

COMPRESSED = '/compressed'
# Topics by which the namespace of a segmentation node is recognised.
MASKS = frozenset({'semantic', 'instance', 'panoptic'})


def left_out(topics: Mapping[str, str]) -> dict[str, str]:
    """
    Return the topics that are not to be segmented, each with the reason.

    :param topics: all image topics, each with the encoding or format of its first message; empty
        if unknown.
    """
    reasons = {}
    mask_folders = {topic.rpartition('/')[0] for topic in topics if _last(topic) in MASKS}
    for topic, kind in topics.items():
        twin = topic.removesuffix(COMPRESSED)
        if any(topic.startswith(f'{folder}/') for folder in mask_folders if folder):
            reasons[topic] = 'masks from a segmentation node'
        elif kind.partition(';')[0].strip() in REFUSED or 'compressedDepth' in kind:
            reasons[topic] = f'depth or data ({kind.strip()})'
        elif twin != topic and twin in topics:
            reasons[topic] = f'a duplicate of {twin}'
    return reasons


def file_name(topic: str) -> str:
    """Return a topic as part of a file name, in safe characters only."""
    return re.sub(r'[^A-Za-z0-9_.-]', '_', topic.strip('/'))[:150] or 'image'


def camera_from_topic(topic: str) -> str:
    """Return the camera's name from a topic: `front` of `/front/image_raw/compressed`."""
    parts = [word for word in topic.split('/') if word and word != 'compressed']
    if parts and parts[-1].startswith('image'):
        parts.pop()
    return re.sub(r'[^A-Za-z0-9_]', '_', '_'.join(parts))[:100] or 'camera'


def _last(topic: str) -> str:
    return topic.removesuffix(COMPRESSED).rpartition('/')[2]

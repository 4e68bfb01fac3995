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

"""Class probabilities as float channels, for elevation mapping."""

import numpy as np
from seg_ros.ros.conversions import image_message
from seg_ros.ros.publishers import CLASSES, Output, View
from sensor_msgs.msg import Image


def _channels(view: View) -> Image:
    """
    Return an image with one channel for each of the card's classes, in its order.

    A channel has the confidence, 0 to 1, at pixels of its class and 0 elsewhere:
    elevation_mapping_cupy fuses each channel into a layer of its map.
    """
    confidence = view.confidence.astype(np.float32) * np.float32(1 / 255)
    channels = np.zeros((*confidence.shape, len(view.card.classes)), np.float32)
    for channel, item in enumerate(view.card.classes):
        np.copyto(channels[..., channel], confidence, where=view.semantic == item.id)
    return image_message(channels, view.header, f'32FC{len(view.card.classes)}')


MAPPING = (
    Output('elevation/channels', Image, CLASSES | {'confidence'}, _channels, deferred=True),
)

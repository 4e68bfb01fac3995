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

"""A network that is no network: it calls bright pixels cars, dark ones road, the rest nothing."""

import cv2
import numpy as np
from seg_ros.core.card_reading import card_from_dict
from seg_ros.core.segmentation import Segment, Segmentation

CARD = card_from_dict({'name': 'street', 'task': 'panoptic', 'classes': [
    {'id': 2, 'name': 'road', 'color': [128, 64, 128]},
    {'id': 5, 'name': 'car', 'color': [0, 0, 142], 'thing': True},
]})


def make_image(seed=0, size_hw=(60, 80)):
    """Return bgr pixels with two cars on the road under a grey sky; the seed moves the cars."""
    shift = seed % 20
    pixels = np.full((*size_hw, 3), 120, np.uint8)
    pixels[30:] = 10
    pixels[35:45, 5 + shift:20 + shift] = 250
    pixels[40:50, 45 + shift:60 + shift] = 240
    return pixels


def segment(frame, temporal=None):
    """Segment what `make_image` draws, by plain numpy and connected components."""
    grey = frame.pixels if frame.color == 'gray' else frame.pixels[:, :, 1]
    classes = np.full(frame.size_hw, 255, np.uint8)
    classes[grey < 60] = 2
    confidence = np.where(classes == 2, 204, 0).astype(np.uint8)
    count, parts = cv2.connectedComponents((grey > 180).astype(np.uint8))
    segments = []
    for number in range(1, count):
        mask = parts == number
        rows, columns = np.nonzero(mask)
        xyxy = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
        segments.append(Segment(number, 5, 0.75, tuple(map(int, xyxy)), int(mask.sum())))
        classes[mask], confidence[mask] = 5, 191
    return Segmentation(
        frame.size_hw, 255, classes, confidence, parts.astype(np.uint16), tuple(segments)
    )

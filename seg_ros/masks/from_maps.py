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

"""The segmentation of a class map and an instance map, such as ground truth."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from seg_ros.core.card import ModelCard
from seg_ros.core.segmentation import Segment, Segmentation


def segmentation_from_maps(
    classes: NDArray[Any], instances: NDArray[Any], card: ModelCard
) -> Segmentation:
    """
    Make a segmentation of full confidence and scores from a class map and an instance map.

    :param classes: (H, W), uint8 or uint16 according to the card, card ids or unlabelled.
    :param instances: (H, W), instance ids below 65536, 0 = none. An instance has the class of its
        first pixel.
    """
    areas = np.bincount(instances.ravel(), minlength=1)
    segments = tuple(
        _segment(number, int(areas[number]), instances == number, classes)
        for number in np.flatnonzero(areas).tolist() if number
    )
    confidence = np.where(classes == card.unlabelled, 0, 255).astype(np.uint8)
    height, width = classes.shape
    return Segmentation(
        (height, width), card.unlabelled, classes, confidence, instances.astype(np.uint16),
        segments,
    )


def _segment(
    number: int, area: int, mask: NDArray[np.bool_], classes: NDArray[Any]
) -> Segment:
    x, y, width, height = cv2.boundingRect(mask.view(np.uint8))
    class_id = int(classes.flat[mask.argmax()])
    return Segment(number, class_id, 1.0, (x, y, x + width, y + height), area)

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

"""Ground truth as the segmentation that a perfect network would return."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from seg_ros.core.card import ModelCard
from seg_ros.core.segmentation import Segment, Segmentation


def truth_from_maps(
    classes: NDArray[Any], instances: NDArray[Any], card: ModelCard
) -> Segmentation:
    """
    Make a segmentation from a class map and an instance map.

    :param classes: (H, W), uint8 or uint16 according to the card, card ids or unlabelled.
    :param instances: (H, W), instance ids below 65536, 0 = none. An instance has the class of its
        first pixel.
    """
    flat = instances.ravel()
    areas = np.bincount(flat, minlength=1)
    class_of = np.zeros(len(areas), classes.dtype)
    class_of[flat[::-1]] = classes.ravel()[::-1]    # reversed, so that the first pixel wins
    segments = tuple(
        Segment(
            number, int(class_of[number]), 1.0, _xyxy(instances == number), int(areas[number])
        )
        for number in np.flatnonzero(areas).tolist() if number
    )
    confidence = np.where(classes == card.unlabelled, 0, 255).astype(np.uint8)
    height, width = classes.shape
    return Segmentation(
        (height, width), card.unlabelled, classes, confidence, instances.astype(np.uint16),
        segments,
    )


def _xyxy(mask: NDArray[np.bool_]) -> tuple[int, int, int, int]:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1

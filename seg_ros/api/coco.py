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

"""
Instances as COCO annotations.

Reference: cocodataset.org, "Data format", 1. Object detection, and "Results format".
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from seg_ros.core.segmentation import Segment


def coco_annotations(
    segments: Sequence[Segment], instances: NDArray[np.uint16], image_id: int
) -> list[dict[str, Any]]:
    """
    Return the annotations of one image's instances, in types that JSON can represent.

    :param instances: uint16 (H, W), segment ids.
    :returns: for each segment `category_id` (the card's class id), `bbox` (x, y, width, height),
        `segmentation` (uncompressed run lengths), `area`, `score` and `id`.
    """
    return [
        {
            'id': segment.id, 'image_id': image_id, 'category_id': segment.class_id,
            'bbox': [x0, y0, x1 - x0, y1 - y0], 'area': segment.area, 'score': segment.score,
            'iscrowd': 0, 'segmentation': run_lengths(np.asarray(instances == segment.id)),
        }
        for segment in segments
        for x0, y0, x1, y1 in [segment.xyxy]
    ]


def run_lengths(mask: NDArray[np.bool_]) -> dict[str, list[int]]:
    """
    Encode a mask as COCO run lengths: column by column, starting with a run of 0.

    :param mask: bool (H, W).
    """
    pixels = np.concatenate([[False], mask.ravel(order='F')])
    changes = np.flatnonzero(pixels[1:] != pixels[:-1])
    edges = np.concatenate([[0], changes, [mask.size]])
    return {'size': list(mask.shape), 'counts': np.diff(edges).tolist()}

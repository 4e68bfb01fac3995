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

"""Depth and masks of a floor with objects and a person."""

import numpy as np
from numpy.typing import NDArray
from seg_ros.core.segmentation import Segment, Segmentation
from seg_ros.depth.intrinsics import Intrinsics
from seg_ros.sim.classes import FLOOR, OBJECT, PERSON

SIZE_HW = (480, 640)
CAMERA = Intrinsics(525.0, 525.0, 319.5, 239.5, SIZE_HW)
PITCH, EYE_M = 0.5, 1.0     # downward pitch in radians, height above the floor in metres


def depth_scene() -> tuple[NDArray[np.uint16], Segmentation]:
    """
    Place 20 objects, which cover a sixth of the image, and a person on a floor.

    :returns: depth in millimetres, uint16 (H, W), 0 = none; masks.
    """
    random = np.random.default_rng(0)
    down = (np.arange(SIZE_HW[0]) - CAMERA.cy)[:, None] / CAMERA.fy
    with np.errstate(divide='ignore'):
        floor = EYE_M / (np.cos(PITCH) * down + np.sin(PITCH))
    metres = np.where((floor > 0) & (floor < 8), floor, 8.0) * np.ones((1, SIZE_HW[1]))
    ids, classes = np.zeros(SIZE_HW, np.uint16), np.full(SIZE_HW, FLOOR, np.uint8)
    boxes = [
        *((40 + 120 * (k % 5), 90 + 95 * (k // 5), 56, 48, OBJECT) for k in range(20)),
        (300, 0, 50, 300, PERSON),
    ]
    for number, (x, y, width, height, kind) in enumerate(boxes, 1):
        window = slice(y, y + height), slice(x, x + width)
        ids[window], classes[window] = number, kind
        metres[window] *= 0.9
    areas = np.bincount(ids.ravel()).tolist()
    segments = tuple(
        Segment(number, kind, 0.9, (x, y, x + width, y + height), areas[number])
        for number, (x, y, width, height, kind) in enumerate(boxes, 1)
    )
    raw = (1000 * metres + random.normal(0, 2, SIZE_HW)).astype(np.uint16)
    raw[random.random(SIZE_HW) < 0.02] = 0
    confidence = np.full(SIZE_HW, 200, np.uint8)
    return raw, Segmentation(SIZE_HW, 255, classes, confidence, ids, segments)

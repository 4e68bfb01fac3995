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

"""Edges: closed outlines are filled, except for holes that look like the background."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from seg_ros.core.frame import Pixels
from seg_ros.engines.classical.objects import (
    border_share,
    disc,
    Found,
    MIN_HOLE,
    objects_from_mask,
)
from seg_ros.engines.classical.otsu import otsu_level
from seg_ros.engines.classical.view import ClassicalView, MIN_CONTRAST

GAP = 7                # pixels; wider gaps leave an outline open
OPEN_BORDER = 0.03     # fraction of the image border; a region that touches more is not enclosed
FADE = 0.4             # Canny's lower threshold as a fraction of the upper one
SOBEL = 4              # response of Sobel's kernel to a step of one grey level


def edges(view: ClassicalView) -> Found:
    """
    Find objects that are enclosed by outlines.

    Edges divide the image into regions. Regions that touch the image border are outside; the
    others, with the edges between them, are objects.
    """
    slope = _slope(view.grey)
    level = max(otsu_level(slope), view.contrast_floor)
    lines = cv2.Canny(view.color, FADE * SOBEL * level, SOBEL * level)
    lines = cv2.morphologyEx(lines, cv2.MORPH_CLOSE, disc(GAP))
    # 4-connected, so that diagonal lines separate too; OpenCV 4.5.5's default algorithm crashes
    count, regions = cv2.connectedComponentsWithAlgorithm(
        (lines == 0).astype(np.uint8), 4, cv2.CV_32S, cv2.CCL_WU
    )
    outside = border_share(regions, count) > OPEN_BORDER
    outside[0] = False
    enclosed = (~outside).astype(np.uint8)[regions]
    objects = objects_from_mask(cv2.morphologyEx(enclosed, cv2.MORPH_OPEN, disc(GAP)))
    every_second = np.s_[::2, ::2]  # enough for mean colours
    hole = _holes(
        view.color[every_second], objects[every_second], regions[every_second], outside
    )
    objects[cv2.dilate(hole.astype(np.uint8)[regions], disc(3)) > 0] = 0
    return Found(objects, _probability(objects, slope, level))


def _slope(grey: Pixels) -> Pixels:
    """Return the gradient |dx| + |dy| as the height of an equal step, in grey levels."""
    across = np.abs(cv2.Sobel(grey, cv2.CV_16S, 1, 0))
    down = np.abs(cv2.Sobel(grey, cv2.CV_16S, 0, 1))
    return np.asarray(cv2.convertScaleAbs(across + down, alpha=1 / SOBEL), np.uint8)


def _holes(
    color: Pixels, objects: NDArray[Any], regions: NDArray[Any], outside: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """
    Return which regions inside an object have the mean colour of the object's surroundings.

    :param color: uint8 (H, W, 3).
    :param objects: int32 (H, W), numbers from 1, 0 = background.
    :param regions: int32 (H, W), regions between edges; 0 = edge.
    :param outside: bool, by region.
    :returns: bool, by region.
    """
    reach = cv2.dilate(objects.astype(np.uint16), np.ones((7, 7), np.uint8))
    ring = np.where((objects == 0) & outside[regions], reach, 0)
    around, _ = _means(color, ring, int(objects.max()) + 1)
    inside, area = _means(color, regions, outside.size)
    owner = np.zeros(outside.size, np.intp)
    owner[regions] = objects
    alike = np.abs(inside - around[owner]).max(1) < MIN_CONTRAST
    hole = alike & (owner > 0) & ~outside & (area >= MIN_HOLE * regions.size)
    hole[0] = False
    return np.asarray(hole, np.bool_)


def _means(
    color: Pixels, labels: NDArray[Any], count: int
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Return the mean colour (count, 3) and the area (count,) of each label."""
    flat = labels.ravel()
    area = np.bincount(flat, minlength=count)
    sums = [np.bincount(flat, plane.ravel(), minlength=count) for plane in cv2.split(color)]
    return np.stack(sums, 1) / np.maximum(area, 1)[:, None], area


def _probability(objects: NDArray[Any], slope: Pixels, level: float) -> Pixels:
    """
    Rate each object by the strength of the edges along its outline.

    :returns: uint8 (H, W); inside an object the mean edge strength along its outline, 0.5 at the
        edge threshold; outside half the edge strength at the pixel, at most 0.5.
    """
    strength = cv2.dilate(cv2.convertScaleAbs(slope, alpha=127.5 / level), disc(5))
    numbers = objects.astype(np.uint16)
    outline = np.where(cv2.erode(numbers, disc(3)) < numbers, objects, 0).ravel()
    count = int(objects.max()) + 1
    length = np.maximum(np.bincount(outline, minlength=count), 1)
    support = np.bincount(outline, strength.ravel(), minlength=count) / length
    inside = support.astype(np.uint8)[objects]
    return np.asarray(np.where(objects > 0, inside, strength // 2), np.uint8)

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

"""Adaptive threshold: every pixel is compared with the grey levels of nearby backgrounds."""

import cv2
import numpy as np
from seg_ros.core.frame import Pixels
from seg_ros.engines.classical.objects import Found, objects_from_mask
from seg_ros.engines.classical.otsu import otsu_level
from seg_ros.engines.classical.view import ClassicalView

WINDOW = 0.45      # side of the median window in image heights, at least twice that of objects
REACH = 0.2        # distance at which a nearby background still counts, in image heights
GROWTH = 0.6       # faint parts of an object exceed this fraction of the threshold
SHRINK = 4         # downscaling factor for the background, which is smooth


def adaptive(view: ClassicalView) -> Found:
    """
    Find objects that are brighter or darker than all backgrounds around them.

    The threshold on that difference is Otsu's, but never below the noise. An object consists of
    connected pixels above `GROWTH` times the threshold, at least one of them above the threshold.
    """
    excess = _excess(view.grey)
    level = max(otsu_level(excess), view.contrast_floor)
    faint = (excess > GROWTH * level).astype(np.uint8)
    count, parts = cv2.connectedComponents(faint)
    grown = np.zeros(count, np.uint8)
    grown[parts[excess > level]] = 1
    probability = cv2.convertScaleAbs(excess, alpha=127.5 / (GROWTH * level))
    return Found(objects_from_mask(grown[parts]), np.asarray(probability, np.uint8))


def _excess(grey: Pixels) -> Pixels:
    """
    Measure how far each pixel lies outside the range of the backgrounds around it.

    The background is the median of a window: unlike the mean, it is not affected by objects that
    fill less than half the window, so there are no halos around them. Because the range of all
    medians within `REACH` counts, a strip of road along a meadow is not taken for an object.

    :param grey: uint8 (H, W).
    :returns: uint8 (H, W), grey levels.
    """
    height, width = grey.shape
    small_hw = (height // SHRINK, width // SHRINK)
    small = cv2.resize(grey, small_hw[::-1], interpolation=cv2.INTER_AREA)
    median = cv2.medianBlur(small, _odd(WINDOW * small_hw[0]))
    reach = np.ones((_odd(2 * REACH * small_hw[0]),) * 2, np.uint8)
    low, high = (
        cv2.resize(cv2.blur(extreme, (9, 9)), (width, height), interpolation=cv2.INTER_LINEAR)
        for extreme in (cv2.erode(median, reach), cv2.dilate(median, reach))
    )
    return np.asarray(cv2.max(cv2.subtract(grey, high), cv2.subtract(low, grey)), np.uint8)


def _odd(size: float) -> int:
    return int(size) // 2 * 2 + 1

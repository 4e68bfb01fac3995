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

"""Otsu's threshold: one grey level that splits the image into two classes."""

import cv2
import numpy as np
from numpy.typing import NDArray
from seg_ros.core.frame import Pixels
from seg_ros.engines.classical.objects import border_share, Found, objects_from_mask
from seg_ros.engines.classical.view import ClassicalView


def otsu(view: ClassicalView) -> Found:
    """Find objects on the other side of Otsu's threshold than the image border."""
    mask, probability = foreground(view)
    return Found(objects_from_mask(mask), probability)


def otsu_level(grey: Pixels) -> int:
    """
    Return the level that maximises the variance between the two classes of an image.

    N. Otsu, A Threshold Selection Method from Gray-Level Histograms, 1979.

    :param grey: uint8 (H, W).
    :returns: the highest level of the darker class.
    """
    return int(cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)[0])


def foreground(view: ClassicalView) -> tuple[Pixels, Pixels]:
    """
    Split an image in two; the class that covers less of the border is the foreground.

    :returns: uint8 (H, W) mask, 0 or 1, and uint8 (H, W) probability of foreground: 0.5 at the
        threshold, certain beyond the mean of either class. Both are 0 if the contrast of the
        image is within the noise.
    """
    grey = view.grey
    if np.ptp(grey) < view.contrast_floor:
        return np.zeros_like(grey), np.zeros_like(grey)
    level = otsu_level(grey)
    mask = (grey > level).astype(np.uint8)
    table = _bright_table(grey, level)
    if border_share(mask, 2)[1] > 0.5:
        mask, table = 1 - mask, 255 - table
    return mask, table[grey]


def _bright_table(grey: Pixels, level: int) -> NDArray[np.uint8]:
    """Return the probability of the brighter class, 0 to 255, by grey level."""
    levels = np.arange(256)
    counts = np.bincount(grey.ravel(), minlength=256)
    dark, bright = np.split(counts, [level + 1])
    edge = level + 0.5
    dark_mean = (dark * levels[:level + 1]).sum() / max(1, dark.sum())
    bright_mean = (bright * levels[level + 1:]).sum() / max(1, bright.sum())
    spread = np.where(levels > level, bright_mean - edge, edge - dark_mean)
    table = np.clip(127.5 + 127.5 * (levels - edge) / spread, 0, 255)
    return np.asarray(table.round(), np.uint8)

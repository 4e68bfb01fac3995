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

"""Watershed: touching objects are separated at their necks."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from seg_ros.core.frame import Pixels
from seg_ros.engines.classical.objects import Found, objects_from_mask
from seg_ros.engines.classical.otsu import foreground
from seg_ros.engines.classical.view import ClassicalView

NECK = 0.65        # a neck narrower than this fraction of the slimmer body separates objects
MIN_RADIUS = 8     # pixels from a body's centre to its edge; slimmer objects are not split
SHRINK = 4         # downscaling factor of the image in which bodies are counted


def watershed(view: ClassicalView) -> Found:
    """
    Separate touching objects in Otsu's foreground.

    The distance map has a peak in the middle of every body. Markers on the peaks grow downhill
    until they meet, at the necks.
    """
    mask, probability = foreground(view)
    objects = objects_from_mask(mask)
    inside = (objects > 0).astype(np.uint8)
    distance = cv2.distanceTransform(inside, cv2.DIST_L2, cv2.DIST_MASK_5)
    markers = _markers(distance)
    has_peak = np.zeros(int(objects.max()) + 1, np.bool_)
    has_peak[objects[markers > 0]] = True
    whole = (objects > 0) & ~has_peak[objects]
    markers[whole] = objects[whole] + int(markers.max())
    return Found(_grown(markers, distance, inside), probability)


def _markers(distance: NDArray[Any]) -> NDArray[np.int32]:
    """
    Label the peaks of the distance map that a saddle separates from all higher ones.

    Greyscale reconstruction: the distances scaled by `NECK` are dilated under the distances
    themselves. A peak that keeps its own scaled height was not reached from a higher peak, so
    every path to a higher one passes through a neck.
    L. Vincent, Morphological Grayscale Reconstruction in Image Analysis, 1993.

    :param distance: float32 (H, W), to the background in pixels.
    :returns: int32 (H, W), numbers from 1, 0 where there is no peak.
    """
    height, width = distance.shape
    small_wh = (width // SHRINK, height // SHRINK)
    small = cv2.resize(distance, small_wh, interpolation=cv2.INTER_AREA)
    scaled = small * NECK
    spread = _reconstruction(scaled, small)
    tops = ((small > spread * 1.01) & (small > MIN_RADIUS)).astype(np.uint8)
    count, parts = cv2.connectedComponents(tops)
    apart = np.zeros(count, np.int32)
    apart[parts[(spread <= scaled) & (tops > 0)]] = 1
    apart *= np.cumsum(apart)
    peaks = apart.astype(np.uint16)[parts]
    markers = cv2.resize(peaks, (width, height), interpolation=cv2.INTER_NEAREST)
    return np.asarray(markers, np.int32)


def _reconstruction(seeds: NDArray[Any], limit: NDArray[Any]) -> NDArray[Any]:
    """Dilate `seeds` under `limit` until nothing changes."""
    neighbours = np.ones((3, 3), np.uint8)
    while True:
        spread = cv2.min(cv2.dilate(seeds, neighbours), limit)
        if np.array_equal(spread, seeds):
            return spread
        seeds = spread


def _grown(
    markers: NDArray[np.int32], distance: NDArray[Any], inside: Pixels
) -> NDArray[np.int32]:
    """
    Let the markers grow downhill over the foreground.

    :returns: int32 (H, W), numbers from 1, 0 = background.
    """
    basins = np.where(inside > 0, np.where(markers > 0, markers + 1, 0), 1).astype(np.int32)
    # cv2.watershed floods small steps between neighbours first, not low pixels: on a chequerboard
    # whose contrast is the depth below the highest peak, the steps are the depths.
    depth = (127 * (1 - distance / max(1.0, float(distance.max())))).astype(np.uint8)
    odd = np.indices(depth.shape).sum(0) % 2 > 0
    relief = np.where(odd, 128 + depth, 127 - depth).astype(np.uint8)
    cv2.watershed(cv2.merge([relief] * 3), basins)
    grown = np.maximum(basins - 1, 0)
    nearest = cv2.dilate(grown.astype(np.uint16), np.ones((3, 3), np.uint8))
    return np.asarray(np.where(basins < 0, nearest, grown) * inside, np.int32)

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

"""Static scene for SLAM and mapping: masks and depth without dynamic objects."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from seg_ros.depth.cells import (
    CELL_PX,
    marked_cells,
    nearest_around,
    nearest_in_cells,
    pixels_of_cells,
)
from seg_ros.depth.morphology import dilated
from seg_ros.depth.surfaces import surfaces

POOR_SHARE = 0.6    # a larger dynamic share makes SLAM lose track: see docs/closed_loop.md
_BEHIND = 1.1       # depth this many times an object's is that of the background behind it
_AROUND = 5         # cells around an object that its mask may cover too
_DEEP_M = 0.6       # extent of a person from the front to the back, arms included


class StaticScene:
    """
    Remembers where dynamic objects are, so that a missed detection does not expose them.

    The memory is in cells of 4 x 4 pixels. A cell stays dynamic until `hold_s` after its last
    detection, or until its depth shows that the object has gone, because it is now farther than
    the object was. Background that a mask covers around an object is not remembered.
    A surface of which more than half is dynamic is dynamic as a whole. This completes an object
    that is detected in part, and follows one that moves while it is missed. Masks and depth are
    combined in a similar way by MaskFusion (Ruenz, Buffier and Agapito 2018).
    Frames are from one camera, in the order of their stamps. A stamp that is not later than the
    previous one, as when a recording restarts, resets the state.
    """

    def __init__(self) -> None:
        self._stamp_ns = 0
        # For each cell, the time since its last detection, and the depth beyond which the object
        # has gone.
        self._age_s: NDArray[np.float32] = np.zeros((0, 0), np.float32)
        self._gone_m: NDArray[np.float32] = np.zeros((0, 0), np.float32)

    def reset(self) -> None:
        """Reset the state."""
        self._begin((0, 0), 0)

    def update(
        self, dynamic: NDArray[np.bool_], stamp_ns: int, dilate_px: int, hold_s: float,
        metres: NDArray[np.float32] | None = None,
    ) -> NDArray[np.bool_]:
        """
        Mark the pixels to leave out of a map.

        :param dynamic: bool (H, W), pixels whose class has the role `dynamic`.
        :param stamp_ns: the image's stamp.
        :param dilate_px: margin added to the mask; see `dilated`.
        :param hold_s: how long a cell stays dynamic after its last detection.
        :param metres: float32 (H, W), NaN = none; if None, only time decides.
        :returns: bool (H, W).
        """
        now = dilated(dynamic, dilate_px)
        if hold_s <= 0:
            self.reset()
            return now
        seen = marked_cells(dynamic)
        if self._age_s.shape != seen.shape or stamp_ns <= self._stamp_ns:
            self._begin(seen.shape, stamp_ns)
        self._age_s += np.float32((stamp_ns - self._stamp_ns) / 1e9)
        self._stamp_ns = stamp_ns
        nearest_m = np.full(seen.shape, np.inf, np.float32)
        if metres is not None:
            nearest_m = nearest_in_cells(metres)
            self._age_s[(nearest_m > self._gone_m) & (nearest_m < np.inf)] = np.inf
        self._remember(seen, nearest_m, hold_s)
        held = pixels_of_cells((self._age_s <= hold_s) & ~seen, dynamic.shape)
        # Cells extend up to 3 pixels beyond where the mask was.
        return np.asarray(now | dilated(held, max(0, dilate_px - CELL_PX + 1)))

    def _begin(self, shape: tuple[int, ...], stamp_ns: int) -> None:
        self._stamp_ns = stamp_ns
        self._age_s = np.full(shape, np.inf, np.float32)
        self._gone_m = np.full(shape, np.inf, np.float32)

    def _remember(
        self, seen: NDArray[np.bool_], nearest_m: NDArray[np.float32], hold_s: float
    ) -> None:
        """
        Add a detection to the memory.

        :param seen: bool (h, w), the cells of a mask.
        :param nearest_m: float32 (h, w), the least depth in each cell, infinity = none.
        """
        age_s = np.where(seen, np.float32(0), self._age_s)
        surface_s = _ages_of_surfaces(surfaces(nearest_m), age_s, hold_s)
        own = seen & _in_front(seen, nearest_m)
        self._age_s = np.minimum(np.where(own, age_s, self._age_s), surface_s)
        known = own | (surface_s < np.inf)
        self._gone_m[known] = _BEHIND * nearest_m[known]


def _in_front(
    seen: NDArray[np.bool_], nearest_m: NDArray[np.float32]
) -> NDArray[np.bool_]:
    """Mark the cells that are not behind the nearest part of a mask around them."""
    front_m = nearest_around(np.where(seen, nearest_m, np.float32(np.inf)), _AROUND)
    return np.asarray((nearest_m <= front_m + _DEEP_M) | (nearest_m == np.inf))


def _ages_of_surfaces(
    labels: NDArray[np.int32], age_s: NDArray[np.float32], hold_s: float
) -> NDArray[np.float32]:
    """
    Return the mean age of a surface's dynamic cells at each of its cells.

    :param labels: int32 (h, w), from `surfaces`.
    :param age_s: float32 (h, w); cells of at most `hold_s` are dynamic.
    :returns: float32 (h, w), infinity where not more than half of the surface is dynamic.
    """
    dynamic = age_s <= hold_s
    sizes = np.bincount(labels.ravel())
    counts = np.bincount(labels[dynamic], minlength=len(sizes))
    sums_s = np.bincount(labels[dynamic], age_s[dynamic], len(sizes))
    means_s = np.full(len(sizes), np.inf, np.float32)
    mostly = 2 * counts > sizes
    mostly[0] = False       # cells that are on no surface
    means_s[mostly] = sums_s[mostly] / counts[mostly]
    return means_s.take(labels)


def static_depth(raw: NDArray[Any], dynamic: NDArray[np.bool_]) -> NDArray[Any]:
    """
    Return depth of the same type with dynamic pixels set to 0, no depth.

    :param raw: uint16 or float32 (H, W).
    """
    # A product is faster than masked stores, but would keep NaN.
    if raw.dtype == np.uint16:
        return np.asarray(np.multiply(raw, ~dynamic, dtype=np.uint16))
    return np.where(dynamic, raw.dtype.type(0), raw)


def dynamic_share(dynamic: NDArray[np.bool_]) -> float:
    """Return the fraction of the image that is dynamic, 0 to 1."""
    return cv2.countNonZero(dynamic.view(np.uint8)) / dynamic.size

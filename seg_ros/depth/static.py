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
from seg_ros.depth.morphology import dilated, square
from seg_ros.depth.registration import has_depth

POOR_SHARE = 0.6    # a larger dynamic share makes SLAM lose track: see docs/closed_loop.md
_GONE = 1.1         # depth this many times the object's is that of the background behind it
_SPILL_PX = 3       # how far masks extend beyond an object's edge, onto the background
_NEVER = np.iinfo(np.int32).min
_SPAN_NS = 20 * 24 * 3600 * 10 ** 9     # milliseconds fit 32 bits within it; then the state resets


class StaticScene:
    """
    Holds where dynamic objects were for a while, so that a missed detection does not expose one.

    A pixel stays dynamic until `hold_s` after its last detection, or until its depth shows that
    the object has gone, because it is now farther than the object was.
    Frames are from one camera, in the order of their stamps. A stamp that is not later than the
    previous one, as when a recording restarts, resets the state.
    """

    def __init__(self) -> None:
        self._last_ms: NDArray[np.int32] = np.zeros((0, 0), np.int32)
        self._near: NDArray[np.float32] = np.zeros((0, 0), np.float32)
        self._first_ns = self._newest_ns = 0

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
        :param hold_s: how long a pixel stays marked after its last detection.
        :param metres: float32 (H, W), NaN = none; if None, only time decides.
        :returns: bool (H, W).
        """
        now = dilated(dynamic, dilate_px)
        if hold_s <= 0:
            self.reset()
            return now
        if (
            self._last_ms.shape != now.shape
            or not self._newest_ns < stamp_ns < self._first_ns + _SPAN_NS
        ):
            self._begin(now.shape, stamp_ns)
        self._newest_ns = stamp_ns
        last_ms, near = self._last_ms, self._near
        now_ms = (stamp_ns - self._first_ns) // 1_000_000
        if metres is not None:
            np.copyto(last_ms, np.int32(_NEVER), where=_gone(metres, near))
            x, y, width, height = cv2.boundingRect(now.view(np.uint8))
            part = slice(y, y + height), slice(x, x + width)    # the rest is not dynamic
            if width:
                found = _gone_beyond(dynamic[part], metres[part], dilate_px)
                np.copyto(near[part], found, where=now[part])
        np.copyto(last_ms, np.int32(now_ms), where=now)
        return np.asarray(last_ms >= now_ms - round(1000 * hold_s))

    def _begin(self, shape: tuple[int, ...], stamp_ns: int) -> None:
        self._first_ns = self._newest_ns = stamp_ns
        self._last_ms = np.full(shape, _NEVER, np.int32)
        self._near = np.full(shape, np.nan, np.float32)


def _gone(metres: NDArray[np.float32], near: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Mark pixels farther than `near`, in areas of at least 3 x 3; smaller ones are noise."""
    # Comparisons with NaN are false: without depth, only time decides. Holes count as part of an
    # area, but are not marked.
    farther = metres > near
    piece = (farther | ~has_depth(metres)).view(np.uint8)
    opened = cv2.morphologyEx(piece, cv2.MORPH_OPEN, square(1))
    return np.asarray(opened).view(bool) & farther


def _gone_beyond(
    dynamic: NDArray[np.bool_], metres: NDArray[np.float32], dilate_px: int
) -> NDArray[np.float32]:
    """
    Return the depth beyond which the object has gone, NaN if no part of it is near.

    Inside the mask, it follows from the pixel's own depth; at the mask's edge and in its margin,
    from the farthest part of the object nearby, since depth there may be the background's.
    """
    core = cv2.erode(dynamic.view(np.uint8), square(_SPILL_PX)).view(bool)
    own = np.where(core & (metres > 0), metres * np.float32(_GONE), np.float32(0))
    near_by = np.asarray(cv2.dilate(own, square(dilate_px + _SPILL_PX)))
    beyond = np.where(own > 0, own, near_by)
    beyond[beyond == 0] = np.nan
    return beyond


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

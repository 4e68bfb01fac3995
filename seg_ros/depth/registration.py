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

"""Depth as cameras publish it, resampled to the image's pixels and converted to metres."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from seg_ros.core.errors import ImageError

# The two encodings of REP 118: 16UC1 in millimetres, 32FC1 in metres.
ENCODING_OF_TYPE = {'uint16': '16UC1', 'float32': '32FC1'}
_ASPECT_TOLERANCE = 0.01    # 848 x 480 and 640 x 360 differ by 0.6 %
_MAX_MEDIAN_M = 100.0       # a larger median means that 32FC1 depth is in millimetres
_MIN_FARTHEST_MM = 50       # a smaller maximum means that 16UC1 depth is in metres


@dataclass(frozen=True, eq=False)
class RegisteredDepth:
    """
    Depth along the optical axis at every pixel of the image.

    :param raw: depth as published: uint16 (H, W) in millimetres, 0 = none, or float32 (H, W) in
        metres, anything but a positive finite number = none.
    :param max_m: maximum range; farther pixels have no depth in `metres`.
    """

    raw: NDArray[Any]
    max_m: float

    @property
    def encoding(self) -> str:
        """Return the ROS encoding of `raw`."""
        return ENCODING_OF_TYPE[self.raw.dtype.name]

    @property
    def nearest_m(self) -> float:
        """Return the minimum depth in every fourth row and column, or infinity without any."""
        some = self.raw[::4, ::4].astype(np.float32)
        measured = some[(some > 0) & np.isfinite(some)]
        scale = 0.001 if self.raw.dtype == np.uint16 else 1.0
        return scale * float(measured.min()) if measured.size else np.inf

    @cached_property
    def metres(self) -> NDArray[np.float32]:
        """Return depth in metres, float32 (H, W), NaN where there is none."""
        if self.raw.dtype == np.uint16:
            metres = np.multiply(self.raw, np.float32(0.001), dtype=np.float32)
        else:
            metres = np.array(self.raw, np.float32)
        # Written so that NaN is out of range too.
        np.copyto(metres, np.float32(np.nan), where=~((metres > 0) & (metres <= self.max_m)))
        return np.asarray(metres)


def registered_depth(
    depth: NDArray[Any], size_hw: tuple[int, int], max_m: float
) -> RegisteredDepth:
    """
    Resample a depth image to the size of its colour image, by nearest neighbour.

    Interpolation would invent points between two surfaces.

    :param depth: (h, w), uint16 in millimetres or float32 in metres, with the image's field of
        view.
    :param size_hw: height and width of the image.
    :param max_m: maximum range in metres; farther pixels count as no depth.
    :raises ImageError: if its type or aspect ratio is wrong, it has no depth at all, or its values
        appear to be in the wrong unit.
    """
    if depth.dtype.name not in ENCODING_OF_TYPE or depth.ndim != 2:
        raise ImageError(
            f'depth of type {depth.dtype} and shape {depth.shape}',
            '16UC1 in millimetres or 32FC1 in metres', "set the depth driver's encoding",
        )
    check_aspect(depth.shape, size_hw)
    _check_values(depth)
    if depth.shape != size_hw:
        depth = _nearest(depth, size_hw)
    return RegisteredDepth(np.ascontiguousarray(depth, depth.dtype.newbyteorder('=')), max_m)


def check_aspect(depth_hw: tuple[int, ...], size_hw: tuple[int, int]) -> None:
    """
    Check that depth can have the image's field of view.

    :raises ImageError: if the aspect ratios differ, or one side is equal and the other is not.
    """
    down, across = depth_hw[0] / size_hw[0], depth_hw[1] / size_hw[1]
    one_side = (down == 1) != (across == 1)     # cropped, not resized
    if not min(depth_hw) or one_side or abs(down / across - 1) > _ASPECT_TOLERANCE:
        raise ImageError(
            f'depth of {depth_hw[1]} x {depth_hw[0]} for an image of {size_hw[1]} x {size_hw[0]}',
            'the same field of view, so the same aspect',
            'subscribe to depth that is registered (aligned) to the colour image',
        )


def _check_values(depth: NDArray[Any]) -> None:
    measured = depth > 0
    if depth.dtype.kind == 'f':
        measured &= depth < np.inf
    if not measured.any():
        raise ImageError(
            f'a depth image of {depth.shape[1]} x {depth.shape[0]} without any depth',
            'a positive distance somewhere', 'check the depth sensor, its emitter and its range',
        )
    if depth.dtype.kind == 'u':
        farthest = int(depth.max())
        if farthest < _MIN_FARTHEST_MM:
            raise ImageError(
                f'16UC1 depth of {farthest} at most', 'millimetres (REP 118)',
                'these look like metres: publish them as 32FC1, or multiply by 1000',
            )
        return
    every = (slice(None, None, 4), slice(None, None, 4))
    median = float(np.median(depth[every][measured[every]])) if measured[every].any() else 0.0
    if median > _MAX_MEDIAN_M:
        raise ImageError(
            f'32FC1 depth with a median of {median:.0f}', 'metres (REP 118)',
            'these look like millimetres: publish them as 16UC1, or divide by 1000',
        )


def _nearest(depth: NDArray[Any], size_hw: tuple[int, int]) -> NDArray[Any]:
    """Take, for every pixel of the image, the depth pixel that contains its centre."""
    rows, columns = (
        ((np.arange(size) + 0.5) * (given / size)).astype(np.intp)
        for size, given in zip(size_hw, depth.shape, strict=True)
    )
    return np.asarray(depth.take(rows, axis=0).take(columns, axis=1))


def has_depth(metres: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Mark pixels with depth; NaN is unequal to itself, which is the fastest test."""
    return np.asarray(cv2.compare(metres, metres, cv2.CMP_EQ)).view(bool)

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

"""A laser scan from an image: the nearest obstacle at every bearing."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from seg_ros.depth.ground import base_from_plane, GroundSegmentation
from seg_ros.depth.intrinsics import Intrinsics
from seg_ros.depth.registration import has_depth

_BLIND_PX = 9       # side of the smallest blind area; smaller ones are the sensor's holes
_CLOSER = 0.9       # a blind pixel is before an obstacle if nearer than this fraction of its range


@dataclass(frozen=True, eq=False)
class Scan:
    """
    Ranges by bearing in the camera's ground-projected frame (x ahead, y left).

    :param angle_min: bearing of the first range, radians, counter-clockwise from x.
    :param angle_increment: between consecutive ranges, radians.
    :param ranges_m: float32 (B,), distance of the nearest obstacle, +inf if there is none within
        the range of depth, NaN if unknown (REP 117).
    """

    angle_min: float
    angle_increment: float
    ranges_m: NDArray[np.float32]


def laser_scan(ground: GroundSegmentation, bearings: int = 160) -> Scan:
    """
    Reduce the obstacles of an image to a scan.

    A bearing is NaN without any depth, or where a blind area (`GroundSegmentation.blind`) lies
    beyond the first pixel with depth and before the nearest obstacle: it may hide an obstacle, and
    whatever is seen behind it may be seen through glass. Small blind areas are ignored, since
    every depth image has holes. So are those nearer than all depth: mostly the robot itself, too
    near to be measured.

    :param ground: e.g. of every second pixel of a VGA image.
    :param bearings: number of ranges over the image's width, at most one for two columns, so that
        each has pixels of every row.
    """
    bearings = max(1, min(bearings, ground.camera.size_hw[1] // 2))
    transform = base_from_plane(ground.plane)
    low, high = _bearing_limits(transform, ground.camera)
    step = (high - low) / bearings
    x, y = (ground.camera.ray_along(axis) for axis in transform[:2, :3])
    slants, angles = (np.asarray(each, np.float32) for each in cv2.cartToPolar(x, y))
    bins = _indexes(angles, low, step, bearings).reshape(-1)
    lengths = (ground.reached_m * slants).reshape(-1)

    def nearest(pixels: NDArray[np.intp]) -> NDArray[np.float32]:
        return _nearest(bins.take(pixels), lengths.take(pixels), bearings)

    seen = np.flatnonzero(has_depth(ground.metres))
    ranges = nearest(np.flatnonzero(ground.obstacle))
    unseen = np.bincount(bins.take(seen), minlength=bearings) == 0
    blind = np.flatnonzero(_in_areas(ground.blind))
    if blind.size:
        first = nearest(seen).take(bins.take(blind))
        beyond = blind[first < np.float32(_CLOSER) * lengths.take(blind)]
        unseen |= nearest(beyond) < np.float32(_CLOSER) * ranges
    ranges[unseen] = np.nan
    # `max_m` limits depth along the optical axis, and here also ranges along the ground.
    ranges[ranges > ground.max_m] = np.inf
    return Scan(low + step / 2, step, ranges)


def _nearest(
    bins: NDArray[np.uint16], lengths: NDArray[np.float32], count: int
) -> NDArray[np.float32]:
    """Return the minimum length in each bin, infinity if the bin is empty."""
    # numpy has a fast radix sort for 16 bits.
    order = np.argsort(bins, kind='stable')
    bins, lengths = bins[order], lengths[order]
    ranges = np.full(count, np.inf, np.float32)
    first = np.flatnonzero(np.diff(bins, prepend=np.uint16(65535)))
    if first.size:
        ranges[bins[first]] = np.minimum.reduceat(lengths, first)
    return ranges


def _in_areas(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Mark the pixels that are part of a square of `_BLIND_PX` marked pixels, bool (H, W)."""
    window = np.ones((_BLIND_PX, _BLIND_PX), np.uint8)
    return np.asarray(cv2.morphologyEx(mask.view(np.uint8), cv2.MORPH_OPEN, window)).view(bool)


def _bearing_limits(transform: NDArray[np.float64], camera: Intrinsics) -> tuple[float, float]:
    """Return the rightmost and leftmost bearing: a full turn if the vertical is in view."""
    (height, width), vertical = camera.size_hw, transform[2, :3]
    left, right, top, bottom = -0.5, width - 0.5, -0.5, height - 0.5
    if vertical[2]:     # either up or down is in front of the camera
        column = camera.fx * vertical[0] / vertical[2] + camera.cx
        row = camera.fy * vertical[1] / vertical[2] + camera.cy
        if left <= column <= right and top <= row <= bottom:
            return -np.pi, np.pi
    corners = np.array([
        ((column - camera.cx) / camera.fx, (row - camera.cy) / camera.fy, 1.0)
        for column in (left, right) for row in (top, bottom)
    ])
    seen = corners @ transform[:2, :3].T
    angles = np.arctan2(seen[:, 1], seen[:, 0])
    return float(angles.min()), float(angles.max())


def _indexes(
    angles: NDArray[np.float32], low: float, step: float, count: int
) -> NDArray[np.uint16]:
    angles = np.where(angles > np.pi, angles - np.float32(2 * np.pi), angles)
    index = (angles - np.float32(low)) * np.float32(1 / step)
    return np.asarray(np.clip(index, 0, count - 1), np.uint16)

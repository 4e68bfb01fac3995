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

"""A laser scan out of an image: the nearest obstacle at every bearing."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from seg_ros.depth.ground import base_from_plane, Ground
from seg_ros.depth.intrinsics import Intrinsics
from seg_ros.depth.registration import has_depth


@dataclass(frozen=True, eq=False)
class Scan:
    """
    Ranges by bearing in the camera's ground-projected frame (x ahead, y left).

    :param angle_min: of the first range, radians, counter-clockwise from x.
    :param angle_increment: from one range to the next.
    :param ranges_m: float32 (B,): the nearest obstacle, +inf where there is none, NaN where the
        camera sees nothing (REP 117).
    """

    angle_min: float
    angle_increment: float
    ranges_m: NDArray[np.float32]


def laser_scan(ground: Ground, bearings: int = 160) -> Scan:
    """
    Reduce the obstacles of an image to a scan.

    :param ground: of every second pixel of a VGA image, say.
    :param bearings: how many the scan has over the image's width.
    """
    transform = base_from_plane(ground.plane)
    low, high = _view(transform, ground.camera)
    step = (high - low) / bearings
    across, down = ground.camera.slopes_xy
    rows = transform[:2, :3].astype(np.float32)
    x, y = (row[0] * across + (row[1] * down + row[2]) for row in rows)
    slants, angles = cv2.cartToPolar(x, y)
    index = _indexes(np.asarray(angles, np.float32), low, step, bearings).reshape(-1)
    seen, hit = np.flatnonzero(has_depth(ground.metres)), np.flatnonzero(ground.obstacle)
    counts = np.bincount(index.take(seen), minlength=bearings)
    ranges = np.where(counts > 0, np.float32(np.inf), np.float32(np.nan))
    bins = index.take(hit)
    lengths = ground.metres.take(hit) * np.asarray(slants).take(hit)
    # Sorted by bearing: 16 bits are sorted by counting.
    order = np.argsort(bins, kind='stable')
    bins, lengths = bins[order], lengths[order]
    first = np.flatnonzero(np.diff(bins, prepend=np.uint16(65535)))
    if first.size:
        ranges[bins[first]] = np.minimum.reduceat(lengths, first)
    return Scan(low + step / 2, step, ranges.astype(np.float32))


def _view(transform: NDArray[np.float64], camera: Intrinsics) -> tuple[float, float]:
    """Return the rightmost and the leftmost bearing of the image's corners."""
    across, down = camera.slopes_xy
    corners = np.array([
        (x, y, 1.0) for x in across[0, [0, -1]] for y in (down[0, 0], down[-1, 0])
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

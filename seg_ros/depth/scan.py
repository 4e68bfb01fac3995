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

_SEVERAL = 2        # blind pixels of a bearing; a single one may be noise
_SHARE = 0.02       # of a bearing's pixels, on average, where that is more
_NEARER = 0.9       # of an obstacle's range: the row below its foot is often blind


@dataclass(frozen=True, eq=False)
class Scan:
    """
    Ranges by bearing in the camera's ground-projected frame (x ahead, y left).

    :param angle_min: of the first range, radians, counter-clockwise from x.
    :param angle_increment: from one range to the next.
    :param ranges_m: float32 (B,): the nearest obstacle, +inf where there is none within the range
        of depth, NaN where the camera sees nothing (REP 117).
    """

    angle_min: float
    angle_increment: float
    ranges_m: NDArray[np.float32]


def laser_scan(ground: Ground, bearings: int = 160) -> Scan:
    """
    Reduce the obstacles of an image to a scan.

    A bearing is NaN where several of its pixels are blind (`Ground.blind`) beyond the first that
    has depth and before the nearest obstacle: what stands there, if anything, was not seen.
    Blind pixels before all that has depth are most often the robot's own, too near for depth.

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
    pixels = _Pixels(
        _indexes(np.asarray(angles, np.float32), low, step, bearings).reshape(-1),
        np.asarray(slants), ground.reached_m, bearings,
    )
    seen = np.flatnonzero(has_depth(ground.metres))
    nearest = pixels.nearest(np.flatnonzero(ground.obstacle))
    ranges = np.where(pixels.counts(seen) > 0, nearest, np.float32(np.nan))
    ranges[_unseen(pixels, nearest, seen, ground.blind)] = np.nan
    # Depth ends at a distance along the optical axis, ranges do at the same one along the ground.
    ranges[ranges > ground.max_m] = np.inf
    return Scan(low + step / 2, step, ranges)


@dataclass(frozen=True, eq=False)
class _Pixels:
    """Pixels by their flat index: in which bearing they are, and how far along the ground."""

    bearing: NDArray[np.uint16]
    slants: NDArray[np.float32]     # metres along the ground for each along the optical axis
    metres: NDArray[np.float32]
    bearings: int

    def ranges_m(self, chosen: NDArray[np.intp]) -> NDArray[np.float32]:
        return np.asarray(self.metres.take(chosen) * self.slants.take(chosen))

    def counts(self, chosen: NDArray[np.intp]) -> NDArray[np.intp]:
        return np.bincount(self.bearing.take(chosen), minlength=self.bearings)

    def nearest(self, chosen: NDArray[np.intp]) -> NDArray[np.float32]:
        """Return the least range a bearing, infinity where it has none."""
        bins = self.bearing.take(chosen)
        # Sorted by bearing: 16 bits are sorted by counting.
        order = np.argsort(bins, kind='stable')
        bins, lengths = bins[order], self.ranges_m(chosen)[order]
        ranges = np.full(self.bearings, np.inf, np.float32)
        first = np.flatnonzero(np.diff(bins, prepend=np.uint16(65535)))
        if first.size:
            ranges[bins[first]] = np.minimum.reduceat(lengths, first)
        return ranges


def _unseen(
    pixels: _Pixels, nearest: NDArray[np.float32], seen: NDArray[np.intp],
    blind: NDArray[np.intp],
) -> NDArray[np.bool_]:
    """Mark bearings whose nearest obstacle may not be the nearest."""
    before = pixels.ranges_m(blind) < np.float32(_NEARER) * nearest[pixels.bearing.take(blind)]
    blind = blind[before]
    several = max(_SEVERAL, _SHARE * pixels.metres.size / pixels.bearings)
    concerned = pixels.counts(blind) >= several
    if not concerned.any():
        return concerned
    first = pixels.nearest(seen[concerned[pixels.bearing.take(seen)]])
    beyond = pixels.ranges_m(blind) > first[pixels.bearing.take(blind)]
    unseen = pixels.counts(blind[beyond]) >= several
    # In small images a bearing may lie between two columns of pixels.
    beside = np.zeros_like(unseen)
    beside[1:] |= unseen[:-1]
    beside[:-1] |= unseen[1:]
    return unseen | (beside & np.isinf(nearest))


def _view(transform: NDArray[np.float64], camera: Intrinsics) -> tuple[float, float]:
    """Return the rightmost and the leftmost bearing: a whole turn where it sees its own foot."""
    (height, width), vertical = camera.size_hw, transform[2, :3]
    left, right, top, bottom = -0.5, width - 0.5, -0.5, height - 0.5
    if vertical[2]:     # of two directions, up and down, one is before the camera
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

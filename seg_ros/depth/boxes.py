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

"""Oriented boxes around the visible points of objects, for all objects of an image at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray
from seg_ros.depth.planes import Plane
from seg_ros.depth.rim import Rim

Vector: TypeAlias = NDArray[np.float64]
Points: TypeAlias = NDArray[Any]
Margin: TypeAlias = float | Vector

SAMPLES = 128           # points per object used to measure its box
_TRIM = 0.008           # fraction of points at each end of an extent that may be noise
_PLANE_SLACK_M = 0.01   # noise: an object may reach this far below its plane, or
_PLANE_SLACK = 0.02     # this fraction of its distance, whichever is more
_STEEP_COS = 0.94       # cosine of 20 degrees; steeper views do not show an object's sides


@dataclass(frozen=True, eq=False)
class OrientedBox:
    """
    A box in the optical frame.

    :param centre: float64 (3,), metres.
    :param axes: float64 (3, 3), right-handed unit vectors as rows; the last axis of an upright
        box points up.
    :param size_m: float64 (3,), extents along the axes.
    """

    centre: Vector
    axes: NDArray[np.float64]
    size_m: Vector

    @property
    def corners(self) -> NDArray[np.float64]:
        """Return the eight corners, float64 (8, 3)."""
        signs = np.array(np.meshgrid([-1, 1], [-1, 1], [-1, 1])).reshape(3, -1).T
        return np.asarray(self.centre + (signs * self.size_m / 2) @ self.axes)


def planes_below(points: Points, planes: Sequence[Plane]) -> NDArray[np.intp]:
    """
    Choose for each object the nearest plane below its lowest point.

    :param points: (K, S, 3), as in `upright_boxes`.
    :param planes: the first one wins a tie; if all are above an object, the lowest is chosen.
    :returns: indexes of planes, (K,).
    """
    points = _columns(points)
    lows = np.stack([
        _extents((plane.normal @ points)[:, None])[0][:, 0] + plane.offset_m for plane in planes
    ])
    slack = _slack(points)
    # Planes above an object rank after all planes below it.
    gaps = np.where(lows > -slack, np.maximum(lows - slack, 0), 1e6 - lows)
    return np.asarray(gaps.argmin(axis=0))


def upright_boxes(points: Points, plane: Plane, margin: Margin = 0.0) -> list[OrientedBox]:
    """
    Return upright boxes on a plane, with the smallest rectangle around each footprint.

    Objects hide their own base, so a box is extended down to the plane, or to the top of the box
    below its centre. It ends at its lowest visible point instead if it is below the plane, or if
    it hangs: it is seen from the side and the gap below it is longer than its footprint.

    :param points: (K, S, 3), S points of each of K objects in the optical frame.
    :param margin: width that erosion removed from each edge, as a fraction of the distance (pixels
        / focal length), one for all objects or one each; the footprint grows by it.
    """
    points = _columns(points)
    basis = plane.basis(np.array([0.0, 0.0, 1.0]))
    flat = basis[:2] @ points
    along = _principal(flat) @ flat
    low, high = _extents(along)
    slack = _TRIM * (high - low) + 1e-9
    kept = (along >= (low - slack)[..., None]) & (along <= (high + slack)[..., None])
    marks = np.logical_and.reduce(kept, axis=1)
    turns = np.array([
        _smallest_rectangle(each[:, inside]) for each, inside in zip(flat, marks, strict=True)
    ])
    axes = np.repeat(basis[None], len(points), axis=0)
    axes[:, :2] = turns @ basis[:2]
    low, high = _extents(axes @ points)
    slack, size = _slack(points), high - low
    base = np.maximum(-plane.offset_m, _tops_below(low, high, axes, slack))
    gap = low[:, 2] - base
    stands = (gap < size[:, :2].max(axis=1)) | (_view_direction(axes, points)[:, 2] < -_STEEP_COS)
    stands &= gap > -np.minimum(slack, size[:, 2] / 2)
    low[stands, 2] = base[stands]
    below, above = _footprint_growth(axes, points, (high - low)[:, 2], margin)
    low[:, :2] -= below
    high[:, :2] += above
    return _boxes(low, high, axes)


def _tops_below(
    low: NDArray[np.float64], high: NDArray[np.float64], axes: NDArray[np.float64], slack: Vector
) -> Vector:
    """Return the top of the highest box below each box's centre, (K,), -infinity if none."""
    middles = np.einsum('ki,kij->kj', (low + high) / 2, axes)
    along = np.einsum('aij,bj->abi', axes[:, :2], middles)
    below = ((along > low[:, None, :2]) & (along < high[:, None, :2])).all(axis=2)
    tops = high[:, 2][:, None]
    below &= tops < low[:, 2] + slack
    np.fill_diagonal(below, False)
    return np.asarray(np.where(below, tops, -np.inf).max(axis=0))


def free_boxes(points: Points, margin: Margin = 0.0) -> list[OrientedBox]:
    """
    Return boxes along the principal axes of the visible points, for objects without a plane.

    :param points: (K, S, 3), as in `upright_boxes`; so is `margin`.
    """
    points = _columns(points)
    axes = _principal(points)
    axes[:, 2] = np.cross(axes[:, 0], axes[:, 1])
    low, high = _extents(axes @ points)
    grown = _growth(axes, points, margin)
    return _boxes(low - grown, high + grown, axes)


def quaternion_xyzw(axes: NDArray[np.float64]) -> tuple[float, float, float, float]:
    """
    Convert a box's axes to the quaternion that rotates the box frame to the optical frame.

    Uses the eigenvector method of Bar-Itzhack (2000), which is well-conditioned everywhere.

    :param axes: right-handed unit vectors as rows.
    """
    r = np.asarray(axes, np.float64).T
    k = np.array([
        [r[0, 0] - r[1, 1] - r[2, 2], 0, 0, 0],
        [r[0, 1] + r[1, 0], r[1, 1] - r[0, 0] - r[2, 2], 0, 0],
        [r[0, 2] + r[2, 0], r[1, 2] + r[2, 1], r[2, 2] - r[0, 0] - r[1, 1], 0],
        [r[2, 1] - r[1, 2], r[0, 2] - r[2, 0], r[1, 0] - r[0, 1], r.trace()],
    ])
    x, y, z, w = np.linalg.eigh(k)[1][:, -1].tolist()
    return (x, y, z, w) if w >= 0 else (-x, -y, -z, -w)


def _columns(points: Points) -> NDArray[np.float64]:
    """Return points (K, S, 3) as (K, 3, S), so that each coordinate is contiguous in memory."""
    return np.ascontiguousarray(np.swapaxes(points, 1, 2), np.float64)


def _principal(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the principal axes of (K, D, S) points as rows (K, D, D), the widest first."""
    centred = points - points.mean(axis=2, keepdims=True)
    spread = np.linalg.eigh(centred @ np.swapaxes(centred, 1, 2))[1]
    return np.ascontiguousarray(np.swapaxes(spread, 1, 2)[:, ::-1])


def _smallest_rectangle(flat: NDArray[np.float64]) -> tuple[tuple[float, float], ...]:
    """Return the side directions of the smallest rectangle around (2, N) points."""
    turn = np.deg2rad(cv2.minAreaRect(np.ascontiguousarray(flat.T, np.float32))[2])
    cos, sin = float(np.cos(turn)), float(np.sin(turn))
    return (cos, sin), (-sin, cos)


def _extents(along: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """
    Return trimmed extents, corrected for the width that trimming removes from uniform points.

    :param along: (K, D, S).
    :returns: lower and upper ends, (K, D) each.
    """
    count = along.shape[2]
    cut = int(_TRIM * count)
    ordered = np.sort(along, axis=2)
    low, high = ordered[..., cut], ordered[..., count - 1 - cut]
    wider = (high - low) * cut / (count - 2 * cut)
    return low - wider, high + wider


def _distances(points: NDArray[np.float64]) -> Vector:
    """Return the distance of each object's mean point, (K,)."""
    return np.asarray(np.linalg.norm(points.mean(axis=2), axis=1))


def _slack(points: NDArray[np.float64]) -> Vector:
    """Return how far below their plane points (K, 3, S) may lie because of noise, (K,)."""
    return np.asarray(np.maximum(_PLANE_SLACK_M, _PLANE_SLACK * _distances(points)))


def _view_direction(axes: NDArray[np.float64], points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the viewing direction of each object in the frame of its axes, (K, 3)."""
    directions = points.mean(axis=2) / _distances(points)[:, None]
    return np.asarray(np.einsum('kij,kj->ki', axes, directions))


def _footprint_growth(
    axes: NDArray[np.float64], points: NDArray[np.float64], heights: Vector, margin: Margin
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """
    Return how much upright boxes must grow to undo the erosion of their masks.

    :param heights: heights of the boxes, (K,).
    :returns: growth at the lower and upper ends of the first two axes, (K, 2) each.
    """
    rim = Rim.of(_view_direction(axes, points).T, heights, margin * _distances(points))
    ends = [rim.ends_m(direction) for direction in np.eye(2)]
    below, above = np.swapaxes(ends, 0, 1)
    return below.T, above.T


def _growth(
    axes: NDArray[np.float64], points: NDArray[np.float64], margin: Margin
) -> NDArray[np.float64]:
    """Return the growth that undoes erosion, which acts only across the line of sight."""
    across = np.sqrt(np.clip(1 - _view_direction(axes, points) ** 2, 0, 1))
    return np.asarray((margin * _distances(points))[:, None] * across)


def _boxes(
    low: NDArray[np.float64], high: NDArray[np.float64], axes: NDArray[np.float64]
) -> list[OrientedBox]:
    centres = np.einsum('ki,kij->kj', (low + high) / 2, axes)
    return [OrientedBox(*parts) for parts in zip(centres, axes, high - low, strict=True)]

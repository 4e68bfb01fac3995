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

"""Robust plane fitting to noisy points with many outliers."""

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Points: TypeAlias = NDArray[Any]    # (N, 3), float32 or float64, metres

SAMPLES = 512       # maximum points used by a fit
UP_OF_LEVEL_CAMERA = np.array([0.0, -1.0, 0.0])     # in its optical frame
MAX_TILT_RAD = 0.8  # between up and the normal of a level plane
_ROUNDS = 3         # of least squares on the inliers
# Positions of each trial's three points, as fractions of the sample's length. With 40 % inliers,
# all 64 trials miss the plane in one of 70 fits.
_TRIALS = np.random.default_rng(0).random((64, 3))


@dataclass(frozen=True, eq=False)
class Plane:
    """
    All points p with normal . p + offset_m = 0.

    :param normal: float64 (3,), unit vector.
    :param offset_m: signed distance of the frame's origin from the plane, along `normal`.
    """

    normal: NDArray[np.float64]
    offset_m: float

    def height_m(self, points: Points) -> NDArray[Any]:
        """Return the signed distance of points (..., 3) above the plane, metres (...)."""
        kind = points.dtype
        return np.asarray(points @ self.normal.astype(kind) + kind.type(self.offset_m))

    def basis(self, ahead: NDArray[np.float64]) -> NDArray[np.float64]:
        """
        Return three unit vectors as rows: `ahead` projected onto the plane, its left, the normal.

        :param ahead: float64 (3,); if parallel to the normal, an arbitrary direction is used.
        """
        flat = self._projected(ahead)
        if np.linalg.norm(flat) < 1e-6:
            flat = self._projected(np.roll(self.normal, 1))
        flat = flat / np.linalg.norm(flat)
        return np.stack([flat, np.cross(self.normal, flat), self.normal])

    def _projected(self, direction: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(direction - (direction @ self.normal) * self.normal)


def fit_plane(
    points: Points,
    tolerance_m: float = 0.01,
    up: NDArray[np.float64] | None = None,
    max_tilt_rad: float = MAX_TILT_RAD,
) -> Plane | None:
    """
    Fit the plane that most points lie on.

    Uses RANSAC (Fischler and Bolles 1981): the plane with the most inliers among those through
    random triples, refined by least squares on its inliers.

    :param points: (N, 3) in the optical frame, finite.
    :param tolerance_m: maximum distance of an inlier from the plane.
    :param up: float64 (3,), if the plane must be level: a normal of it points up or down.
    :param max_tilt_rad: maximum angle between `up` and that normal.
    :returns: with the frame's origin, the camera, above it; None if no plane has a fifth of the
        points as inliers.
    """
    if len(points) < 3:
        return None
    # Evenly spaced indexes: points in pixel order are then spread over the image.
    chosen = np.linspace(0, len(points) - 1, min(SAMPLES, len(points))).astype(np.intp)
    sample = np.asarray(points[chosen], np.float64)
    candidates = _candidates(sample, up, max_tilt_rad)
    if candidates is None:
        return None
    normals, offsets = candidates
    near_it = np.abs(normals @ sample.T + offsets[:, None]) < tolerance_m
    counts = np.count_nonzero(near_it, axis=1)
    best = int(counts.argmax())
    normal, offset = normals[best], float(offsets[best])
    for _ in range(_ROUNDS):
        close = sample[np.abs(sample @ normal + offset) < tolerance_m]
        if len(close) < max(3, len(sample) // 5):
            return None
        normal, offset = _least_squares(close)
    return _seen_from_above(normal, offset)


def _candidates(
    sample: NDArray[np.float64], up: NDArray[np.float64] | None, max_tilt_rad: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Return planes through random triples, normals (T, 3) and offsets (T,)."""
    corners = sample[(_TRIALS * len(sample)).astype(np.intp)]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    lengths = np.linalg.norm(normals, axis=1)
    usable = lengths > 1e-9
    if up is not None:
        rise = np.abs(normals @ (up / np.linalg.norm(up)))
        usable &= rise > np.cos(max_tilt_rad) * lengths
    if not usable.any():
        return None
    normals = normals[usable] / lengths[usable, None]
    return normals, -np.einsum('ij,ij->i', normals, corners[usable, 0])


def _least_squares(points: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """Return the least-squares plane; its normal is the direction of least variance."""
    centre = points.mean(axis=0)
    centred = points - centre
    normal = np.linalg.eigh(centred.T @ centred)[1][:, 0]
    return normal, -float(normal @ centre)


def _seen_from_above(normal: NDArray[np.float64], offset: float) -> Plane:
    """Return the plane oriented so that the camera, at the origin, is above it."""
    return Plane(normal, offset) if offset >= 0 else Plane(-normal, -offset)

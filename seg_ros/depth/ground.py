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

"""The ground before a robot, and what stands on it."""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from seg_ros.core.card import ModelCard
from seg_ros.core.segmentation import ClassMap, marked
from seg_ros.depth.cloud import points_of
from seg_ros.depth.intrinsics import Intrinsics
from seg_ros.depth.planes import fit_plane, LEVEL, Plane, SAMPLES, TILT
from seg_ros.depth.registration import has_depth

STEP_M = 0.05       # what is lower than a step stands on no one's way
_HEADROOM_M = 2.0   # what hangs higher is out of a robot's way
_STRIDE = 4
_LEAST = 200        # points


class GroundFit(NamedTuple):
    """
    What the pixels of classes with the role `traversable` lie on.

    :param plane: the ground; None where too little of it is in sight, or what is labelled so is
        no ground: a wall, more than 46 degrees from level, or a ceiling.
    :param tilt: radians from what is up to the normal of the plane that most of them lie on;
        infinity where they lie on none, None where too few of them have depth.
    """

    plane: Plane | None
    tilt: float | None


def fit_ground(
    metres: NDArray[np.float32], camera: Intrinsics, classes: ClassMap, card: ModelCard,
    up: NDArray[np.float64] = LEVEL,
) -> GroundFit:
    """
    Fit the ground; where none is found, the tilt says why.

    :param metres: float32 (H, W), registered to the image, NaN = none.
    :param up: float64 (3,), unit vector of the optical frame: roughly away from the ground.
    """
    pixels = marked(classes[::_STRIDE, ::_STRIDE].copy(), card.ids_with_role('traversable'))
    pixels &= has_depth(metres[::_STRIDE, ::_STRIDE])
    if np.count_nonzero(pixels) < _LEAST:
        return GroundFit(None, None)
    points = points_of(metres, camera, pixels, _STRIDE, SAMPLES)
    tolerance_m = max(0.02, 0.01 * float(np.median(points[:, 2])))
    level = fit_plane(points, tolerance_m, near=(up, TILT))
    largest = level or fit_plane(points, tolerance_m)
    if largest is None:
        return GroundFit(None, np.inf)
    # The camera is on the side that the normal points to: below a ceiling.
    rise = float(np.clip(largest.normal @ up, -1, 1))
    return GroundFit(level if rise > 0 else None, float(np.arccos(rise)))


def plane_from_transform(base_from_optical: NDArray[np.float64]) -> Plane:
    """
    Return the plane z = 0 of a base frame, as TF gives it.

    :param base_from_optical: float64 (4, 4), takes points of the optical frame to the base frame.
    """
    return Plane(base_from_optical[2, :3].copy(), float(base_from_optical[2, 3]))


def up_of_pitch(pitch: float) -> NDArray[np.float64]:
    """
    Return what is up for a camera that is level from side to side, float64 (3,).

    :param pitch: radians that it looks down.
    """
    return np.array([0.0, -np.cos(pitch), -np.sin(pitch)])


def base_from_plane(plane: Plane) -> NDArray[np.float64]:
    """
    Return the transform to the camera's ground-projected frame, float64 (4, 4).

    Its origin is on the ground below the camera, x the way the camera looks, y left, z up.
    """
    transform = np.eye(4)
    transform[:3, :3] = plane.basis(np.array([0.0, 0.0, 1.0]))
    transform[2, 3] = plane.offset_m
    return transform


def ground_of(
    metres: NDArray[np.float32], camera: Intrinsics, classes: ClassMap, card: ModelCard,
    plane: Plane, step: int = 1, max_m: float = 10.0,
) -> 'Ground':
    """
    Cut every `step`-th pixel of an image into ground, obstacles and neither.

    :param max_m: farther depth counts as none.
    """
    traversable = marked(classes[::step, ::step].copy(), card.ids_with_role('traversable'))
    return Ground(metres[::step, ::step].copy(), camera.of_every(step), traversable, plane, max_m)


@dataclass(frozen=True, eq=False)
class Ground:
    """
    An image cut into ground, obstacles and neither.

    :param metres: float32 (H, W), NaN = none.
    :param camera: that it was seen by.
    :param traversable: bool (H, W), by class.
    :param plane: of the ground.
    :param max_m: farther depth counts as none.
    """

    metres: NDArray[np.float32]
    camera: Intrinsics
    traversable: NDArray[np.bool_]
    plane: Plane
    max_m: float = 10.0

    @cached_property
    def _climb(self) -> NDArray[np.float32]:
        """Return how much height each ray gains for each metre of depth, float32 (H, W)."""
        across, down = self.camera.slopes_xy
        nx, ny, nz = self.plane.normal.astype(np.float32)
        return np.asarray(nx * across + (ny * down + nz))

    @cached_property
    def height_m(self) -> NDArray[np.float32]:
        """Return height above the ground at every pixel, float32 (H, W), NaN without depth."""
        height = self.metres * self._climb
        height += np.float32(self.plane.offset_m)
        return np.asarray(height)

    @cached_property
    def blind(self) -> NDArray[np.intp]:
        """
        List the pixels, flat, that leave the ground unknown.

        Without depth and not traversable: glass, black, a stairwell. Their rays meet the ground
        within `max_m`; beyond it nothing has depth, so that its lack says nothing.
        """
        if self.plane.offset_m <= 0:    # by TF the camera is below the ground
            return np.zeros(0, np.intp)
        meets = self._climb < np.float32(-self.plane.offset_m / self.max_m)
        return np.flatnonzero(meets & ~(has_depth(self.metres) | self.traversable))

    @cached_property
    def reached_m(self) -> NDArray[np.float32]:
        """Return depth, and that of the ground where pixels are blind, float32 (H, W)."""
        reached = np.array(self.metres)
        climb = self._climb.take(self.blind)
        np.put(reached, self.blind, np.float32(-self.plane.offset_m) / climb)
        return reached

    @property
    def floor_height_m(self) -> float:
        """Return the median height of what is traversable; NaN where none of it has depth."""
        known = self.traversable[::4] & has_depth(self.metres[::4])
        return float(np.median(self.height_m[::4][known])) if known.any() else np.nan

    @cached_property
    def obstacle(self) -> NDArray[np.bool_]:
        """Mark what is not traversable and stands above the ground, up to the robot's headroom."""
        inside = cv2.inRange(self.height_m, STEP_M, _HEADROOM_M).view(bool)
        return np.asarray(inside & ~self.traversable)

    @cached_property
    def ground(self) -> NDArray[np.bool_]:
        """Mark what is traversable, as high as the ground, and has depth."""
        # A wall's foot that was labelled floor is no ground, however it is labelled.
        return np.asarray(np.abs(self.height_m) < 2 * STEP_M) & self.traversable

    @cached_property
    def drop(self) -> NDArray[np.bool_]:
        """Mark what lies below the ground: stairs down, a dock's edge."""
        return np.asarray(self.height_m < -2 * STEP_M)

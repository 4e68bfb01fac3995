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

"""The ground in front of a robot, and the obstacles on it."""

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
from seg_ros.depth.planes import fit_plane, Plane, SAMPLES, UP_OF_LEVEL_CAMERA
from seg_ros.depth.registration import has_depth

STEP_M = 0.05       # lower obstacles are ignored
_HEADROOM_M = 2.0   # higher obstacles are ignored
_STRIDE = 4
_MIN_POINTS = 200


class GroundFit(NamedTuple):
    """
    The plane fitted to the pixels of classes with the role `traversable`.

    :param plane: the ground; None if too little of it is visible, or if these pixels are not
        ground: a wall, more than 46 degrees from level, or a ceiling.
    :param tilt_rad: angle between up and the normal of the plane that most of the pixels lie on;
        infinity if there is no such plane, None if too few pixels have depth.
    """

    plane: Plane | None
    tilt_rad: float | None


def fit_ground(
    metres: NDArray[np.float32], camera: Intrinsics, classes: ClassMap, card: ModelCard,
    up: NDArray[np.float64] = UP_OF_LEVEL_CAMERA,
) -> GroundFit:
    """
    Fit the ground plane; if none is found, the tilt shows why.

    :param metres: float32 (H, W), registered to the image, NaN = none.
    :param up: float64 (3,), unit vector pointing roughly up, in the optical frame.
    """
    pixels = marked(classes[::_STRIDE, ::_STRIDE].copy(), card.ids_with_role('traversable'))
    pixels &= has_depth(metres[::_STRIDE, ::_STRIDE])
    if np.count_nonzero(pixels) < _MIN_POINTS:
        return GroundFit(None, None)
    points = points_of(metres, camera, pixels, _STRIDE, SAMPLES)
    tolerance_m = max(0.02, 0.01 * float(np.median(points[:, 2])))
    level = fit_plane(points, tolerance_m, up)
    largest = level or fit_plane(points, tolerance_m)
    if largest is None:
        return GroundFit(None, np.inf)
    # The normal points to the camera's side, which for a ceiling is down.
    rise = float(np.clip(largest.normal @ up, -1, 1))
    return GroundFit(level if rise > 0 else None, float(np.arccos(rise)))


def plane_from_transform(base_from_optical: NDArray[np.float64]) -> Plane:
    """
    Return the plane z = 0 of a base frame given by TF, in the optical frame.

    :param base_from_optical: float64 (4, 4), transforms points from the optical to the base frame.
    """
    return Plane(base_from_optical[2, :3].copy(), float(base_from_optical[2, 3]))


def up_from_pitch(pitch_rad: float) -> NDArray[np.float64]:
    """
    Return the up vector of a camera without roll, float64 (3,).

    :param pitch_rad: angle that the camera looks down.
    """
    return np.array([0.0, -np.cos(pitch_rad), -np.sin(pitch_rad)])


def base_from_plane(plane: Plane) -> NDArray[np.float64]:
    """
    Return the transform to the camera's ground-projected frame, float64 (4, 4).

    Its origin is on the ground below the camera, with x ahead, y left and z up.
    """
    transform = np.eye(4)
    transform[:3, :3] = plane.basis(np.array([0.0, 0.0, 1.0]))
    transform[2, 3] = plane.offset_m
    return transform


def ground_segmentation(
    metres: NDArray[np.float32], camera: Intrinsics, classes: ClassMap, card: ModelCard,
    plane: Plane, step: int = 1, max_m: float = 10.0,
) -> 'GroundSegmentation':
    """
    Divide every `step`-th pixel of an image into ground, obstacles, drops and the rest.

    :param max_m: maximum range; see `GroundSegmentation`.
    """
    traversable = marked(classes[::step, ::step].copy(), card.ids_with_role('traversable'))
    return GroundSegmentation(
        metres[::step, ::step].copy(), camera.subsampled(step), traversable, plane, max_m
    )


@dataclass(frozen=True, eq=False)
class GroundSegmentation:
    """
    An image divided into ground, obstacles, drops and the rest.

    :param metres: float32 (H, W), NaN = none.
    :param camera: intrinsics of the depth.
    :param traversable: bool (H, W), whether the pixel's class has that role.
    :param plane: the ground plane.
    :param max_m: maximum range of the depth; pixels without depth are blind only within it.
    """

    metres: NDArray[np.float32]
    camera: Intrinsics
    traversable: NDArray[np.bool_]
    plane: Plane
    max_m: float = 10.0

    @cached_property
    def _height_per_depth(self) -> NDArray[np.float32]:
        """Return the height that each ray gains per metre of depth, float32 (H, W)."""
        return self.camera.ray_along(self.plane.normal)

    @cached_property
    def height_m(self) -> NDArray[np.float32]:
        """Return the height above the ground at every pixel, float32 (H, W), NaN without depth."""
        height = self.metres * self._height_per_depth
        height += np.float32(self.plane.offset_m)
        return np.asarray(height)

    @cached_property
    def blind(self) -> NDArray[np.bool_]:
        """
        Mark the pixels that leave the ground unknown.

        They have no depth and are not traversable: glass, black surfaces, a stairwell. Only rays
        that meet the ground within `max_m` count, since beyond it nothing has depth.
        """
        if self.plane.offset_m <= 0:    # according to TF, the camera is below the ground
            return np.zeros_like(self.traversable)
        meets = self._height_per_depth < np.float32(-self.plane.offset_m / self.max_m)
        return np.asarray(meets & ~(has_depth(self.metres) | self.traversable))

    @cached_property
    def reached_m(self) -> NDArray[np.float32]:
        """Return depth, with the ground's depth at blind pixels, float32 (H, W)."""
        reached, blind = np.array(self.metres), np.flatnonzero(self.blind)
        climb = self._height_per_depth.take(blind)
        np.put(reached, blind, np.float32(-self.plane.offset_m) / climb)
        return reached

    @property
    def floor_height_m(self) -> float:
        """Return the median height of traversable pixels, NaN if none of them has depth."""
        known = self.traversable[::4] & has_depth(self.metres[::4])
        return float(np.median(self.height_m[::4][known])) if known.any() else np.nan

    @cached_property
    def obstacle(self) -> NDArray[np.bool_]:
        """Mark pixels that are not traversable and between `STEP_M` and the robot's headroom."""
        inside = cv2.inRange(self.height_m, STEP_M, _HEADROOM_M).view(bool)
        return np.asarray(inside & ~self.traversable)

    @cached_property
    def ground(self) -> NDArray[np.bool_]:
        """Mark traversable pixels with depth that are at the height of the ground."""
        # The height is checked because the foot of a wall may be labelled floor.
        return np.asarray(np.abs(self.height_m) < 2 * STEP_M) & self.traversable

    @cached_property
    def drop(self) -> NDArray[np.bool_]:
        """Mark pixels below the ground, such as stairs down or a dock's edge."""
        return np.asarray(self.height_m < -2 * STEP_M)

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

import cv2
import numpy as np
from numpy.typing import NDArray
from seg_ros.core.card import ModelCard
from seg_ros.core.segmentation import ClassMap, marked
from seg_ros.depth.intrinsics import Intrinsics
from seg_ros.depth.planes import fit_plane, Plane, SAMPLES
from seg_ros.depth.registration import has_depth
from seg_ros.depth.support import points_of

STEP_M = 0.05       # what is lower than a step stands on no one's way
_HEADROOM_M = 2.0   # what hangs higher is out of a robot's way
_TILT = 0.8         # the ground's normal is within this angle, radians, of the image's up
_UP = np.array([0.0, -1.0, 0.0])    # in the image
_STRIDE = 4
_LEAST = 200        # points


def ground_plane(
    metres: NDArray[np.float32], camera: Intrinsics, classes: ClassMap, card: ModelCard
) -> Plane | None:
    """
    Fit the ground to the pixels of classes with the role `traversable`.

    :param metres: float32 (H, W), registered to the image, NaN = none.
    :returns: None where too little of it is in sight, or what is labelled so is no ground: steeper
        than 45 degrees against a level camera, or above it.
    """
    pixels = marked(classes[::_STRIDE, ::_STRIDE].copy(), card.ids_with_role('traversable'))
    pixels &= has_depth(metres[::_STRIDE, ::_STRIDE])
    if np.count_nonzero(pixels) < _LEAST:
        return None
    points = points_of(metres, camera, pixels, _STRIDE, SAMPLES)
    tolerance_m = max(0.02, 0.01 * float(np.median(points[:, 2])))
    plane = fit_plane(points, tolerance_m, near=(_UP, _TILT))
    # The camera is on the side that the normal points to: below a ceiling.
    return None if plane is None or plane.normal @ _UP < 0 else plane


def plane_from_transform(base_from_optical: NDArray[np.float64]) -> Plane:
    """
    Return the plane z = 0 of a base frame, as TF gives it.

    :param base_from_optical: float64 (4, 4), takes points of the optical frame to the base frame.
    """
    return Plane(base_from_optical[2, :3].copy(), float(base_from_optical[2, 3]))


def plane_from_height(height_m: float, pitch: float) -> Plane:
    """
    Return the ground below a camera that is `height_m` above it and level from side to side.

    :param pitch: radians that it looks down.
    """
    return Plane(np.array([0.0, -np.cos(pitch), -np.sin(pitch)]), height_m)


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
    plane: Plane, step: int = 1,
) -> 'Ground':
    """Cut every `step`-th pixel of an image into ground, obstacles and neither."""
    traversable = marked(classes[::step, ::step].copy(), card.ids_with_role('traversable'))
    return Ground(metres[::step, ::step].copy(), camera.of_every(step), traversable, plane)


@dataclass(frozen=True, eq=False)
class Ground:
    """
    An image cut into ground, obstacles and neither.

    :param metres: float32 (H, W), NaN = none.
    :param camera: that it was seen by.
    :param traversable: bool (H, W), by class.
    :param plane: of the ground.
    """

    metres: NDArray[np.float32]
    camera: Intrinsics
    traversable: NDArray[np.bool_]
    plane: Plane

    @cached_property
    def height_m(self) -> NDArray[np.float32]:
        """Return height above the ground at every pixel, float32 (H, W), NaN without depth."""
        across, down = self.camera.slopes_xy
        nx, ny, nz = self.plane.normal.astype(np.float32)
        height = self.metres * (nx * across + (ny * down + nz))
        height += np.float32(self.plane.offset_m)
        return np.asarray(height)

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

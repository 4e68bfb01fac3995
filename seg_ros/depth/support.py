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

"""The planes that support objects: a table top, a bin's floor, the ground."""

import cv2
import numpy as np
from numpy.typing import NDArray
from seg_ros.core.card import ModelCard
from seg_ros.core.segmentation import marked, Segmentation
from seg_ros.depth.cloud import points_of
from seg_ros.depth.interior import instance_interiors
from seg_ros.depth.intrinsics import Intrinsics
from seg_ros.depth.morphology import square
from seg_ros.depth.planes import fit_plane, MAX_TILT_RAD, Plane, SAMPLES, UP_OF_LEVEL_CAMERA
from seg_ros.depth.registration import has_depth

_STEP = 4           # every fourth pixel in rows and columns is enough for a plane
_RING_PX = 24       # width of the ring around objects in which their support is searched
_MIN_POINTS = 60
_NEAR_M = 0.15      # maximum distance from a plane of points that are near it
_MIN_SHARE = 0.03   # fraction of the objects' points that must be near their plane
_TALL_M = 0.3       # likewise for objects seen straight from above, which show only their tops


def support_planes(
    metres: NDArray[np.float32], camera: Intrinsics, segmentation: Segmentation, card: ModelCard,
    ground: Plane | None = None, up: NDArray[np.float64] | None = None,
) -> tuple[Plane, ...]:
    """
    Find the planes that objects may stand on.

    They are the ground, and the plane of those pixels around the objects whose class has the role
    `support` or, if there is none, of all pixels around the objects. Planes tilted by more than 46
    degrees from level are rejected. If up is unknown, the largest plane may be a wall behind the
    objects, so some of their points must be near it.

    :param metres: float32 (H, W), registered to the image, NaN = none.
    :param ground: the ground plane, if known.
    :param up: float64 (3,), unit vector pointing up. Defaults to the ground's normal.
    :returns: the support plane, then the ground; either may be missing.
    """
    if up is None and ground is not None:
        up = ground.normal
    if ground is not None and not _is_level(ground, up):
        ground = None
    small = segmentation.part('instances')[::_STEP, ::_STEP].copy()
    known = has_depth(metres[::_STEP, ::_STEP])
    near = cv2.dilate(small, square(_RING_PX // _STEP))
    around = (near > 0) & (small == 0) & known
    support = _fit(metres, camera, around & _of_support(segmentation, card), up)
    if support is None:
        support = _fit(metres, camera, around, up)
        if support is not None and up is None:
            support = _reached(support, metres, camera, around, np.where(known, small, 0))
    return tuple(plane for plane in (support, ground) if plane is not None)


def _of_support(segmentation: Segmentation, card: ModelCard) -> NDArray[np.bool_]:
    """Mark pixels whose class has the role `support`, bool (h, w)."""
    if segmentation.classes is None:
        return np.zeros_like(segmentation.part('instances')[::_STEP, ::_STEP], bool)
    return marked(segmentation.classes[::_STEP, ::_STEP].copy(), card.ids_with_role('support'))


def _fit(
    metres: NDArray[np.float32], camera: Intrinsics, pixels: NDArray[np.bool_],
    up: NDArray[np.float64] | None,
) -> Plane | None:
    """Fit a plane to marked pixels; it must be level if up is known."""
    if np.count_nonzero(pixels) < _MIN_POINTS:
        return None
    points = points_of(metres, camera, pixels, _STEP, SAMPLES)
    tolerance_m = max(0.008, 0.008 * float(np.median(points[:, 2])))
    plane = fit_plane(points, tolerance_m, up)
    return plane if plane is not None and _is_level(plane, up) else None


def _is_level(plane: Plane, up: NDArray[np.float64] | None) -> bool:
    # Either sign: the base of an arm that hangs from a ceiling has its z axis down.
    return up is None or abs(float(plane.normal @ up)) > np.cos(MAX_TILT_RAD)


def _reached(
    plane: Plane, metres: NDArray[np.float32], camera: Intrinsics, around: NDArray[np.bool_],
    instances: NDArray[np.uint16],
) -> Plane | None:
    """
    Return a plane that the objects are near: this one, or a level one if the camera is level.

    :param around: bool (h, w), pixels that the plane was fitted to.
    :param instances: uint16 (h, w), 0 also where there is no depth.
    """
    own = instance_interiors(instances, 1)
    if not own.any():
        return plane
    points = points_of(metres, camera, own, _STEP)
    if _are_near(points, plane, _NEAR_M):
        return plane
    floor = _fit(metres, camera, around, UP_OF_LEVEL_CAMERA)
    if floor is not None and _are_near(points, floor, _NEAR_M):
        return floor
    return plane if _are_near(points, plane, _TALL_M) else None


def _are_near(points: NDArray[np.float32], plane: Plane, reach_m: float) -> bool:
    return bool(np.mean(np.abs(plane.height_m(points)) < reach_m) > _MIN_SHARE)

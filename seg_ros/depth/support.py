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

"""The planes that objects stand on: a table's top, a bin's floor, the ground."""

import cv2
import numpy as np
from numpy.typing import NDArray
from seg_ros.core.card import ModelCard
from seg_ros.core.segmentation import marked, Segmentation
from seg_ros.depth.cloud import points_of
from seg_ros.depth.interior import inside
from seg_ros.depth.intrinsics import Intrinsics
from seg_ros.depth.planes import fit_plane, LEVEL, Plane, SAMPLES, TILT
from seg_ros.depth.registration import has_depth

_STEP = 4           # every fourth pixel is enough for a plane, and a sixteenth of the work
_RING_PX = 24       # how far around an object its support is looked for
_LEAST = 60         # points
_NEAR_M = 0.15      # of a plane that something stands on is
_SHARE = 0.03       # of the objects' points
_TALL_M = 0.3       # of what stands below a camera straight above, which sees the top alone


def support_planes(
    metres: NDArray[np.float32], camera: Intrinsics, segmentation: Segmentation, card: ModelCard,
    ground: Plane | None = None, up: NDArray[np.float64] | None = None,
) -> tuple[Plane, ...]:
    """
    Find the planes that objects may stand on, robustly.

    They are the ground, and the plane of the pixels around the objects whose class has the role
    `support`; where there is none, the plane that most of what is around the objects lies on. None
    is steeper than 45 degrees against what is known of up. Where nothing is, the largest plane may
    be a wall behind the objects: some of what they show has to be near it.

    :param metres: float32 (H, W), registered to the image, NaN = none.
    :param ground: where it is known.
    :param up: float64 (3,), against gravity; without it the ground's normal is taken.
    :returns: none where nothing flat is around the objects.
    """
    instances = segmentation.instances
    assert instances is not None
    if up is None and ground is not None:
        up = ground.normal
    if ground is not None and not _is_level(ground, up):
        ground = None
    small = instances[::_STEP, ::_STEP].copy()
    known = has_depth(metres[::_STEP, ::_STEP])
    side = 2 * (_RING_PX // _STEP) + 1
    near = cv2.dilate(small, np.ones((side, side), np.uint8))
    around = (near > 0) & (small == 0) & known
    support = _fit(metres, camera, around & _of_support(segmentation, card), up)
    if support is None:
        support = _fit(metres, camera, around, up)
        if support is not None and up is None:
            support = _reached(support, metres, camera, around, np.where(known, small, 0))
    return tuple(plane for plane in (support, ground) if plane is not None)


def _of_support(segmentation: Segmentation, card: ModelCard) -> NDArray[np.bool_]:
    """Mark the classes with the role `support`, bool (h, w)."""
    assert segmentation.instances is not None
    if segmentation.classes is None:
        return np.zeros_like(segmentation.instances[::_STEP, ::_STEP], bool)
    return marked(segmentation.classes[::_STEP, ::_STEP].copy(), card.ids_with_role('support'))


def _fit(
    metres: NDArray[np.float32], camera: Intrinsics, pixels: NDArray[np.bool_],
    up: NDArray[np.float64] | None,
) -> Plane | None:
    """Fit a plane to marked pixels, of those that are level where it is known what that is."""
    if np.count_nonzero(pixels) < _LEAST:
        return None
    points = points_of(metres, camera, pixels, _STEP, SAMPLES)
    tolerance_m = max(0.008, 0.008 * float(np.median(points[:, 2])))
    plane = fit_plane(points, tolerance_m, None if up is None else (up, TILT))
    return plane if plane is not None and _is_level(plane, up) else None


def _is_level(plane: Plane, up: NDArray[np.float64] | None) -> bool:
    # Either way round: the base of an arm that hangs from a ceiling has its z axis down.
    return up is None or abs(float(plane.normal @ up)) > np.cos(TILT)


def _reached(
    plane: Plane, metres: NDArray[np.float32], camera: Intrinsics, around: NDArray[np.bool_],
    instances: NDArray[np.uint16],
) -> Plane | None:
    """
    Return a plane that the objects are near: this one or, of a level camera, that below it.

    :param around: bool (h, w), what the plane was fitted to.
    :param instances: uint16 (h, w), 0 also where there is no depth.
    """
    own = inside(instances, 1)
    if not own.any():
        return plane
    points = points_of(metres, camera, own, _STEP)
    floor = _fit(metres, camera, around, LEVEL)
    for each, near_m in ((plane, _NEAR_M), (floor, _NEAR_M), (plane, _TALL_M)):
        if each is not None and np.mean(np.abs(each.height_m(points)) < near_m) > _SHARE:
            return each
    return None

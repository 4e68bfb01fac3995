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

"""The plane that objects stand on: a table's top, a bin's floor, the ground."""

import cv2
import numpy as np
from numpy.typing import NDArray
from seg_ros.core.card import ModelCard
from seg_ros.core.segmentation import marked, Segmentation
from seg_ros.depth.intrinsics import Intrinsics
from seg_ros.depth.planes import fit_plane, Plane, SAMPLES
from seg_ros.depth.registration import has_depth

_STEP = 4           # every fourth pixel is enough for a plane, and a sixteenth of the work
_RING_PX = 24       # how far around an object its support is looked for
_LEAST = 60         # points


def support_plane(
    metres: NDArray[np.float32], camera: Intrinsics, segmentation: Segmentation, card: ModelCard,
) -> Plane | None:
    """
    Fit the support of the objects, robustly.

    Where the card has classes with the role `support`, to their pixels around the objects; where
    it has none, or none is in sight, to all that is around the objects: the plane that most of it
    lies on.

    :param metres: float32 (H, W), registered to the image, NaN = none.
    :returns: None where nothing flat is around the objects.
    """
    instances = segmentation.instances
    assert instances is not None
    small = instances[::_STEP, ::_STEP].copy()
    side = 2 * (_RING_PX // _STEP) + 1
    near = cv2.dilate(small, np.ones((side, side), np.uint8))
    around = (near > 0) & (small == 0)
    around &= has_depth(metres[::_STEP, ::_STEP])
    pixels = _of_support(around, segmentation, card)
    if np.count_nonzero(pixels) < _LEAST:
        pixels = around
    if np.count_nonzero(pixels) < _LEAST:
        return None
    points = points_of(metres, camera, pixels, _STEP, SAMPLES)
    return fit_plane(points, tolerance_m=max(0.008, 0.008 * float(np.median(points[:, 2]))))


def _of_support(
    around: NDArray[np.bool_], segmentation: Segmentation, card: ModelCard
) -> NDArray[np.bool_]:
    if segmentation.classes is None:
        return np.zeros_like(around)
    classes = segmentation.classes[::_STEP, ::_STEP].copy()
    return around & marked(classes, card.ids_with_role('support'))


def points_of(
    metres: NDArray[np.float32], camera: Intrinsics, pixels: NDArray[np.bool_], step: int = 1,
    most: int = 0,
) -> NDArray[np.float32]:
    """
    Lift marked pixels alone.

    :param pixels: bool (ceil(H / step), ceil(W / step)), all of which have depth.
    :param most: only so many of them, spread evenly; 0 is all.
    :returns: float32 (N, 3) in the optical frame, row by row.
    """
    flat = np.flatnonzero(pixels)
    if 0 < most < len(flat):
        flat = flat[np.linspace(0, len(flat) - 1, most).astype(np.intp)]
    rows, columns = np.divmod(flat, pixels.shape[1])
    z = metres[::step, ::step][rows, columns]
    across, down = camera.of_every(step).slopes_xy
    return np.stack([z * across[0, columns], z * down[rows, 0], z], axis=1)

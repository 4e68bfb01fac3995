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

"""Overlap of the instances of two images, by their boxes and by their masks."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from seg_ros.core.segmentation import Segment
from seg_ros.temporal.motion import Boxes

_STEP = 4  # every fourth pixel of rows and columns is compared


@dataclass(frozen=True, eq=False)
class Outline:
    """
    The mask of an instance when it was last seen.

    :param small: the coarse instance map of that image.
    :param segment: the instance's box and its id in the map.
    """

    small: NDArray[np.uint16]
    segment: Segment

    def write(self, small: NDArray[np.uint32], value: int, centre_xy: Sequence[float]) -> None:
        """Write the mask into a coarse map (H, W), moved so that its box has this centre."""
        x0, y0, x1, y1 = self.segment.xyxy
        left, top = x0 // _STEP, y0 // _STEP
        mask = self.small[top:-(-y1 // _STEP), left:-(-x1 // _STEP)] == self.segment.id
        x = left + round((centre_xy[0] - (x0 + x1) / 2) / _STEP)
        y = top + round((centre_xy[1] - (y0 + y1) / 2) / _STEP)
        shown = mask[max(0, -y):max(0, small.shape[0] - y), max(0, -x):max(0, small.shape[1] - x)]
        x, y = max(0, x), max(0, y)
        small[y:y + shown.shape[0], x:x + shown.shape[1]][shown] = value


def coarse(instances: NDArray[np.uint16] | None) -> NDArray[np.uint16] | None:
    """Copy every fourth pixel of an instance map, if there is one."""
    return None if instances is None else instances[::_STEP, ::_STEP].copy()


def box_overlap(first: Boxes, second: Boxes, margin: float) -> NDArray[np.float64]:
    """
    Return the intersection over union of boxes enlarged on all sides.

    The margin matches small and fast objects whose own boxes do not overlap; see Yang et al.,
    Hard to Track Objects with Irregular Motions and Similar Appearances, 2023.

    :param first: x0, y0, x1, y1, float (N, 4).
    :param second: boxes of the same form, float (M, 4).
    :param margin: width added on each side, as a fraction of the box's width and height.
    :returns: float64 (N, M).
    """
    first, second = _grown(first, margin)[:, None], _grown(second, margin)[None]
    low = np.maximum(first[..., :2], second[..., :2])
    high = np.minimum(first[..., 2:], second[..., 2:])
    shared = np.clip(high - low, 0, None).prod(-1)
    areas = [(boxes[..., 2:] - boxes[..., :2]).prod(-1) for boxes in (first, second)]
    return np.asarray(shared / (areas[0] + areas[1] - shared))


def mask_overlap(
    outlined: Sequence[Outline | None], centres_xy: Boxes, small: NDArray[np.uint16],
    ids: Sequence[int],
) -> NDArray[np.float64]:
    """
    Return the intersection over union of new masks with earlier ones at predicted positions.

    :param outlined: earlier masks, those in front last; None overlaps with nothing.
    :param centres_xy: predicted centres of their boxes, (N, 2) in source pixels.
    :param small: the new coarse instance map.
    :param ids: ids of the M new masks in it.
    :returns: float64 (N, M).
    """
    awaited = np.zeros(small.shape, np.uint32)
    for number, (outline, centre) in enumerate(zip(outlined, centres_xy.tolist(), strict=True), 1):
        if outline is not None:
            outline.write(awaited, number, centre)
    shape = (len(outlined) + 1, max(ids, default=0) + 1)
    awaited *= shape[1]
    awaited += small
    joint = np.bincount(awaited.ravel(), minlength=shape[0] * shape[1]).reshape(shape)
    new = list(ids)
    shared = joint[1:, new]
    union = joint[1:].sum(1)[:, None] + joint[:, new].sum(0) - shared
    return np.asarray(shared / np.maximum(union, 1))


def _grown(xyxy: Boxes, margin: float) -> Boxes:
    reach = margin * (xyxy[:, 2:] - xyxy[:, :2])
    return np.concatenate([xyxy[:, :2] - reach, xyxy[:, 2:] + reach], 1)

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

"""How much instances of two images overlap: by their boxes, and by their masks where known."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from seg_ros.core.segmentation import Segment, Segmentation
from seg_ros.temporal.motion import Boxes

_STEP = 4  # every so many pixels of a mask are compared


@dataclass(frozen=True, eq=False)
class Outline:
    """
    The mask of an instance as it was when last seen.

    :param small: the coarse map of that image.
    :param segment: its place, and its number in the map.
    """

    small: NDArray[np.uint16]
    segment: Segment

    def write(self, small: NDArray[np.uint32], value: int, centre_xy: Sequence[float]) -> None:
        """Set the mask's pixels of another coarse map (H, W), moved to where its box is now."""
        x0, y0, x1, y1 = self.segment.xyxy
        left, top = x0 // _STEP, y0 // _STEP
        mask = self.small[top:-(-y1 // _STEP), left:-(-x1 // _STEP)] == self.segment.id
        x = left + round((centre_xy[0] - (x0 + x1) / 2) / _STEP)
        y = top + round((centre_xy[1] - (y0 + y1) / 2) / _STEP)
        shown = mask[max(0, -y):max(0, small.shape[0] - y), max(0, -x):max(0, small.shape[1] - x)]
        x, y = max(0, x), max(0, y)
        small[y:y + shown.shape[0], x:x + shown.shape[1]][shown] = value


def coarse(masks: Segmentation) -> NDArray[np.uint16] | None:
    """Copy every fourth pixel of the instance map, if there is one."""
    return None if masks.instances is None else masks.instances[::_STEP, ::_STEP].copy()


def box_overlap(first: Boxes, second: Boxes, margin: float) -> NDArray[np.float64]:
    """
    Return intersection over union of boxes that are made larger on all sides.

    The margin lets small and fast things meet whose own boxes miss each other; see Yang et al.,
    Hard to Track Objects with Irregular Motions and Similar Appearances, 2023.

    :param first: x0, y0, x1, y1, float (N, 4).
    :param second: float (M, 4).
    :param margin: in parts of a box's width and height.
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
    Return intersection over union of earlier masks, moved to where they are awaited, with new.

    :param outlined: earlier masks, those in front last; None overlaps with nothing.
    :param centres_xy: where the middle of each one's box is awaited, (N, 2) in source pixels.
    :param small: the new coarse map.
    :param ids: the M numbers that the new masks have in it.
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

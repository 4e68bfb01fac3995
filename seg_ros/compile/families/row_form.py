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

"""What the numbers in rows of boxes and scores stand for, as images show it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from spox import Var
import spox.opset.ai.onnx.v17 as op

# Boxes in pixels reach the far side of the image, shares of its sides hardly more than 1.
_MOST_SHARE = 2
_ROUNDING = 0.01


@dataclass(frozen=True)
class RowForm:
    """
    How rows are written.

    :param unit_xy: width and height where boxes are shares of them, as TensorFlow's exports have
        it; ones where they are pixels.
    :param corners: whether boxes are corners, not centres and sizes.
    :param logits: whether scores take a sigmoid still.
    :param class_first: whether the class stands before the score.
    """

    unit_xy: tuple[int, int] = (1, 1)
    corners: bool = False
    logits: bool = False
    class_first: bool = False

    def __str__(self) -> str:
        facts = {
            'boxes from 0 to 1': self.unit_xy != (1, 1), 'corners': self.corners,
            'scores before the sigmoid': self.logits, 'class before score': self.class_first,
        }
        return ''.join(f', {words}' for words, is_so in facts.items() if is_so)

    def boxes(self, columns: Var) -> Var:
        """Return x0, y0, x1, y1 in pixels from the first four columns, (N, M, 4)."""
        columns = self.pixels(columns)
        if self.corners:
            return columns
        center, size = op.split(columns, outputs_count=2, axis=2)
        half = op.mul(size, op.const(np.float32(0.5)))
        return op.concat([op.sub(center, half), op.add(center, half)], axis=2)

    def pixels(self, columns: Var) -> Var:
        """Return the first four columns, (N, M, 4), in pixels."""
        if self.unit_xy == (1, 1):
            return columns
        return op.mul(columns, op.const(np.array(2 * self.unit_xy, np.float32)))

    def probabilities(self, scores: Var) -> Var:
        """Return scores from 0 to 1."""
        return op.sigmoid(scores) if self.logits else scores


def form_of_candidates(
    rows: Sequence[NDArray[Any]], scores: slice, size_hw: tuple[int, int]
) -> RowForm:
    """
    Find out the form of rows for all places of the image.

    :param rows: (A, columns) of a few images.
    :param scores: their columns.
    """
    together = np.concatenate(rows).astype(np.float64)
    logits = beyond_unit(together[:, scores])
    return RowForm(box_unit(together, size_hw), are_corners(together), logits)


def form_of_detections(rows: Sequence[NDArray[Any]], size_hw: tuple[int, int]) -> RowForm:
    """
    Find out the form of rows of box, score and class, or class and score.

    :param rows: (K, columns) of a few images.
    """
    together = np.concatenate(rows).astype(np.float64)
    whole = (together[:, 4:6] == np.rint(together[:, 4:6])).all(axis=0)
    form = RowForm(class_first=bool(whole[0] and not whole[1]))
    filled = filled_rows(rows, form)
    return replace(form, unit_xy=box_unit(filled, size_hw), corners=are_corners(filled))


def filled_rows(rows: Sequence[NDArray[Any]], form: RowForm) -> NDArray[np.float64]:
    """Return the rows of all images whose score is above 0."""
    together: NDArray[np.float64] = np.concatenate(rows).astype(np.float64)
    return together[together[:, 5 if form.class_first else 4] > 0]


def are_corners(rows: NDArray[Any]) -> bool:
    """
    Return whether boxes, in the first four columns, have no second corner before the first.

    Centres far from the corner 0, 0 are further from it than a box is wide or high.
    """
    return bool((rows[:, 2:4] >= rows[:, :2]).all())


def beyond_unit(values: NDArray[Any]) -> bool:
    """Return whether scores are no probabilities, but for rounding."""
    return bool(values.min() < -_ROUNDING or values.max() > 1 + _ROUNDING)


def box_unit(rows: NDArray[Any], size_hw: tuple[int, int]) -> tuple[int, int]:
    """
    Return width and height where boxes are shares of them, ones where they are pixels.

    :param rows: (rows, columns) of all images, the box in the first four columns.
    """
    return size_hw[::-1] if 0 < np.abs(rows[:, :4]).max(initial=0) <= _MOST_SHARE else (1, 1)

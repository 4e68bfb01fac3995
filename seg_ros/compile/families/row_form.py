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

"""Determines the form of rows of boxes and scores from their values on trial images."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from seg_ros.compile.tensor_ops import scalar
from spox import Var
import spox.opset.ai.onnx.v17 as op

# Boxes in pixels reach the far side of the image, relative coordinates hardly exceed 1.
_MAX_RELATIVE = 2
_ROUNDING = 0.01


@dataclass(frozen=True)
class RowForm:
    """
    Form of the numbers in a row.

    :param unit_xy: width and height if boxes are relative to them, as in TensorFlow's exports;
        ones if boxes are in pixels.
    :param corners: whether boxes are corners instead of centres and sizes.
    :param logits: whether scores are logits.
    :param class_first: whether the class precedes the score.
    """

    unit_xy: tuple[int, int] = (1, 1)
    corners: bool = False
    logits: bool = False
    class_first: bool = False

    @property
    def facts(self) -> list[str]:
        """Describe how the numbers differ from centres and sizes in pixels and scores to 1."""
        facts = {
            'boxes from 0 to 1': self.unit_xy != (1, 1), 'corners': self.corners,
            'scores before the sigmoid': self.logits, 'class before score': self.class_first,
        }
        return [words for words, is_so in facts.items() if is_so]

    @property
    def score_and_label(self) -> tuple[int, int]:
        """Return the columns of score and class in rows that have both."""
        return (5, 4) if self.class_first else (4, 5)

    def boxes(self, columns: Var) -> Var:
        """Return x0, y0, x1, y1 in pixels from the first four columns, (N, M, 4)."""
        if self.unit_xy != (1, 1):
            columns = op.mul(columns, op.const(np.array(2 * self.unit_xy, np.float32)))
        if self.corners:
            return columns
        center, size = op.split(columns, outputs_count=2, axis=2)
        half = op.mul(size, scalar(0.5))
        return op.concat([op.sub(center, half), op.add(center, half)], axis=2)

    def probabilities(self, scores: Var) -> Var:
        """Return scores as probabilities."""
        return op.sigmoid(scores) if self.logits else scores


def form_of_rows(rows: NDArray[Any], size_hw: tuple[int, int], scores: NDArray[Any]) -> RowForm:
    """
    Determine the form of boxes and scores.

    :param rows: rows of all trial images that begin with a box, (rows, columns).
    :param scores: their scores, of any shape.
    """
    return RowForm(box_unit(rows, size_hw), are_corners(rows), beyond_unit(scores))


def form_of_labelled(rows: NDArray[Any], size_hw: tuple[int, int]) -> RowForm | None:
    """
    Determine the form of rows of box, score and class, or of box, class and score.

    :returns: None if scores are neither from 0 to 1 nor logits.
    """
    whole = (rows[:, 4:6] == np.rint(rows[:, 4:6])).all(axis=0)
    form = RowForm(class_first=bool(whole[0] and not whole[1]))
    scores = rows[:, form.score_and_label[0]]
    form = replace(form, logits=are_logits(scores))
    if not form.logits and beyond_unit(scores.clip(0)):
        return None
    filled = filled_rows(rows, form)
    return replace(form, unit_xy=box_unit(filled, size_hw), corners=are_corners(filled))


def filled_rows(rows: NDArray[Any], form: RowForm) -> NDArray[Any]:
    """Return the rows with a score above 0, of `form_of_labelled`; all if scores are logits."""
    return rows if form.logits else rows[rows[:, form.score_and_label[0]] > 0]


def are_logits(scores: NDArray[Any]) -> bool:
    """
    Return whether scores are logits: several values are below 0.

    A single one, such as -1, marks empty slots.
    """
    return bool(np.unique(scores[scores < 0]).size > 1)


def are_corners(rows: NDArray[Any]) -> bool:
    """
    Return whether the first four columns can be corners: the second never precedes the first.

    Centres and sizes fail this test: far from the corner 0, 0, centres exceed the size of a box.
    """
    return bool((rows[:, 2:4] >= rows[:, :2]).all())


def beyond_unit(values: NDArray[Any]) -> bool:
    """Return whether scores exceed the range of probabilities, except by rounding."""
    return bool(values.min() < -_ROUNDING or values.max() > 1 + _ROUNDING)


def box_unit(rows: NDArray[Any], size_hw: tuple[int, int]) -> tuple[int, int]:
    """
    Return width and height if boxes are relative to them, ones if they are in pixels.

    :param rows: (rows, columns) of all images, with boxes in the first four columns.
    """
    return size_hw[::-1] if 0 < np.abs(rows[:, :4]).max(initial=0) <= _MAX_RELATIVE else (1, 1)

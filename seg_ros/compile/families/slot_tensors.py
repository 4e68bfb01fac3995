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

"""Outputs of networks that select their detections themselves."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from seg_ros.compile.export_options import ExportOptions
from seg_ros.compile.families.detections import column, known_labels, rows_at, top_k
from seg_ros.compile.families.row_form import are_logits, beyond_unit
from seg_ros.compile.families.score_and_label import score_and_label
from seg_ros.compile.families.strip_output_ops import float_source, integer_source
from seg_ros.compile.network import Network
from seg_ros.compile.tensor_info import TensorInfo
from seg_ros.compile.tensor_ops import indicator, scalar
from seg_ros.core.card import ModelCard
from spox import Var
import spox.opset.ai.onnx.v17 as op

_BOX_COLUMNS = (4, 5)   # corners, without and with the score


@dataclass(frozen=True)
class Slots:
    """
    Tensors of one set of slots.

    :param labels: (N, K), before casts to bytes.
    :param masks: (N, K, h, w) or (N, K, 1, h, w), before casts to integers.
    :param boxes: (N, K, 4), or with the scores as a fifth column.
    :param scores: (N, K), if boxes do not contain them.
    :param outputs: names of the outputs that were read.
    :param logits: whether scores are logits.
    """

    labels: TensorInfo
    masks: TensorInfo
    boxes: TensorInfo | None
    scores: TensorInfo | None
    outputs: tuple[str, ...]
    logits: bool = False

    def facts(self, unit: int) -> list[str]:
        """
        Describe the values of masks and scores as far as they are not from 0 to 1.

        :param unit: value of a probability of 1 in masks; see `unit_of`.
        """
        facts = {
            'masks before the sigmoid': unit == 0, 'masks from 0 to 255': unit == 255,
            'scores before the sigmoid': self.logits,
        }
        return [words for words, is_so in facts.items() if is_so]

    @property
    def count(self) -> int:
        """Return the number of slots."""
        return self.masks.shape[1]

    @property
    def map_hw(self) -> tuple[int, int]:
        """Return height and width of masks."""
        height, width = self.masks.shape[-2:]
        return height, width

    @property
    def infos(self) -> tuple[TensorInfo, ...]:
        """Return the tensors that exist."""
        return _present(self.labels, self.masks, self.boxes, self.scores)


def slots_of(network: Network) -> list[Slots]:
    """Return each set of slots whose labels, masks and scores are among the outputs."""
    found = [
        _slots(network, masks) for masks in network.outputs
        if len(masks.shape) == 4 or (len(masks.shape) == 5 and masks.shape[2] == 1)
    ]
    scored = [_scored(network, slots) for slots in found if slots is not None]
    return [slots for slots in scored if slots is not None]


def _scored(network: Network, slots: Slots) -> Slots | None:
    """Find out whether scores are logits; None if they are neither these nor from 0 to 1."""
    scores = _raw_scores(network, slots)
    if are_logits(scores):
        return replace(slots, logits=True)
    return None if beyond_unit(scores.clip(0)) else slots


def _slots(network: Network, masks: TensorInfo) -> Slots | None:
    of_slots = [info for info in network.outputs if info.shape[1:2] == masks.shape[1:2]]
    boxes = next((
        info for info in of_slots
        if len(info.shape) == 3 and info.shape[2] in _BOX_COLUMNS and info.dtype.kind == 'f'
    ), None)
    flat = [info for info in of_slots if len(info.shape) == 2]
    carried = boxes is not None and boxes.shape[2] > 4
    scores, output = _scores_and_labels(network, flat, carried)
    if output is None or not (scores or carried):
        return None
    labels, own = network.tensor_infos(
        [integer_source(network, output.name), float_source(network, masks.name)]
    )
    names = tuple(info.name for info in _present(output, masks, boxes, scores))
    return Slots(labels, own, boxes, scores, names)


def _scores_and_labels(
    network: Network, flat: Sequence[TensorInfo], carried: bool
) -> tuple[TensorInfo | None, TensorInfo | None]:
    """
    Find scores and labels among outputs (N, K).

    :param carried: whether boxes contain the scores.
    """
    floats = [info for info in flat if info.dtype.kind == 'f']
    labels = next((info for info in flat if info.dtype.kind in 'iu'), None)
    if carried:
        return None, labels or next(iter(floats), None)
    if labels:
        return next(iter(floats), None), labels
    return score_and_label(network, floats) or (None, None)


def _present(*infos: TensorInfo | None) -> tuple[TensorInfo, ...]:
    return tuple(info for info in infos if info is not None)


def labels_seen(network: Network, slots: Slots) -> NDArray[np.int64]:
    """Return the labels of the slots that trial images fill."""
    labels: NDArray[np.int64] = together(network, slots.labels).astype(np.int64)
    return labels[filled_seen(network, slots)]


def filled_seen(network: Network, slots: Slots) -> NDArray[np.bool_]:
    """Return which slots trial images fill, (images, K)."""
    empty = -np.inf if slots.logits else 0
    filled: NDArray[np.bool_] = _raw_scores(network, slots) > empty
    return filled


def _raw_scores(network: Network, slots: Slots) -> NDArray[Any]:
    """Return the scores of all slots on trial images, (images, K)."""
    last = together(network, slots.infos[-1])
    return last if slots.scores else last[..., 4]


def together(network: Network, info: TensorInfo) -> NDArray[Any]:
    """Return the values of a tensor on trial images, (images, ...)."""
    arrays: NDArray[Any] = np.concatenate(network.trial_values(info.name))
    return arrays


@dataclass(frozen=True, eq=False)
class BestSlots:
    """
    A network's own slots, best first.

    :param scores: float32 (N, count), 0 for empty slots.
    :param filled: float32 (N, count), 1 for filled slots.
    :param classes: int32 (N, count).
    :param index: indexes of the network's slots, (N, count).
    """

    scores: Var
    filled: Var
    classes: Var
    index: Var
    count: int


def best_slots(
    slots: Slots, tensors: Sequence[Var], card: ModelCard, options: ExportOptions
) -> BestSlots:
    """
    Sort slots by score; slots whose label is not a class of the card become empty.

    :param tensors: in the order of `slots.infos`.
    """
    labels, last = (op.cast(tensors[place], to=np.float32) for place in (0, -1))
    scores = last if slots.scores else column(last, 4)
    scores = op.sigmoid(scores) if slots.logits else scores
    above = op.and_(
        op.greater_or_equal(scores, scalar(options.score_floor)), known_labels(labels, card)
    )
    count = min(options.max_instances, slots.count)
    scores, index = top_k(op.mul(scores, indicator(above)), count)
    filled = indicator(op.greater(scores, scalar(0)))
    classes = op.cast(op.mul(rows_at(labels, index), filled), to=np.int32)
    return BestSlots(scores, filled, classes, index, count)


def chosen_masks(slots: Slots, masks: Var, chosen: BestSlots) -> Var:
    """Return the masks of the best slots, float32 (N, count, h, w)."""
    rows = rows_at(op.cast(masks, to=np.float32), chosen.index)
    if len(slots.masks.shape) == 4:
        return rows
    return op.squeeze(rows, op.const([2]))

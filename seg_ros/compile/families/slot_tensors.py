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

"""Outputs of networks that choose their detections themselves, and how boxes look."""

from collections.abc import Sequence
from dataclasses import dataclass
import re
from typing import Any

import numpy as np
from numpy.typing import NDArray
from seg_ros.compile.export_options import ExportOptions
from seg_ros.compile.families.detections import best, rows_at
from seg_ros.compile.families.strip_output_ops import float_source
from seg_ros.compile.network import Network
from seg_ros.compile.tensor_info import TensorInfo
from seg_ros.core.card import ModelCard
from spox import Var
import spox.opset.ai.onnx.v17 as op

_ROUNDING = 1e-3    # of half precision
_MOST_SHARE = 2     # boxes in shares of the image reach hardly beyond 1
_COLUMNS = (4, 5)   # of boxes: corners, and scores beside them
_NAMES = re.compile('box|det')


def slot_tensors(
    outputs: Sequence[TensorInfo], masks: TensorInfo
) -> list[tuple[TensorInfo, ...]]:
    """
    Return what belongs to one set of slots, if all is there.

    :returns: boxes (N, K, 4), labels (N, K), masks (N, K, h, w) and scores (N, K), which boxes may
        carry as a fifth column instead.
    """
    of_slots = [info for info in outputs if info.shape[1:2] == masks.shape[1:2]]
    boxes = [
        info for info in of_slots
        if len(info.shape) == 3 and info.shape[2] in _COLUMNS and info.dtype.kind == 'f'
    ]
    flat = [info for info in of_slots if len(info.shape) == 2]
    labels = [info for info in flat if info.dtype.kind in 'iu']
    scores = [info for info in flat if info.dtype.kind == 'f']
    if not (boxes and labels) or (boxes[0].shape[2] == 4 and not scores):
        return []
    return [(boxes[0], labels[0], masks, *(scores[:1] if boxes[0].shape[2] == 4 else ()))]


def mask_sources(network: Network) -> list[tuple[TensorInfo, TensorInfo]]:
    """Return the outputs that could be masks, each with what it was before casts to integers."""
    given = [info for info in network.outputs if len(info.shape) == 4]
    own = network.tensor_infos([float_source(network, info.name) for info in given])
    return list(zip(given, own, strict=True))


def labels_seen(network: Network, infos: Sequence[TensorInfo]) -> NDArray[np.int64]:
    """
    Return the labels of the slots that images fill.

    :param infos: as `slot_tensors` returns them.
    """
    labels: NDArray[np.int64] = np.concatenate(network.trial(infos[1].name)).astype(np.int64)
    column: NDArray[Any] = np.concatenate(network.trial(infos[3 if len(infos) == 4 else 0].name))
    return labels[(column if len(infos) == 4 else column[..., 4]) > 0]


@dataclass(frozen=True, eq=False)
class BestSlots:
    """
    A network's own slots, best first.

    :param boxes: float32 (N, slots, 4), as the network gives them.
    :param scores: float32 (N, count), 0 where a slot is empty.
    :param filled: float32 (N, count), 1 where it is not.
    :param classes: int32 (N, count).
    :param index: of the network's slots, (N, count).
    """

    boxes: Var
    scores: Var
    filled: Var
    classes: Var
    index: Var
    count: int


def best_slots(
    slots: int, tensors: Sequence[Var], card: ModelCard, options: ExportOptions
) -> BestSlots:
    """
    Sort slots by score; a label that is none of the card's classes leaves one empty.

    :param tensors: as `slot_tensors` lists them.
    """
    boxes, labels = (op.cast(tensor, to=np.float32) for tensor in tensors[:2])
    if len(tensors) == 4:
        scores = op.cast(tensors[3], to=np.float32)
    else:
        boxes, column = op.split(boxes, op.const([4, 1]), outputs_count=2, axis=2)
        scores = op.squeeze(column, op.const([2]))
    above = op.and_(
        op.greater_or_equal(scores, op.const(np.float32(options.score_floor))),
        op.and_(
            op.greater_or_equal(labels, op.const(np.float32(0))),
            op.less(labels, op.const(np.float32(len(card.classes)))),
        ),
    )
    count = min(options.max_instances, slots)
    scores, index = best(op.mul(scores, op.cast(above, to=np.float32)), count)
    filled = op.cast(op.greater(scores, op.const(np.float32(0))), to=np.float32)
    classes = op.cast(op.mul(rows_at(labels, index), filled), to=np.int32)
    return BestSlots(boxes, scores, filled, classes, index, count)


def scores_beside_boxes(
    network: Network, rows: Sequence[TensorInfo]
) -> list[tuple[TensorInfo, bool]]:
    """
    Return which rows of queries are class scores, and of each whether there are boxes beside it.

    Where values do not show it, names do, and that boxes have four columns. What stays unclear
    is read in both ways.
    """
    scores = [info for info in rows if not _are_boxes(network, info)]
    if len(scores) < len(rows) or len(rows) == 1:
        return [(info, len(scores) < len(rows)) for info in scores]
    likely = [info for info in rows if info.shape[2] == 4]
    shares = [info for info in likely if _are_shares(network, info)]
    named = [info for info in shares or likely if _NAMES.search(info.name.lower())]
    likely = named or shares or likely
    boxed = [(info, bool(likely)) for info in rows if info not in likely or len(likely) > 1]
    return boxed + [(info, False) for info in likely if not (shares or named)]


def _are_boxes(network: Network, rows: TensorInfo) -> bool:
    """
    Return whether rows (N, K, columns) begin with boxes, as images show it.

    Of corners the second is never before the first, and few lie outside of the image; pixels are
    positive and large. Scores before their activation are neither.
    """
    if rows.shape[2] < 4:
        return False
    found = np.concatenate(network.trial(rows.name))[..., :4].astype(np.float64)
    if found.min() < -found.max() or found.min() == found.max():
        return False
    ordered = (found[..., 2:] >= found[..., :2]).all()
    return bool(ordered or (found.min() >= -_ROUNDING and found.max() > _MOST_SHARE))


def _are_shares(network: Network, rows: TensorInfo) -> bool:
    """Return whether rows could be centres and sizes in shares of the image: none is negative."""
    found = np.concatenate(network.trial(rows.name))
    adds_up = np.allclose(found.sum(axis=-1), 1, atol=0.02)     # as a softmax does
    return bool(found.min() >= -_ROUNDING and not adds_up)

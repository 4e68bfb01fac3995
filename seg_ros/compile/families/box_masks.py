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

"""Networks that suppress by themselves and draw a small mask over each box: Mask R-CNN."""

from collections.abc import Sequence
from functools import partial

import numpy as np
from seg_ros.compile.export_options import ExportOptions
from seg_ros.compile.families.detections import best, rows_at
from seg_ros.compile.families.output_interpretation import Decoded, OutputInterpretation
from seg_ros.compile.families.probabilities import passes_unit
from seg_ros.compile.families.row_form import box_unit, RowForm
from seg_ros.compile.network import Network
from seg_ros.compile.tensor_info import TensorInfo
from seg_ros.core.card import ModelCard
from spox import Var
import spox.opset.ai.onnx.v17 as op

NAME = 'box_masks'
_LARGEST = 112      # cells a side of a mask over a box: 14, 28 and 56 are usual


def read_box_masks(network: Network) -> list[OutputInterpretation] | str:
    """
    Read boxes (N, K, 4), scores (N, K), labels (N, K) and probabilities over the box (N, K, m, m).

    Boxes are corners in network pixels, or in shares of the image's sides; they may carry the
    scores as a fifth column. Labels are integers that count the card's classes from 0. Masks may
    be before their sigmoid.
    """
    found = [
        _interpretation(network, infos, masks)
        for masks in network.outputs
        for infos in box_tensors(network.outputs, masks)
    ]
    return found or (
        'no outputs of boxes [N, K, 4], scores [N, K], labels [N, K] and masks [N, K, m, m] with '
        'one K'
    )


def _interpretation(
    network: Network, infos: tuple[TensorInfo, ...], masks: TensorInfo
) -> OutputInterpretation:
    """Say what the slots are like that images fill."""
    boxes = np.concatenate(network.trial(infos[0].name)).astype(np.float64)
    labels = np.concatenate(network.trial(infos[1].name)).astype(np.int64)
    scores = np.concatenate(network.trial(infos[3].name)) if len(infos) == 4 else boxes[..., 4]
    seen = labels[scores > 0]
    raw = passes_unit(network, masks.name)
    form = RowForm(box_unit(boxes[scores > 0], network.size_hw), corners=True)
    words = f'{masks.shape[1]} boxes with masks of {masks.shape[2]}x{masks.shape[3]} over them'
    words += (
        f', labels {seen.min()} to {seen.max()} on plain images' if seen.size
        else ', none on plain images: taken to be in pixels'
    )
    if form.unit_xy != (1, 1):
        words += ', boxes from 0 to 1'
    if raw:
        words += ', masks before the sigmoid'
    return OutputInterpretation(
        NAME, 'instance', infos, 0, words, partial(_decode, masks.shape[1], form, raw),
        least_classes=int(seen.max(initial=-1)) + 1,
    )


def _is_box_masks(info: TensorInfo) -> bool:
    if len(info.shape) != 4 or info.dtype.kind != 'f':
        return False
    return info.shape[2] == info.shape[3] <= _LARGEST


def box_tensors(
    outputs: Sequence[TensorInfo], masks: TensorInfo
) -> list[tuple[TensorInfo, ...]]:
    """Return boxes, labels, masks and, where boxes do not carry them, scores, if all are there."""
    if not _is_box_masks(masks):
        return []
    of_slots = [info for info in outputs if info.shape[1:2] == masks.shape[1:2]]
    boxes = [
        info for info in of_slots
        if len(info.shape) == 3 and info.shape[2] in (4, 5) and info.dtype.kind == 'f'
    ]
    flat = [info for info in of_slots if len(info.shape) == 2]
    labels = [info for info in flat if info.dtype.kind in 'iu']
    scores = [info for info in flat if info.dtype.kind == 'f']
    if not (boxes and labels) or (boxes[0].shape[2] == 4 and not scores):
        return []
    return [(boxes[0], labels[0], masks, *(scores[:1] if boxes[0].shape[2] == 4 else ()))]


def _decode(
    slots: int, form: RowForm, raw: bool, tensors: Sequence[Var], card: ModelCard,
    options: ExportOptions,
) -> Decoded:
    """
    Fill the slots best first; a label that is none of the card's classes leaves one empty.

    :param raw: whether masks take a sigmoid still.
    """
    boxes, labels, masks = (op.cast(tensor, to=np.float32) for tensor in tensors[:3])
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
    kept = min(options.max_instances, slots)
    scores, index = best(op.mul(scores, op.cast(above, to=np.float32)), kept)
    filled = op.cast(op.greater(scores, op.const(np.float32(0))), to=np.float32)
    chances = rows_at(op.sigmoid(masks) if raw else masks, index)
    levels = op.round(op.mul(chances, op.const(np.float32(255))))
    return Decoded({
        'boxes': op.mul(rows_at(form.boxes(boxes), index), op.unsqueeze(filled, op.const([2]))),
        'scores': scores,
        'classes': op.cast(op.mul(rows_at(labels, index), filled), to=np.int32),
        'masks': op.cast(levels, to=np.uint8),
    }, {
        'score_floor': options.score_floor, 'max_instances': kept, 'mask_frame': 'box',
        'mask_code': 'probability', 'snap': card.snap,
    })

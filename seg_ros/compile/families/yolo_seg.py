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

"""YOLO segmentation networks: rows of boxes with mask coefficients, beside mask prototypes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from seg_ros.compile.export_options import ExportOptions
from seg_ros.compile.families.detections import best, Candidates, columns_at, detections, rows_at
from seg_ros.compile.families.output_interpretation import Decode, Decoded, OutputInterpretation
from seg_ros.compile.families.row_form import form_of_candidates, form_of_detections, RowForm
from seg_ros.compile.families.strip_output_ops import spans_image
from seg_ros.compile.network import Network
from seg_ros.compile.nms import greedy_nms
from seg_ros.compile.tensor_info import TensorInfo
from seg_ros.core.card import ModelCard
from seg_ros.core.signature import MaskCode
from spox import Var
import spox.opset.ai.onnx.v17 as op

NAME = 'yolo_seg'

# Strides of the maps that the anchors stand on: the usual ones, with P6 and with P2.
_PYRAMIDS = ((8, 16, 32), (8, 16, 32, 64), (4, 8, 16, 32))


@dataclass(frozen=True)
class _Rows:
    """
    What a candidate's row holds: its box, objectness where there is one, classes, coefficients.

    :param anchors: how many rows there are.
    :param first: column of the first class.
    :param iou: at which the network's own post-processing suppresses.
    :param form: of boxes and scores.
    """

    anchors: int
    first: int
    classes: int
    protos: TensorInfo
    iou: float
    mask_code: MaskCode
    form: RowForm

    @property
    def last(self) -> int:
        """Column after the last class."""
        return self.first + self.classes

    def count(self, options: ExportOptions) -> int:
        """Return how many rows enter the suppression."""
        return min(options.top_k, self.anchors)


def read_yolo_seg(network: Network) -> list[OutputInterpretation] | str:
    """
    Read the outputs of the YOLOv5, v7, v8, 9, 11 and 12 exporters, and end-to-end exports.

    Rows and prototypes are recognised by their shapes, so that training outputs beside them do not
    matter. Either may have its axes in the order of other frameworks: rows instead of columns, and
    prototypes with the channels last.
    """
    floats = [tensor_info for tensor_info in network.outputs if tensor_info.dtype.kind == 'f']
    pairs = [
        (rows, protos)
        for rows in floats if len(rows.shape) == 3
        for protos in floats if len(protos.shape) == 4
    ]
    if not pairs:
        return 'no output of boxes, 3 axes, beside one of mask prototypes, 4 axes'
    free = [_anchors(network.size_hw, strides) for strides in _PYRAMIDS]
    found = [
        interpretation
        for rows, protos in pairs
        for interpretation in _read_pair(network, rows, protos, free)
    ]
    return found or (
        f'{" and ".join(map(str, pairs[0]))} are neither [N, {3 * free[0]}, 5 + classes + masks] '
        f'nor [N, 4 + classes + masks, {free[0]}] nor [N, rows, 6 + masks] beside '
        f'[N, masks, h, w]'
    )


def _anchors(size_hw: tuple[int, int], strides: tuple[int, ...]) -> int:
    height, width = size_hw
    return sum(-(-height // stride) * -(-width // stride) for stride in strides)


def _read_pair(
    network: Network, rows: TensorInfo, protos: TensorInfo, free: list[int]
) -> list[OutputInterpretation]:
    """
    Recognise the three layouts of rows, each in both orders of the axes.

    The number of anchors decides before the width does: a network of one class with objectness
    is as wide as an end-to-end one, and so are two classes without it.
    """
    planes = protos if spans_image(network, protos.shape[2:]) else _permuted(protos, (0, 3, 1, 2))
    if not spans_image(network, planes.shape[2:]):
        return []
    for read in (_read_candidates, _read_detections):
        for order in ((0, 1, 2), (0, 2, 1)):
            arrays = [array.transpose(order)[0] for array in network.trial(rows.name)]
            found = read(network, _permuted(rows, order), planes, arrays, free)
            if found is not None:
                classes, words, form, decode = found
                orders = order, (0, 1, 2, 3) if planes is protos else (0, 3, 1, 2)
                return [OutputInterpretation(
                    NAME, 'instance', (rows, protos), classes,
                    f'{words} of {rows.name}, masks of {protos.name}, {planes.shape[1]} '
                    f'coefficients{form}', partial(_decode_in_order, decode, orders),
                )]
    return []


_Found: TypeAlias = 'tuple[int, str, RowForm, Decode] | None'


def _read_candidates(
    network: Network, rows: TensorInfo, protos: TensorInfo, arrays: Sequence[NDArray[Any]],
    free: list[int],
) -> _Found:
    """Recognise a row or a column for each anchor."""
    (_, high, wide), depth = rows.shape, protos.shape[1]
    classes = wide - depth - 5
    if high in [3 * count for count in free] and classes > 0:
        form = form_of_candidates(arrays, slice(4, 5 + classes), network.size_hw)
        anchored = _Rows(high, 5, classes, protos, 0.45, 'probability', form)
        return classes, 'v5 rows', form, partial(_decode_anchored, anchored)
    classes = high - depth - 4
    if wide in free and classes > 0:
        columns = [array.T for array in arrays]
        form = form_of_candidates(columns, slice(4, 4 + classes), network.size_hw)
        anchor_free = _Rows(wide, 4, classes, protos, 0.7, 'logit16', form)
        return classes, 'v8 columns', form, partial(_decode_anchor_free, anchor_free)
    return None


def _read_detections(
    network: Network, rows: TensorInfo, protos: TensorInfo, arrays: Sequence[NDArray[Any]],
    free: list[int],
) -> _Found:
    """Recognise rows that the network has suppressed itself."""
    if rows.shape[2] != protos.shape[1] + 6:
        return None
    form = form_of_detections(arrays, network.size_hw)
    decode = partial(_decode_end_to_end, rows.shape[1], protos, form)
    return 0, 'end-to-end rows', form, decode


def _permuted(info: TensorInfo, order: Sequence[int]) -> TensorInfo:
    return replace(info, shape=tuple(info.shape[axis] for axis in order))


def _decode_in_order(
    decode: Decode, orders: Sequence[Sequence[int]], tensor_infos: Sequence[Var], card: ModelCard,
    options: ExportOptions,
) -> Decoded:
    """Bring rows and prototypes to the axes that `decode` takes."""
    turned = [
        op.transpose(tensor, perm=order) if list(order) != sorted(order) else tensor
        for tensor, order in zip(tensor_infos, orders, strict=True)
    ]
    return decode(turned, card, options)


def _decode_anchored(
    form: _Rows, tensor_infos: Sequence[Var], card: ModelCard, options: ExportOptions
) -> Decoded:
    """
    Decode YOLOv5 and v7: (N, A, box + objectness + classes + coefficients).

    The score is objectness times class; masks are cut as interpolated probabilities.
    """
    rows, prototypes = (op.cast(tensor_info, to=np.float32) for tensor_info in tensor_infos)
    objectness = op.squeeze(_span(rows, 2, 4, 5), op.const([2]))
    likeliest = op.reduce_max(_span(rows, 2, 5, form.last), axes=[2], keepdims=False)
    probabilities = map(form.form.probabilities, (objectness, likeliest))
    scores, index = best(op.mul(*probabilities), form.count(options))
    return _suppressed(form, rows_at(rows, index), scores, prototypes, card, options)


def _decode_anchor_free(
    form: _Rows, tensor_infos: Sequence[Var], card: ModelCard, options: ExportOptions
) -> Decoded:
    """
    Decode YOLOv8 and later: (N, box + classes + coefficients, A).

    Their own post-processing interpolates the masks' logits.
    """
    columns, prototypes = (op.cast(tensor_info, to=np.float32) for tensor_info in tensor_infos)
    widths = [4, form.classes, form.protos.shape[1]]
    parts = op.split(columns, op.const(widths), outputs_count=3, axis=1)
    likeliest = op.reduce_max(parts[1], axes=[1], keepdims=False)
    scores, index = best(form.form.probabilities(likeliest), form.count(options))
    # Only the chosen columns are transposed, not those of all anchors.
    chosen = [columns_at(part, index, width) for part, width in zip(parts, widths, strict=True)]
    rows = op.transpose(op.concat(chosen, axis=1), perm=[0, 2, 1])
    return _suppressed(form, rows, scores, prototypes, card, options)


def _decode_end_to_end(
    count: int,
    protos: TensorInfo,
    form: RowForm,
    tensor_infos: Sequence[Var],
    card: ModelCard,
    options: ExportOptions,
) -> Decoded:
    """Decode rows of x0, y0, x1, y1, score, class, coefficients: the network suppressed them."""
    rows, prototypes = (op.cast(tensor_info, to=np.float32) for tensor_info in tensor_infos)
    scores, classes = (
        op.squeeze(_span(rows, 2, column, column + 1), op.const([2]))
        for column in ((5, 4) if form.class_first else (4, 5))
    )
    candidates = Candidates(
        boxes=form.pixels(_span(rows, 2, 0, 4)),
        scores=scores,
        classes=classes,
        coefficients=_span(rows, 2, 6, 6 + protos.shape[1]),
        count=count,
    )
    kept = _alive(scores, options)
    return detections(candidates, kept, prototypes, protos.shape[1:], options, 'logit16')


def _suppressed(
    form: _Rows, rows: Var, scores: Var, prototypes: Var, card: ModelCard, options: ExportOptions
) -> Decoded:
    """
    Suppress among the chosen rows.

    :param rows: float32 (N, M, box … coefficients), best first.
    """
    depth, count = form.protos.shape[1], form.count(options)
    winner = op.arg_max(_span(rows, 2, form.first, form.last), axis=2, keepdims=False)
    candidates = Candidates(
        boxes=form.form.boxes(_span(rows, 2, 0, 4)),
        scores=scores,
        classes=op.cast(winner, to=np.float32),
        coefficients=_span(rows, 2, form.last, form.last + depth),
        count=count,
    )
    iou = options.iou or card.thresholds.iou or form.iou
    alive = _alive(scores, options)
    kept = greedy_nms(candidates.boxes, candidates.classes, alive, count, iou)
    shape = form.protos.shape[1:]
    decoded = detections(candidates, kept, prototypes, shape, options, form.mask_code)
    notes = [
        f'of {form.anchors} candidates the best {count} enter the suppression: where a crowd has '
        'more above the score floor, the weakest are lost; --top-k takes more'
    ] if count < form.anchors else []
    return Decoded(decoded.tensors, {**decoded.facts, 'iou': iou, 'top_k': count}, notes)


def _alive(scores: Var, options: ExportOptions) -> Var:
    floor = op.const(np.float32(options.score_floor))
    return op.cast(op.greater_or_equal(scores, floor), to=np.float32)


def _span(tensor: Var, axis: int, start: int, stop: int) -> Var:
    return op.slice(tensor, op.const([start]), op.const([stop]), op.const([axis]))

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

"""YOLO segmentation networks with one output for all numbers of a place, and mask prototypes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from seg_ros.compile.export_options import ExportOptions
from seg_ros.compile.families.detections import best, Candidates, columns_at, detections, rows_at
from seg_ros.compile.families.output_interpretation import Decode, Decoded, OutputInterpretation
from seg_ros.compile.families.prototypes import is_part_of_rows, Prototypes, prototypes_of
from seg_ros.compile.families.row_form import (
    filled_rows,
    form_of_candidates,
    form_of_detections,
    RowForm,
)
from seg_ros.compile.families.yolo_candidates import (
    alive_of,
    column,
    IOU,
    is_crowd,
    NAME,
    place_counts,
    scores_of_known,
    span,
    suppressed,
)
from seg_ros.compile.network import Network
from seg_ros.compile.tensor_info import TensorInfo
from seg_ros.core.card import ModelCard
from seg_ros.core.signature import MaskCode
from spox import Var
import spox.opset.ai.onnx.v17 as op

_ANCHORED_IOU = 0.45    # NMS threshold of YOLOv5 and v7


@dataclass(frozen=True)
class _Rows:
    """
    Columns of a candidate's row: box, objectness if there is one, classes, coefficients.

    :param anchors: number of rows.
    :param first: column of the first class.
    :param iou: NMS threshold of the network's own post-processing.
    :param form: form of boxes and scores.
    """

    anchors: int
    first: int
    classes: int
    protos: Prototypes
    iou: float
    mask_code: MaskCode
    form: RowForm

    @property
    def last(self) -> int:
        """Return the column after the last class."""
        return self.first + self.classes

    def count(self, options: ExportOptions) -> int:
        """Return the number of rows that enter the suppression."""
        return min(options.top_k, self.anchors)


def read_rows(network: Network) -> list[OutputInterpretation] | str:
    """
    Read the outputs of the YOLOv5, v7, v8, 9, 11 and 12 exporters, and end-to-end exports.

    Rows and prototypes are recognised by their shapes, so additional training outputs do not
    matter. Both may have axes in the order of other frameworks: rows instead of columns, and
    prototypes with channels last or flattened pixels.
    """
    pairs = [
        (rows, protos)
        for protos in prototypes_of(network)
        for rows in network.outputs
        if len(rows.shape) == 3 and rows.dtype.kind == 'f' and rows is not protos.info
        and not is_part_of_rows(network, rows, protos.depth)
    ]
    if not pairs:
        return 'no output of boxes, 3 axes, beside one of mask prototypes, [N, masks, h, w]'
    free = place_counts(network.size_hw)
    found = [
        interpretation
        for rows, protos in pairs if (interpretation := _read_pair(network, rows, protos, free))
    ]
    rows, protos = pairs[0]
    return found or (
        f'{rows} and {protos.info} are neither [N, {3 * free[0]}, 5 + classes + masks] '
        f'nor [N, 4 + classes + masks, {free[0]}] nor [N, rows, 6 + masks] beside '
        f'[N, masks, h, w]'
    )


def _read_pair(
    network: Network, rows: TensorInfo, protos: Prototypes, free: list[int]
) -> OutputInterpretation | None:
    """
    Recognise the layout of rows, in either order of the axes.

    The number of anchors is tested before the width: rows of one class with objectness are as wide
    as end-to-end rows, and so are rows of two classes without it.
    """
    for read in (_read_labelled, _read_candidates, _read_detections):
        for order in ((0, 1, 2), (0, 2, 1)):
            arrays = [array.transpose(order)[0] for array in network.trial(rows.name)]
            found = read(network, _permuted(rows, order), protos, arrays, free)
            if found is not None:
                return OutputInterpretation(
                    NAME, 'instance', (rows, protos.info), found.classes,
                    f'{found.words} of {rows.name}, masks of {protos.info.name}, {protos.depth} '
                    f'coefficients{found.form}', partial(_decode_in_order, found, order, protos),
                    least_classes=found.least_classes,
                )
    return None


@dataclass(frozen=True)
class _Found:
    """
    A recognised layout.

    :param decode: builds the graph from rows and prototypes, both float32, in their usual order.
    """

    words: str
    form: RowForm
    decode: Decode
    classes: int = 0
    least_classes: int = 0


def _read_labelled(
    network: Network, rows: TensorInfo, protos: Prototypes, arrays: Sequence[NDArray[Any]],
    free: list[int],
) -> _Found | None:
    """Recognise rows of all places with score and label: labels are whole, class scores not."""
    labels = np.concatenate(arrays)[:, 5] if rows.shape[2] == protos.depth + 6 else np.array([.5])
    if rows.shape[1] not in free or (labels != np.rint(labels)).any():
        return None
    return _labelled(network, rows, protos, arrays, 'v8 rows of score and class')


def _read_candidates(
    network: Network, rows: TensorInfo, protos: Prototypes, arrays: Sequence[NDArray[Any]],
    free: list[int],
) -> _Found | None:
    """Recognise a row or a column for each anchor."""
    (_, high, wide), depth = rows.shape, protos.depth
    classes = wide - depth - 5
    if high in [3 * count for count in free] and classes > 0:
        form = form_of_candidates(arrays, slice(4, 5 + classes), network.size_hw)
        anchored = _Rows(high, 5, classes, protos, _ANCHORED_IOU, 'probability', form)
        return _Found('v5 rows', form, partial(_decode_anchored, anchored), classes)
    classes = high - depth - 4
    if wide in free and classes > 0:
        columns = [array.T for array in arrays]
        form = form_of_candidates(columns, slice(4, 4 + classes), network.size_hw)
        anchor_free = _Rows(wide, 4, classes, protos, IOU, 'logit16', form)
        return _Found('v8 columns', form, partial(_decode_anchor_free, anchor_free), classes)
    return None


def _read_detections(
    network: Network, rows: TensorInfo, protos: Prototypes, arrays: Sequence[NDArray[Any]],
    free: list[int],
) -> _Found | None:
    """Recognise rows to which the network has applied NMS."""
    if rows.shape[2] != protos.depth + 6:
        return None
    return _labelled(network, rows, protos, arrays, 'end-to-end rows')


def _labelled(
    network: Network, rows: TensorInfo, protos: Prototypes, arrays: Sequence[NDArray[Any]],
    words: str,
) -> _Found:
    """Read rows of box, score, class and coefficients."""
    form = form_of_detections(arrays, network.size_hw)
    filled = filled_rows(arrays, form)
    iou = IOU if is_crowd(network.size_hw, rows.shape[1]) else 0
    decode = partial(_decode_labelled, rows.shape[1], protos, form, iou)
    if not filled.size:
        words += ' (none on trial images: assumed to be corners in pixels, score before class)'
    labels = filled[:, 4 if form.class_first else 5]
    return _Found(words, form, decode, least_classes=int(labels.max(initial=-1)) + 1)


def _permuted(info: TensorInfo, order: Sequence[int]) -> TensorInfo:
    return replace(info, shape=tuple(info.shape[axis] for axis in order))


def _decode_in_order(
    found: _Found, order: Sequence[int], protos: Prototypes, tensors: Sequence[Var],
    card: ModelCard, options: ExportOptions,
) -> Decoded:
    """Transpose rows and prototypes to the axes that a layout expects."""
    rows, prototypes = op.cast(tensors[0], to=np.float32), protos.planes(tensors[1])
    rows = op.transpose(rows, perm=order) if list(order) != sorted(order) else rows
    return found.decode((rows, prototypes), card, options)


def _decode_anchored(
    form: _Rows, tensors: Sequence[Var], card: ModelCard, options: ExportOptions
) -> Decoded:
    """
    Decode YOLOv5 and v7: (N, A, box + objectness + classes + coefficients).

    The score is objectness times class; masks are thresholded as interpolated probabilities.
    """
    rows, prototypes = tensors
    likeliest = op.reduce_max(span(rows, 5, form.last), axes=[2], keepdims=False)
    probabilities = map(form.form.probabilities, (column(rows, 4), likeliest))
    scores, index = best(op.mul(*probabilities), form.count(options))
    return _suppressed(form, rows_at(rows, index), scores, prototypes, card, options)


def _decode_anchor_free(
    form: _Rows, tensors: Sequence[Var], card: ModelCard, options: ExportOptions
) -> Decoded:
    """
    Decode YOLOv8 and later: (N, box + classes + coefficients, A).

    Their own post-processing interpolates the masks' logits.
    """
    columns, prototypes = tensors
    widths = [4, form.classes, form.protos.depth]
    parts = op.split(columns, op.const(widths), outputs_count=3, axis=1)
    likeliest = op.reduce_max(parts[1], axes=[1], keepdims=False)
    scores, index = best(form.form.probabilities(likeliest), form.count(options))
    # Only the chosen columns are transposed, not those of all anchors.
    chosen = [columns_at(part, index, width) for part, width in zip(parts, widths, strict=True)]
    rows = op.transpose(op.concat(chosen, axis=1), perm=[0, 2, 1])
    return _suppressed(form, rows, scores, prototypes, card, options)


def _suppressed(
    form: _Rows, rows: Var, scores: Var, prototypes: Var, card: ModelCard, options: ExportOptions
) -> Decoded:
    """
    Apply NMS to the selected rows.

    :param rows: float32 (N, M, box … coefficients), best first.
    """
    winner = op.arg_max(span(rows, form.first, form.last), axis=2, keepdims=False)
    candidates = Candidates(
        boxes=form.form.boxes(span(rows, 0, 4)),
        scores=scores,
        classes=op.cast(winner, to=np.float32),
        coefficients=span(rows, form.last, form.last + form.protos.depth),
        count=form.count(options),
    )
    return suppressed(
        candidates, form.anchors, prototypes, form.protos.shape, form.iou, form.mask_code, card,
        options,
    )


def _decode_labelled(
    places: int, protos: Prototypes, form: RowForm, iou: float, tensors: Sequence[Var],
    card: ModelCard, options: ExportOptions,
) -> Decoded:
    """Decode rows of box, score, class and coefficients; `iou` is 0 if NMS was applied."""
    rows, prototypes = tensors
    score, label = (5, 4) if form.class_first else (4, 5)
    scores = scores_of_known(column(rows, score), column(rows, label), card)
    count = min(options.top_k, places) if iou else places
    scores, index = best(scores, count)
    rows = rows_at(rows, index)
    candidates = Candidates(
        form.boxes(span(rows, 0, 4)), scores, column(rows, label),
        span(rows, 6, 6 + protos.depth), count,
    )
    if iou:
        return suppressed(
            candidates, places, prototypes, protos.shape, iou, 'logit16', card, options
        )
    kept = alive_of(candidates, options)
    return detections(candidates, kept, prototypes, protos.shape, options, 'logit16')

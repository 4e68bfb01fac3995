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

"""YOLO segmentation networks with one output for all numbers of an anchor, and mask prototypes."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product

import numpy as np
from seg_ros.compile.export_options import ExportOptions
from seg_ros.compile.families.anchor_tensor import AnchorTensor
from seg_ros.compile.families.detections import (
    Candidates,
    column,
    columns,
    columns_at,
    rows_at,
    top_k,
)
from seg_ros.compile.families.output_interpretation import Decode, Decoded, OutputInterpretation
from seg_ros.compile.families.prototypes import is_part_of_rows, Prototypes, prototypes_of
from seg_ros.compile.families.row_form import (
    filled_rows,
    form_of_labelled,
    form_of_rows,
    RowForm,
)
from seg_ros.compile.families.yolo_candidates import (
    anchor_counts,
    instances,
    IOU,
    NAME,
    own_iou,
    scores_of_known,
)
from seg_ros.compile.network import Network
from seg_ros.compile.tensor_info import TensorInfo
from seg_ros.core.card import ModelCard
from seg_ros.core.signature import MaskCode
from spox import Var
import spox.opset.ai.onnx.v17 as op

_V5_IOU = 0.45    # NMS threshold of YOLOv5 and v7


@dataclass(frozen=True)
class _Layout:
    """
    Columns of a row: box, objectness if there is one, classes, coefficients.

    :param first: column of the first class, or of score and label.
    :param classes: number of class columns; 2 for score and label.
    :param iou: NMS threshold of the network's own post-processing; 0 if the network applied it.
    """

    rows: AnchorTensor
    protos: Prototypes
    form: RowForm
    first: int
    classes: int
    iou: float = IOU
    mask_code: MaskCode = 'logit16'

    @property
    def classes_end(self) -> int:
        """Return the column after the last class."""
        return self.first + self.classes

    def count(self, options: ExportOptions) -> int:
        """Return the number of rows to select."""
        return min(options.top_k, self.rows.anchors) if self.iou else self.rows.anchors

    def selected(
        self, rows: Var, scores: Var, labels: Var, prototypes: Var, card: ModelCard,
        options: ExportOptions,
    ) -> Decoded:
        """Decode the selected rows, best first: rows (N, M, columns), the others (N, M)."""
        candidates = Candidates(
            self.form.boxes(columns(rows, 0, 4)), scores, labels,
            columns(rows, self.classes_end, self.classes_end + self.protos.depth),
            self.count(options),
        )
        return instances(
            candidates, self.protos, prototypes, self.rows.anchors, card, options, self.iou,
            self.mask_code,
        )


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
    found = [
        interpretation
        for rows, protos in pairs if (interpretation := _read_pair(network, rows, protos))
    ]
    (rows, protos), anchors = pairs[0], anchor_counts(network.size_hw)[0]
    return found or (
        f'{rows} and {protos.info} are neither [N, {3 * anchors}, 5 + classes + masks] '
        f'nor [N, 4 + classes + masks, {anchors}] nor [N, rows, 6 + masks] with scores from 0 to '
        '1 or logits, beside [N, masks, h, w]'
    )


def _read_pair(
    network: Network, info: TensorInfo, protos: Prototypes
) -> OutputInterpretation | None:
    """
    Recognise the layout of rows, in either order of the axes.

    The number of anchors is tested before the number of columns: rows of one class with objectness
    have as many columns as end-to-end rows, and so have rows of two classes without it.
    """
    for read, is_first in product((_read_labelled, _read_candidates, _read_kept), (False, True)):
        found = read(network, AnchorTensor(info, is_first), protos)
        if found is not None:
            return found
    return None


def _read_labelled(
    network: Network, rows: AnchorTensor, protos: Prototypes
) -> OutputInterpretation | None:
    """Recognise rows of all anchors with score and label: labels are whole, class scores not."""
    if rows.anchors not in anchor_counts(network.size_hw) or rows.columns != protos.depth + 6:
        return None
    labels = rows.values(network)[:, 5]
    is_whole = (labels == np.rint(labels)).all()
    return _labelled(network, rows, protos, 'v8 rows of score and class') if is_whole else None


def _read_kept(
    network: Network, rows: AnchorTensor, protos: Prototypes
) -> OutputInterpretation | None:
    """Recognise rows to which the network has applied NMS."""
    if rows.columns != protos.depth + 6:
        return None
    return _labelled(network, rows, protos, 'end-to-end rows')


def _read_candidates(
    network: Network, rows: AnchorTensor, protos: Prototypes
) -> OutputInterpretation | None:
    """Recognise three rows for each cell (YOLOv5 and v7), or one (v8 and later)."""
    counts = anchor_counts(network.size_hw)
    is_v5 = rows.anchors in [3 * count for count in counts]
    first = 5 if is_v5 else 4
    classes = rows.columns - first - protos.depth
    if classes < 1 or not (is_v5 or rows.anchors in counts):
        return None
    values = rows.values(network)
    form = form_of_rows(values, network.size_hw, values[:, 4:first + classes])
    if is_v5:
        layout = _Layout(rows, protos, form, first, classes, _V5_IOU, 'probability')
        return _interpretation(layout, 'v5 rows', partial(_decode_v5, layout), classes)
    layout = _Layout(rows, protos, form, first, classes)
    return _interpretation(layout, 'v8 columns', partial(_decode_v8, layout), classes)


def _labelled(
    network: Network, rows: AnchorTensor, protos: Prototypes, words: str
) -> OutputInterpretation | None:
    """Read rows of box, score, class and coefficients."""
    values = rows.values(network)
    form = form_of_labelled(values, network.size_hw)
    if form is None:
        return None
    filled = filled_rows(values, form)
    layout = _Layout(rows, protos, form, 4, 2, own_iou(network.size_hw, rows.anchors))
    if not filled.size:
        words += ' (none on trial images: assumed to be corners in pixels, score before class)'
    labels = filled[:, form.score_and_label[1]]
    return _interpretation(
        layout, words, partial(_decode_labelled, layout), 0, int(labels.max(initial=-1)) + 1
    )


def _interpretation(
    layout: _Layout, words: str, decode: Decode, classes: int, least_classes: int = 0
) -> OutputInterpretation:
    rows, protos = layout.rows.info, layout.protos
    return OutputInterpretation(
        NAME, 'instance', (rows, protos.info), classes,
        ', '.join([
            f'{words} of {rows.name}', f'masks of {protos.info.name}',
            f'{protos.depth} coefficients', *layout.form.facts,
        ]),
        decode, least_classes=least_classes,
    )


def _decode_v5(
    layout: _Layout, tensors: Sequence[Var], card: ModelCard, options: ExportOptions
) -> Decoded:
    """
    Decode YOLOv5 and v7: (N, A, box + objectness + classes + coefficients).

    The score is objectness times class; masks are thresholded as interpolated probabilities.
    """
    rows = layout.rows.rows(tensors[0])
    likeliest = op.reduce_max(columns(rows, 5, layout.classes_end), axes=[2], keepdims=False)
    probabilities = map(layout.form.probabilities, (column(rows, 4), likeliest))
    scores, index = top_k(op.mul(*probabilities), layout.count(options))
    rows = rows_at(rows, index)
    return layout.selected(rows, scores, _labels(layout, rows), tensors[1], card, options)


def _decode_v8(
    layout: _Layout, tensors: Sequence[Var], card: ModelCard, options: ExportOptions
) -> Decoded:
    """
    Decode YOLOv8 and later: (N, box + classes + coefficients, A).

    Their own post-processing interpolates the masks' logits.
    """
    tensor = op.cast(tensors[0], to=np.float32)
    if not layout.rows.columns_first:
        tensor = op.transpose(tensor, perm=[0, 2, 1])
    widths = [4, layout.classes, layout.protos.depth]
    parts = op.split(tensor, op.const(widths), outputs_count=3, axis=1)
    likeliest = op.reduce_max(parts[1], axes=[1], keepdims=False)
    scores, index = top_k(layout.form.probabilities(likeliest), layout.count(options))
    # Only the chosen columns are transposed, not those of all anchors.
    chosen = [columns_at(part, index, width) for part, width in zip(parts, widths, strict=True)]
    rows = op.transpose(op.concat(chosen, axis=1), perm=[0, 2, 1])
    return layout.selected(rows, scores, _labels(layout, rows), tensors[1], card, options)


def _labels(layout: _Layout, rows: Var) -> Var:
    """Return the best class of each row, float32 (N, M)."""
    scores = columns(rows, layout.first, layout.classes_end)
    return op.cast(op.arg_max(scores, axis=2, keepdims=False), to=np.float32)


def _decode_labelled(
    layout: _Layout, tensors: Sequence[Var], card: ModelCard, options: ExportOptions
) -> Decoded:
    """Decode rows of box, score, class and coefficients."""
    rows = layout.rows.rows(tensors[0])
    score, label = layout.form.score_and_label
    scores = layout.form.probabilities(column(rows, score))
    scores = scores_of_known(scores, column(rows, label), card)
    scores, index = top_k(scores, layout.count(options))
    rows = rows_at(rows, index)
    return layout.selected(rows, scores, column(rows, label), tensors[1], card, options)

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

"""YOLO segmentation networks with separate outputs for boxes, scores and mask coefficients."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from seg_ros.compile.export_options import ExportOptions
from seg_ros.compile.families.anchor_tensor import AnchorTensor
from seg_ros.compile.families.detections import Candidates, rows_at, top_k
from seg_ros.compile.families.output_interpretation import Decoded, OutputInterpretation
from seg_ros.compile.families.prototypes import Prototypes, prototypes_of
from seg_ros.compile.families.row_form import box_unit, form_of_rows, RowForm
from seg_ros.compile.families.score_and_label import score_and_label
from seg_ros.compile.families.strip_output_ops import integer_source
from seg_ros.compile.families.yolo_candidates import (
    anchor_counts,
    instances,
    likeliest_scores,
    NAME,
    own_iou,
    scores_of_known,
    SUM_ROUNDING,
)
from seg_ros.compile.network import Network
from seg_ros.compile.tensor_info import TensorInfo
from seg_ros.compile.tensor_ops import scalar
from seg_ros.core.card import ModelCard
from spox import Var
import spox.opset.ai.onnx.v17 as op

_BOX = 4    # columns of boxes


@dataclass(frozen=True)
class _Parts:
    """
    Outputs that belong to the same anchors.

    :param labels: each anchor's class if the network selects it; `scores` are then of that class.
    :param iou: NMS threshold; 0 if the network has applied NMS to the anchors.
    """

    boxes: AnchorTensor
    scores: AnchorTensor
    coefficients: AnchorTensor
    labels: AnchorTensor | None
    protos: Prototypes
    iou: float

    @property
    def infos(self) -> tuple[TensorInfo, ...]:
        """Return the tensors that exist."""
        parts = self.boxes, self.scores, self.coefficients, self.labels
        return (self.protos.info, *(part.info for part in parts if part))


def read_parts(network: Network) -> list[OutputInterpretation] | str:
    """
    Read boxes of 4 columns, class scores or score and label, and coefficients of the same anchors.

    Qualcomm's AI Hub and other vendors' tools write separate outputs, to quantise each by itself.
    Anchors are those of the whole image, or those that the network has kept.

    :returns: empty if there are no boxes of 4 columns.
    """
    found = [
        _interpretation(network, parts)
        for protos in prototypes_of(network)
        if protos.depth != _BOX and (parts := _parts(network, protos))
    ]
    if found or not any(len(info.shape) == 3 and 4 in info.shape for info in network.outputs):
        return found
    return (
        'no outputs of boxes [N, A, 4] over the whole image, class scores [N, A, C] or scores '
        '[N, A] and labels [N, A], coefficients [N, A, masks] and prototypes [N, masks, h, w] '
        'with one A'
    )


def _parts(network: Network, protos: Prototypes) -> _Parts | None:
    """Find the outputs that belong to prototypes."""
    others = [info for info in network.outputs if info is not protos.info]
    counts = [
        side for info in others if len(info.shape) == 3 and protos.depth in info.shape[1:]
        for side in info.shape[1:] if side != protos.depth
    ]
    found = (_parts_of(network, protos, others, anchors) for anchors in dict.fromkeys(counts))
    return next(filter(None, found), None)


def _parts_of(
    network: Network, protos: Prototypes, others: Sequence[TensorInfo], anchors: int
) -> _Parts | None:
    """Identify the outputs of the same anchors, by shape and, if ambiguous, by values."""
    parts = [part for info in others if (part := _part(network, info, anchors))]
    single = [part for part in parts if part.columns == 1]
    wide = [part for part in parts if part.columns > 1]
    scores = _class_scores(network, wide, protos.depth) if len(wide) == 3 else None
    if scores and not all(_repeats(network, one, scores) for one in single):
        return None
    scores, labels = (scores, None) if scores else _score_and_label(network, single)
    rest = {part.columns: part for part in wide if part is not scores}
    if not scores or {*rest} != {_BOX, protos.depth}:
        return None
    iou = own_iou(network.size_hw, anchors)
    if iou and not _span_image(network, rest[_BOX]):
        return None
    if not labels and anchors not in anchor_counts(network.size_hw):
        return None
    return _Parts(rest[_BOX], scores, rest[protos.depth], labels, protos, iou)


def _part(network: Network, output: TensorInfo, anchors: int) -> AnchorTensor | None:
    """Return an output with all anchors along an axis, before casts to bytes; otherwise None."""
    (info,) = network.tensor_infos([integer_source(network, output.name)])
    if info.shape == (1, anchors):
        return AnchorTensor(info)
    if len(info.shape) != 3 or anchors not in info.shape[1:]:
        return None
    return AnchorTensor(info, info.shape[1] != anchors)


def _span_image(network: Network, boxes: AnchorTensor) -> bool:
    """Return whether boxes of all anchors span the image, unlike distances from the anchors."""
    values = boxes.values(network)
    relative = box_unit(values, network.size_hw) != (1, 1)
    return relative or bool(values.max() > max(network.size_hw) / 2)


def _class_scores(
    network: Network, wide: Sequence[AnchorTensor], depth: int
) -> AnchorTensor | None:
    """Return the class scores among three outputs; the others are boxes and coefficients."""
    fits = [
        part for part in wide
        if sorted(other.columns for other in wide if other is not part) == sorted((_BOX, depth))
    ]
    return likeliest_scores([(part.values(network), part) for part in fits])


def _repeats(network: Network, single: AnchorTensor, scores: AnchorTensor) -> bool:
    """Return whether an output only repeats the class scores, unlike an objectness."""
    found, each = single.values(network)[:, 0], scores.values(network)
    return any(
        np.allclose(found, known, atol=SUM_ROUNDING)
        for known in (each.max(axis=1), each.argmax(axis=1), each.sum(axis=1).clip(0, 1))
    )


def _score_and_label(
    network: Network, single: Sequence[AnchorTensor]
) -> tuple[AnchorTensor | None, AnchorTensor | None]:
    """Return scores, and labels if there are any."""
    if len(single) == 1 and single[0].info.dtype.kind == 'f':
        return single[0], None
    pair = score_and_label(network, [part.info for part in single])
    if not pair:
        return None, None
    scores, labels = (next(part for part in single if part.info is info) for info in pair)
    return scores, labels


def _interpretation(network: Network, parts: _Parts) -> OutputInterpretation:
    """Describe the anchors that trial images fill."""
    scores, boxes = parts.scores.values(network), parts.boxes.values(network)
    filled = scores.max(axis=1) > 0
    seen = boxes if parts.iou else boxes[filled]
    form = form_of_rows(seen, network.size_hw, scores)
    labels = parts.labels.values(network)[filled] if parts.labels else np.zeros(0)
    kept = 'of which the network suppressed none' if parts.iou else 'which the network kept'
    facts = [f'{parts.boxes.anchors} anchors', kept]
    if not seen.size:
        facts.append('none on trial images: assumed to be corners in pixels')
    facts += [f'{parts.protos.depth} coefficients', *form.facts]
    return OutputInterpretation(
        NAME, 'instance', parts.infos, 0 if parts.labels else parts.scores.columns,
        ', '.join(facts), partial(_decode, parts, form),
        least_classes=int(labels.max(initial=-1)) + 1,
    )


def _decode(
    parts: _Parts, form: RowForm, tensors: Sequence[Var], card: ModelCard, options: ExportOptions
) -> Decoded:
    """Select the best anchors, and apply NMS to them if the network has not."""
    boxes, scores, coefficients, *labels = (
        op.cast(tensor, to=np.float32) for tensor in tensors[1:]
    )
    likeliest = form.probabilities(parts.scores.highest(scores))
    if parts.labels:
        likeliest = scores_of_known(likeliest, parts.labels.highest(labels[0]), card)
    anchors = parts.boxes.anchors
    count = min(options.top_k, anchors) if parts.iou else anchors
    likeliest, index = top_k(likeliest, count)
    candidates = Candidates(
        form.boxes(parts.boxes.at(boxes, index)), likeliest,
        _classes(parts, scores, labels, index), parts.coefficients.at(coefficients, index), count,
    )
    return instances(candidates, parts.protos, tensors[0], anchors, card, options, parts.iou)


def _classes(parts: _Parts, scores: Var, labels: Sequence[Var], index: Var) -> Var:
    """Return the classes of selected anchors, float32 (N, M)."""
    if parts.labels:
        return rows_at(parts.labels.highest(labels[0]), index)
    if len(parts.scores.info.shape) == 2:
        return op.mul(rows_at(scores, index), scalar(0))
    winner = op.arg_max(parts.scores.at(scores, index), axis=2, keepdims=False)
    return op.cast(winner, to=np.float32)

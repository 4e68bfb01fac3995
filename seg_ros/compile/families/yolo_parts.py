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
from typing import NamedTuple

import numpy as np
from seg_ros.compile.export_options import ExportOptions
from seg_ros.compile.families.detections import best, Candidates, columns_at, detections, rows_at
from seg_ros.compile.families.output_interpretation import Decoded, OutputInterpretation
from seg_ros.compile.families.prototypes import Prototypes, prototypes_of
from seg_ros.compile.families.row_form import are_corners, beyond_unit, box_unit, RowForm
from seg_ros.compile.families.score_and_label import score_and_label
from seg_ros.compile.families.strip_output_ops import integer_source
from seg_ros.compile.families.yolo_candidates import (
    alive_of,
    IOU,
    is_crowd,
    likeliest_scores,
    NAME,
    Numbers,
    place_counts,
    scores_of_known,
    suppressed,
)
from seg_ros.compile.network import Network
from seg_ros.compile.tensor_info import TensorInfo
from seg_ros.compile.tensor_ops import scalar
from seg_ros.core.card import ModelCard
from spox import Var
import spox.opset.ai.onnx.v17 as op

_BOX = 4            # columns of boxes
_ROUNDING = 0.02    # rounding error of sums in half precision


class Strip(NamedTuple):
    """
    An output with some numbers for each place: (N, A, columns), or (N, A) for a single number.

    :param turned: whether the axes are (N, columns, A).
    """

    info: TensorInfo
    columns: int
    turned: bool

    def values(self, network: Network) -> Numbers:
        """Return the values on trial images, (images, A, columns)."""
        arrays: Numbers = np.concatenate(network.trial(self.info.name)).astype(np.float64)
        ordered = arrays.transpose(0, 2, 1) if self.turned else arrays
        return ordered.reshape(len(arrays), -1, self.columns)

    def highest(self, tensor: Var) -> Var:
        """Return the highest number of each place, (N, A)."""
        if len(self.info.shape) == 2:
            return tensor
        return op.reduce_max(tensor, axes=[1 if self.turned else 2], keepdims=False)

    def at(self, tensor: Var, index: Var) -> Var:
        """Return the numbers of selected places, (N, M, columns)."""
        if self.turned:
            return op.transpose(columns_at(tensor, index, self.columns), perm=[0, 2, 1])
        return rows_at(tensor, index)


@dataclass(frozen=True)
class Parts:
    """
    Outputs that belong to the same places.

    :param labels: each place's class if the network selects it; `scores` are then of that class.
    :param crowded: whether the network has not applied NMS to the places.
    """

    places: int
    boxes: Strip
    scores: Strip
    coefficients: Strip
    labels: Strip | None
    protos: Prototypes
    crowded: bool

    @property
    def infos(self) -> tuple[TensorInfo, ...]:
        """Return the tensors that exist."""
        strips = [self.boxes, self.scores, self.coefficients, *([self.labels] * bool(self.labels))]
        return (self.protos.info, *(strip.info for strip in strips if strip))


def read_parts(network: Network) -> list[OutputInterpretation] | str:
    """
    Read boxes of 4 columns, class scores or score and label, and coefficients of the same places.

    Qualcomm's AI Hub and other vendors' tools write separate outputs, to quantise each by itself.
    Places are those of the whole image, or those that the network has kept.

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


def _parts(network: Network, protos: Prototypes) -> Parts | None:
    """Find the outputs that belong to prototypes, by shape and, if ambiguous, by values."""
    others = [info for info in network.outputs if info is not protos.info]
    counts = [
        side for info in others if len(info.shape) == 3 and protos.depth in info.shape[1:]
        for side in info.shape[1:] if side != protos.depth
    ]
    for places in dict.fromkeys(counts):
        strips = [strip for info in others if (strip := _strip(network, info, places))]
        single = [strip for strip in strips if strip.columns == 1]
        wide = [strip for strip in strips if strip.columns > 1]
        scores = _class_scores(network, wide, protos.depth) if len(wide) == 3 else None
        scores, labels = (scores, None) if scores else _score_and_label(network, single)
        rest = {strip.columns: strip for strip in wide if strip is not scores}
        everywhere = places in place_counts(network.size_hw)
        crowded = is_crowd(network.size_hw, places)
        if not scores or {*rest} != {_BOX, protos.depth} or not (labels or everywhere):
            continue
        if scores in wide and not all(_repeats(network, one, scores) for one in single):
            continue
        if not crowded or _spans(network, rest[_BOX]):
            return Parts(places, rest[_BOX], scores, rest[protos.depth], labels, protos, crowded)
    return None


def _strip(network: Network, output: TensorInfo, places: int) -> Strip | None:
    """Return an output with all places along an axis, before casts to bytes; otherwise None."""
    (info,) = network.tensor_infos([integer_source(network, output.name)])
    if info.shape == (1, places):
        return Strip(info, 1, False)
    if len(info.shape) != 3 or places not in info.shape[1:]:
        return None
    turned = info.shape[1] != places
    return Strip(info, info.shape[1 if turned else 2], turned)


def _spans(network: Network, boxes: Strip) -> bool:
    """Return whether boxes of all places span the image, unlike distances from the places."""
    values = boxes.values(network).reshape(-1, 4)
    relative = box_unit(values, network.size_hw) != (1, 1)
    return relative or bool(values.max() > max(network.size_hw) / 2)


def _class_scores(network: Network, wide: Sequence[Strip], depth: int) -> Strip | None:
    """Return the class scores among three strips; the other two are boxes and coefficients."""
    fits = [
        strip for strip in wide
        if sorted(other.columns for other in wide if other is not strip) == sorted((_BOX, depth))
    ]
    return likeliest_scores([(strip.values(network), strip) for strip in fits])


def _repeats(network: Network, single: Strip, scores: Strip) -> bool:
    """Return whether a strip only repeats the class scores, unlike an objectness."""
    found, each = single.values(network)[..., 0], scores.values(network)
    return any(
        np.allclose(found, known, atol=_ROUNDING)
        for known in (each.max(axis=2), each.argmax(axis=2), each.sum(axis=2).clip(0, 1))
    )


def _score_and_label(
    network: Network, single: Sequence[Strip]
) -> tuple[Strip | None, Strip | None]:
    """Return scores, and labels if there are any."""
    if len(single) == 1 and single[0].info.dtype.kind == 'f':
        return single[0], None
    pair = score_and_label(network, [strip.info for strip in single])
    if not pair:
        return None, None
    scores, labels = (next(strip for strip in single if strip.info is info) for info in pair)
    return scores, labels


def _interpretation(network: Network, parts: Parts) -> OutputInterpretation:
    """Describe the places that trial images fill."""
    scores = parts.scores.values(network)
    boxes, filled = parts.boxes.values(network), scores.max(axis=2) > 0
    seen = boxes if parts.crowded else boxes[filled]
    seen = seen.reshape(-1, 4)
    form = RowForm(
        box_unit(seen, network.size_hw), are_corners(seen), logits=beyond_unit(scores)
    )
    labels = parts.labels.values(network)[filled] if parts.labels else np.zeros(0)
    words = f'{parts.places} places, ' + (
        'of which the network suppressed none' if parts.crowded else 'which the network kept'
    )
    if not seen.size:
        words += ', none on trial images: assumed to be corners in pixels'
    return OutputInterpretation(
        NAME, 'instance', parts.infos, 0 if parts.labels else parts.scores.columns,
        f'{words}, {parts.protos.depth} coefficients{form}', partial(_decode, parts, form),
        least_classes=int(labels.max(initial=-1)) + 1,
    )


def _decode(
    parts: Parts, form: RowForm, tensors: Sequence[Var], card: ModelCard, options: ExportOptions
) -> Decoded:
    """Select the best places, and apply NMS to them if the network has not."""
    prototypes = parts.protos.planes(tensors[0])
    boxes, scores, coefficients, *labels = (
        op.cast(tensor, to=np.float32) for tensor in tensors[1:]
    )
    likeliest = form.probabilities(parts.scores.highest(scores))
    if parts.labels:
        likeliest = scores_of_known(likeliest, parts.labels.highest(labels[0]), card)
    count = min(options.top_k, parts.places) if parts.crowded else parts.places
    likeliest, index = best(likeliest, count)
    candidates = Candidates(
        form.boxes(parts.boxes.at(boxes, index)), likeliest,
        _classes(parts, scores, labels, index), parts.coefficients.at(coefficients, index), count,
    )
    if parts.crowded:
        return suppressed(
            candidates, parts.places, prototypes, parts.protos.shape, IOU, 'logit16', card, options
        )
    kept = alive_of(candidates, options)
    return detections(candidates, kept, prototypes, parts.protos.shape, options, 'logit16')


def _classes(parts: Parts, scores: Var, labels: Sequence[Var], index: Var) -> Var:
    """Return the classes of selected places, float32 (N, M)."""
    if parts.labels:
        return rows_at(parts.labels.highest(labels[0]), index)
    if len(parts.scores.info.shape) == 2:
        return op.mul(rows_at(scores, index), scalar(0))
    winner = op.arg_max(parts.scores.at(scores, index), axis=2, keepdims=False)
    return op.cast(winner, to=np.float32)

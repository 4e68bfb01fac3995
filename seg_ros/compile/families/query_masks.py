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

"""
Networks of queries, each with class scores and a soft mask: MaskFormer, Mask2Former, EoMT, DETR.

References: B. Cheng et al., MaskFormer, 2021, section 3.4, and Mask2Former, CVPR 2022; Carion et
al., DETR, 2020, section 5; RF-DETR's post-processing for sigmoid scores.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from seg_ros.compile.export_options import ExportOptions
from seg_ros.compile.families.derived_outputs import computed_from
from seg_ros.compile.families.detections import best, rows_at
from seg_ros.compile.families.mask_boxes import boxes_of_masks
from seg_ros.compile.families.output_interpretation import Decoded, OutputInterpretation
from seg_ros.compile.families.probabilities import holds_probabilities, logit_levels, logits_of
from seg_ros.compile.families.query_boxes import scores_beside_boxes
from seg_ros.compile.families.score_meaning import unread_scores
from seg_ros.compile.families.slot_tensors import slots_of
from seg_ros.compile.families.strip_output_ops import before_transpose, spans_image
from seg_ros.compile.network import Network
from seg_ros.compile.tensor_info import TensorInfo
from seg_ros.compile.tensor_ops import indicator, scalar
from seg_ros.core.card import ModelCard, Task
from spox import Var
import spox.opset.ai.onnx.v17 as op

NAME = 'query_masks'
_MAX_STRIDE = 8     # of masks beside boxes; coarser masks lie over the boxes
_MIN_NOTHING = 0.2      # fraction of queries; most queries of a network find nothing


@dataclass(frozen=True)
class _Queries:
    """
    Properties of the queries.

    :param count: number of queries.
    :param classes: number of classes without the no-object class.
    :param map_hw: height and width of the masks.
    :param network_hw: height and width of the image.
    :param nothing: whether the last column is the no-object class.
    :param softmax: whether scores are a softmax over all columns, not a sigmoid for each class.
    :param boxed: whether the network also gives boxes; scores then depend on classes alone, not
        on masks.
    :param scored: whether class scores are already probabilities.
    :param masked: whether masks are already probabilities.
    """

    count: int
    classes: int
    map_hw: tuple[int, int]
    network_hw: tuple[int, int]
    nothing: bool
    softmax: bool
    boxed: bool
    scored: bool
    masked: bool

    def __str__(self) -> str:
        facts = {
            'boxes': self.boxed, 'class scores from 0 to 1': self.scored,
            'masks from 0 to 1': self.masked,
        }
        more = ''.join(f', {words}' for words, is_so in facts.items() if is_so)
        return f'{self.count} queries, masks of {self.map_hw[0]}x{self.map_hw[1]}{more}'


def read_query_masks(network: Network) -> list[OutputInterpretation] | str:
    """
    Read class scores (N, Q, C) and masks (N, Q, h, w), with or without boxes (N, Q, 4).

    Values from 0 to 1 are probabilities, other values are logits. Scores with one class more than
    the card are a softmax whose last class is the no-object class; scores with as many classes
    are independent sigmoids. The card's `scores` overrides this. Masks that the network transposes
    to (N, h, w, Q) are read from before that.
    """
    floats = [info for info in network.outputs if info.dtype.kind == 'f']
    of_slots = [slots.boxes for slots in slots_of(network)]
    found = [
        interpretation
        for output in floats if len(output.shape) == 4
        for masks in [before_transpose(network, output)]
        if spans_image(network, masks.shape[2:])
        for interpretation in _readings(network, output, masks, [
            info for info in floats if len(info.shape) == 3 and info.shape[1] == masks.shape[1]
            and info not in of_slots
        ])
    ]
    return found or (
        'no outputs of class scores [N, Q, C] and masks [N, Q, h, w] over the image with one Q; '
        'masks [N, h, w, Q] can be read if a Transpose is their last operator'
    )


def _readings(
    network: Network, output: TensorInfo, masks: TensorInfo, rows: Sequence[TensorInfo]
) -> list[OutputInterpretation]:
    """
    List the interpretations of masks and rows of the same queries, for every task.

    :param output: the output that gives the masks.
    """
    # Drop rows computed from others, such as a softmax of the scores: they are not boxes.
    rows = [info for info in rows if not any(
        computed_from(network, {info.name}, {other.name}) for other in rows if other is not info
    )]
    _, count, height, width = masks.shape
    return [
        OutputInterpretation(
            NAME, task, (scores, masks), queries.classes, str(queries),
            partial(_decode, task, queries, _rarely_nothing(network, queries, scores)),
            outputs=() if masks is output else (scores.name, output.name),
        )
        for scores, boxed in scores_beside_boxes(network, rows)
        if not boxed or network.size_hw[0] <= _MAX_STRIDE * height
        for nothing in (True, False)
        # Networks with boxes are trained for instances: that task comes first.
        for task in sorted(_DECODERS, key=lambda task: boxed and task != 'instance')
        for queries in [_Queries(
            count, scores.shape[2] - nothing, (height, width), network.size_hw, nothing, nothing,
            boxed, *(holds_probabilities(network, info.name) for info in (scores, masks)),
        )]
        if queries.classes
    ]


def _rarely_nothing(network: Network, queries: _Queries, scores: TensorInfo) -> bool:
    """Return whether the last column is rarely the highest, unlike a no-object class."""
    if not (queries.nothing and queries.boxed) or queries.scored:
        return False
    best = np.concatenate(network.trial_values(scores.name)).argmax(axis=-1)
    return bool((best == queries.classes).mean() < _MIN_NOTHING)


def _decode(
    task: Task, queries: _Queries, doubtful: bool, tensors: Sequence[Var], card: ModelCard,
    options: ExportOptions,
) -> Decoded:
    """Decode scores as the card says; warn if it does not say and they look like sigmoids."""
    if card.scores in ('softmax', 'sigmoid', 'multilabel'):
        queries = replace(queries, softmax=card.scores == 'softmax')
    decoded = _DECODERS[task](queries, tensors, card, options)
    if queries.scored:
        notes = unread_scores(card, 'class scores are probabilities already')
        return replace(decoded, notes=[*decoded.notes, *notes])
    kind = 'a softmax over all columns' if queries.softmax else 'a sigmoid for each class'
    last = ', of which the last is not a class of the card' * queries.nothing
    notes = [*decoded.notes, f'class scores are {kind}{last}']
    if doubtful and not card.scores:
        notes.append(
            'warning: the last column of class scores is rarely the highest: if it is a sigmoid '
            'like the others, as in RF-DETR, set scores: sigmoid in the card; scores: softmax '
            'confirms what is assumed'
        )
    return replace(decoded, notes=notes)


def _all_probabilities(queries: _Queries, scores: Var) -> Var:
    """Return class probabilities (N, Q, columns), including the no-object class."""
    scores = op.cast(scores, to=np.float32)
    if queries.scored:
        return scores
    return op.softmax(scores, axis=2) if queries.softmax else op.sigmoid(scores)


def _probabilities(queries: _Queries, scores: Var) -> Var:
    """Return class probabilities (N, Q, C) without the no-object class."""
    columns = _all_probabilities(queries, scores)
    if not queries.nothing:
        return columns
    return op.slice(columns, op.const([0]), op.const([queries.classes]), op.const([2]))


def _flat(queries: _Queries, masks: Var) -> Var:
    """Return masks with flattened pixels, (N, Q, h * w)."""
    cells = queries.map_hw[0] * queries.map_hw[1]
    return op.reshape(
        op.cast(masks, to=np.float32), op.const(np.array([-1, queries.count, cells]))
    )


def _mask_probabilities(queries: _Queries, masks: Var) -> Var:
    """Return masks as probabilities."""
    return masks if queries.masked else op.sigmoid(masks)


def _decode_semantic(
    queries: _Queries, tensors: Sequence[Var], card: ModelCard, options: ExportOptions
) -> Decoded:
    """
    Sum the masks' probabilities, weighted by the class probabilities.

    The sums are interpolated without normalisation, as in the networks' own post-processing;
    a pixel's confidence is the share of its class in their total.
    """
    probabilities = op.transpose(_probabilities(queries, tensors[0]), perm=[0, 2, 1])
    sums = op.matmul(probabilities, _mask_probabilities(queries, _flat(queries, tensors[1])))
    square = op.reshape(sums, op.const(np.array([-1, queries.classes, *queries.map_hw])))
    return Decoded({'logits': square}, {
        'upsampling': 'half_pixel', 'enlarged': False, 'activation': 'share',
    })


def _decode_instances(
    queries: _Queries, tensors: Sequence[Var], card: ModelCard, options: ExportOptions
) -> Decoded:
    """
    Select the best pairs of query and class.

    A pair's score is multiplied by the mean probability of its mask, unless the network gives
    boxes. Boxes are computed from masks: no network of this family crops masks to its own boxes.
    """
    pairs = queries.count * queries.classes
    chosen = min(options.top_k, queries.count if queries.softmax else pairs)
    slots = min(options.max_instances, chosen)
    flat = op.reshape(_probabilities(queries, tensors[0]), op.const(np.array([-1, pairs])))
    scores, index = best(flat, chosen)
    query = op.div(index, op.const(np.int64(queries.classes)))
    label = indicator(op.sub(index, op.mul(query, op.const(np.int64(queries.classes)))))
    masks = rows_at(_flat(queries, tensors[1]), query)
    masks = logits_of(masks) if queries.masked else masks
    inside = indicator(op.greater(masks, scalar(0)))
    if not queries.boxed:
        scores = op.mul(scores, _mean_inside(masks, inside))
    scores = op.mul(scores, indicator(op.greater_or_equal(scores, scalar(options.score_floor))))
    scores, order = best(scores, slots)
    filled = indicator(op.greater(scores, scalar(0)))
    boxes = boxes_of_masks(
        rows_at(inside, order), slots, queries.map_hw, queries.network_hw
    )
    levels = logit_levels(rows_at(masks, order), 16)
    shape = op.const(np.array([-1, slots, *queries.map_hw]))
    return Decoded({
        'boxes': op.mul(boxes, op.unsqueeze(filled, op.const([2]))),
        'scores': scores,
        'classes': op.cast(op.mul(rows_at(label, order), filled), to=np.int32),
        'masks': op.cast(op.reshape(levels, shape), to=np.uint8),
    }, {
        'score_floor': options.score_floor, 'max_instances': slots, 'top_k': chosen,
        'mask_frame': 'image', 'mask_code': 'logit16',
    })


def _mean_inside(masks: Var, inside: Var) -> Var:
    """Return the mean probability inside each mask, (N, M)."""
    total = op.reduce_sum(op.mul(op.sigmoid(masks), inside), op.const([2]), keepdims=False)
    cells = op.reduce_sum(inside, op.const([2]), keepdims=False)
    return op.div(total, op.add(cells, scalar(1e-6)))


def _decode_panoptic(
    queries: _Queries, tensors: Sequence[Var], card: ModelCard, options: ExportOptions
) -> Decoded:
    """
    Output the masks of the best queries as `rivals`, which compete on the host at image size.

    A query whose most probable class is no object does not compete, whatever its second one.
    """
    slots = min(options.max_instances, queries.count)
    probabilities = _probabilities(queries, tensors[0])
    likeliest = op.reduce_max(probabilities, axes=[2], keepdims=False)
    if queries.nothing and queries.softmax:
        most = op.reduce_max(_all_probabilities(queries, tensors[0]), axes=[2], keepdims=False)
        likeliest = op.mul(likeliest, indicator(op.greater_or_equal(likeliest, most)))
    above = indicator(op.greater_or_equal(likeliest, scalar(options.score_floor)))
    scores, query = best(op.mul(likeliest, above), slots)
    filled = indicator(op.greater(scores, scalar(0)))
    label = indicator(op.arg_max(rows_at(probabilities, query), axis=2, keepdims=False))
    masks = _mask_probabilities(queries, rows_at(_flat(queries, tensors[1]), query))
    return Decoded({
        'scores': scores,
        'classes': op.cast(op.mul(label, filled), to=np.int32),
        'rivals': op.reshape(masks, op.const(np.array([-1, slots, *queries.map_hw]))),
    }, {
        'score_floor': options.score_floor, 'max_instances': slots, 'upsampling': 'half_pixel',
    })


_DECODERS: Mapping[
    Task, Callable[[_Queries, Sequence[Var], ModelCard, ExportOptions], Decoded]
] = {
    'semantic': _decode_semantic, 'instance': _decode_instances, 'panoptic': _decode_panoptic,
}

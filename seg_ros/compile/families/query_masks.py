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
from seg_ros.compile.families.probabilities import holds_probabilities, logits_of
from seg_ros.compile.families.query_boxes import scores_beside_boxes
from seg_ros.compile.families.score_meaning import unread_scores
from seg_ros.compile.families.slot_tensors import slots_of
from seg_ros.compile.network import Network
from seg_ros.compile.tensor_info import TensorInfo
from seg_ros.core.card import ModelCard, Task
from spox import Var
import spox.opset.ai.onnx.v17 as op

NAME = 'query_masks'
_FEW = 0.2    # of the queries: most of a network's queries find nothing


@dataclass(frozen=True)
class _Queries:
    """
    What the queries are like.

    :param count: how many.
    :param classes: without the class of nothing.
    :param map_hw: of their masks.
    :param network_hw: of the image.
    :param nothing: whether the last column is no class of the card.
    :param softmax: whether scores are one over all columns; otherwise each class is a sigmoid of
        its own.
    :param boxed: whether the network gives boxes too: it then scores its masks by their classes
        alone.
    :param scored: whether class scores are probabilities already.
    :param masked: whether masks are.
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

    Both may have been through their activations, as values from 0 to 1 show. Scores of one class
    more than the card's are a softmax whose last class means nothing; scores of as many are
    independent sigmoids. The card's `scores` overrules that.
    """
    floats = [info for info in network.outputs if info.dtype.kind == 'f']
    of_slots = [slots.boxes for slots in slots_of(network)]
    found = [
        interpretation
        for masks in floats if len(masks.shape) == 4
        for interpretation in _readings(network, masks, [
            info for info in floats if len(info.shape) == 3 and info.shape[1] == masks.shape[1]
            and info not in of_slots
        ])
    ]
    return found or 'no outputs of class scores [N, Q, C] and masks [N, Q, h, w] with one Q'


def _readings(
    network: Network, masks: TensorInfo, rows: Sequence[TensorInfo]
) -> list[OutputInterpretation]:
    """List what masks and rows of the same queries could mean, for every task."""
    # Neither the scores' own softmax nor the best class are boxes.
    rows = [info for info in rows if not any(
        computed_from(network, {info.name}, {other.name}) for other in rows if other is not info
    )]
    _, count, height, width = masks.shape
    return [
        OutputInterpretation(
            NAME, task, (scores, masks), queries.classes, str(queries),
            partial(_decode, task, queries, _never_nothing(network, queries, scores)),
        )
        for scores, boxed in scores_beside_boxes(network, rows)
        for nothing in (True, False)
        # What gives boxes was trained to find things.
        for task in sorted(_DECODERS, key=lambda task: boxed and task != 'instance')
        for queries in [_Queries(
            count, scores.shape[2] - nothing, (height, width), network.size_hw, nothing, nothing,
            boxed, *(holds_probabilities(network, info.name) for info in (scores, masks)),
        )]
        if queries.classes
    ]


def _never_nothing(network: Network, queries: _Queries, scores: TensorInfo) -> bool:
    """Return whether a class of nothing would be likeliest for few queries, which it never is."""
    if not (queries.nothing and queries.boxed) or queries.scored:
        return False
    best = np.concatenate(network.trial(scores.name)).argmax(axis=-1)
    return bool((best == queries.classes).mean() < _FEW)


def _decode(
    task: Task, queries: _Queries, doubtful: bool, tensors: Sequence[Var], card: ModelCard,
    options: ExportOptions,
) -> Decoded:
    """Read scores as the card has it, and say where it does not and they look like sigmoids."""
    if card.scores in ('softmax', 'sigmoid', 'multilabel'):
        queries = replace(queries, softmax=card.scores == 'softmax')
    decoded = _DECODERS[task](queries, tensors, card, options)
    if queries.scored:
        notes = unread_scores(card, 'class scores are probabilities already')
        return replace(decoded, notes=[*decoded.notes, *notes])
    kind = 'a softmax over all columns' if queries.softmax else 'a sigmoid for each class'
    last = ', of which the last is none of the card' * queries.nothing
    notes = [*decoded.notes, f'class scores are {kind}{last}']
    if doubtful and not card.scores:
        notes.append(
            'warning: few queries find the last column of class scores likeliest: where it is a '
            'sigmoid like the others, as in RF-DETR, set scores: sigmoid in the card; scores: '
            'softmax confirms what is assumed'
        )
    return replace(decoded, notes=notes)


def _everything(queries: _Queries, scores: Var) -> Var:
    """Return class probabilities (N, Q, columns), that of nothing among them."""
    scores = op.cast(scores, to=np.float32)
    if queries.scored:
        return scores
    return op.softmax(scores, axis=2) if queries.softmax else op.sigmoid(scores)


def _probabilities(queries: _Queries, scores: Var) -> Var:
    """Return class probabilities (N, Q, C) without the class of nothing."""
    everything = _everything(queries, scores)
    if not queries.nothing:
        return everything
    return op.slice(everything, op.const([0]), op.const([queries.classes]), op.const([2]))


def _flat(queries: _Queries, masks: Var) -> Var:
    """Return masks as they are, (N, Q, h * w)."""
    cells = queries.map_hw[0] * queries.map_hw[1]
    return op.reshape(
        op.cast(masks, to=np.float32), op.const(np.array([-1, queries.count, cells]))
    )


def _chances(queries: _Queries, masks: Var) -> Var:
    """Return probabilities of masks."""
    return masks if queries.masked else op.sigmoid(masks)


def _float(value: float) -> Var:
    return op.const(np.float32(value))


def _indicator(condition: Var) -> Var:
    return op.cast(condition, to=np.float32)


def _decode_semantic(
    queries: _Queries, tensors: Sequence[Var], card: ModelCard, options: ExportOptions
) -> Decoded:
    """
    Sum up the masks' probabilities, weighted by those of the classes.

    The sums are interpolated as they are, which is what the networks' own post-processing does;
    a pixel's confidence is its class's share of them.
    """
    probabilities = op.transpose(_probabilities(queries, tensors[0]), perm=[0, 2, 1])
    sums = op.matmul(probabilities, _chances(queries, _flat(queries, tensors[1])))
    square = op.reshape(sums, op.const(np.array([-1, queries.classes, *queries.map_hw])))
    return Decoded({'logits': square}, {
        'upsampling': 'half_pixel', 'enlarged': False, 'activation': 'share',
    })


def _decode_instances(
    queries: _Queries, tensors: Sequence[Var], card: ModelCard, options: ExportOptions
) -> Decoded:
    """
    Choose the best pairs of query and class.

    A pair's score counts its mask's mean probability, unless the network gives boxes. The boxes
    are those of the masks: no network of this family cuts its masks by the others.
    """
    pairs = queries.count * queries.classes
    chosen = min(options.top_k, queries.count if queries.softmax else pairs)
    slots = min(options.max_instances, chosen)
    flat = op.reshape(_probabilities(queries, tensors[0]), op.const(np.array([-1, pairs])))
    scores, index = best(flat, chosen)
    query = op.div(index, op.const(np.int64(queries.classes)))
    label = _indicator(op.sub(index, op.mul(query, op.const(np.int64(queries.classes)))))
    masks = rows_at(_flat(queries, tensors[1]), query)
    masks = logits_of(masks) if queries.masked else masks
    inside = _indicator(op.greater(masks, _float(0)))
    if not queries.boxed:
        scores = op.mul(scores, _mean_inside(masks, inside))
    scores = op.mul(scores, _indicator(op.greater_or_equal(scores, _float(options.score_floor))))
    scores, order = best(scores, slots)
    filled = _indicator(op.greater(scores, _float(0)))
    boxes = boxes_of_masks(
        rows_at(inside, order), slots, queries.map_hw, queries.network_hw
    )
    coded = op.add(op.mul(rows_at(masks, order), _float(16)), _float(128))
    levels = op.clip(op.round(coded), _float(0), _float(255))
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
    """Return the mean probability of each mask's own cells, (N, M)."""
    total = op.reduce_sum(op.mul(op.sigmoid(masks), inside), op.const([2]), keepdims=False)
    cells = op.reduce_sum(inside, op.const([2]), keepdims=False)
    return op.div(total, op.add(cells, _float(1e-6)))


def _decode_panoptic(
    queries: _Queries, tensors: Sequence[Var], card: ModelCard, options: ExportOptions
) -> Decoded:
    """
    Give the best queries' masks as `rivals`, which the host lets compete at the image's size.

    A query whose likeliest class is nothing does not compete, however sure its second is.
    """
    slots = min(options.max_instances, queries.count)
    probabilities = _probabilities(queries, tensors[0])
    likeliest = op.reduce_max(probabilities, axes=[2], keepdims=False)
    if queries.nothing and queries.softmax:
        most = op.reduce_max(_everything(queries, tensors[0]), axes=[2], keepdims=False)
        likeliest = op.mul(likeliest, _indicator(op.greater_or_equal(likeliest, most)))
    above = _indicator(op.greater_or_equal(likeliest, _float(options.score_floor)))
    scores, query = best(op.mul(likeliest, above), slots)
    filled = _indicator(op.greater(scores, _float(0)))
    label = _indicator(op.arg_max(rows_at(probabilities, query), axis=2, keepdims=False))
    masks = _chances(queries, rows_at(_flat(queries, tensors[1]), query))
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

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

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from itertools import product

import numpy as np
from seg_ros.compile.export_options import ExportOptions
from seg_ros.compile.families.derived_outputs import computed_from
from seg_ros.compile.families.output_interpretation import Decoded, OutputInterpretation
from seg_ros.compile.families.probabilities import holds_probabilities
from seg_ros.compile.families.queries import DECODERS, Queries
from seg_ros.compile.families.query_boxes import scores_and_boxes
from seg_ros.compile.families.score_meaning import unread_scores
from seg_ros.compile.families.slot_tensors import slots_of
from seg_ros.compile.families.strip_output_ops import before_transpose, spans_image
from seg_ros.compile.network import Network
from seg_ros.compile.tensor_info import TensorInfo
from seg_ros.core.card import ModelCard, Task
from spox import Var

NAME = 'query_masks'
_MAX_STRIDE = 8     # of masks beside boxes; coarser masks lie over the boxes
_MIN_NO_OBJECT = 0.2    # fraction of queries; most queries of a network find nothing


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
    rows = [info for info in floats if len(info.shape) == 3 and info not in of_slots]
    found: list[OutputInterpretation] = []
    for output in floats:
        masks = before_transpose(network, output)
        if len(masks.shape) == 4 and spans_image(network, masks.shape[2:]):
            of_queries = [info for info in rows if info.shape[1] == masks.shape[1]]
            found += _interpretations(network, output, masks, of_queries)
    return found or (
        'no outputs of class scores [N, Q, C] and masks [N, Q, h, w] over the image with one Q; '
        'masks [N, h, w, Q] can be read if a Transpose is their last operator'
    )


def _interpretations(
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
    found = []
    for (scores, has_boxes), has_no_object in product(
        scores_and_boxes(network, rows), (True, False)
    ):
        classes = scores.shape[2] - has_no_object
        if not classes or (has_boxes and network.size_hw[0] > _MAX_STRIDE * height):
            continue
        queries = Queries(
            count, classes, (height, width), network.size_hw, has_no_object, softmax=has_no_object,
            has_boxes=has_boxes,
            scores_are_probabilities=holds_probabilities(network, scores.name),
            masks_are_probabilities=holds_probabilities(network, masks.name),
        )
        decode = partial(_decode, queries, _rarely_no_object(network, queries, scores))
        found += [
            OutputInterpretation(
                NAME, task, (scores, masks), classes, str(queries), partial(decode, task),
                outputs=() if masks is output else (scores.name, output.name),
            )
            # Networks with boxes are trained for instances: that task comes first.
            for task in sorted(DECODERS, key=lambda task: has_boxes and task != 'instance')
        ]
    return found


def _rarely_no_object(network: Network, queries: Queries, scores: TensorInfo) -> bool:
    """Return whether the last column is rarely the highest, unlike a no-object class."""
    if not (queries.has_no_object and queries.has_boxes) or queries.scores_are_probabilities:
        return False
    best = np.concatenate(network.trial_values(scores.name)).argmax(axis=-1)
    return bool((best == queries.classes).mean() < _MIN_NO_OBJECT)


def _decode(
    queries: Queries, doubtful: bool, task: Task, tensors: Sequence[Var], card: ModelCard,
    options: ExportOptions,
) -> Decoded:
    """Decode scores as the card says; warn if it does not say and they look like sigmoids."""
    if card.scores in ('softmax', 'sigmoid', 'multilabel'):
        queries = replace(queries, softmax=card.scores == 'softmax')
    decoded = DECODERS[task](queries, tensors, options)
    if queries.scores_are_probabilities:
        notes = unread_scores(card, 'class scores are probabilities already')
        return replace(decoded, notes=[*decoded.notes, *notes])
    kind = 'a softmax over all columns' if queries.softmax else 'a sigmoid for each class'
    if queries.has_no_object:
        kind += ', of which the last is not a class of the card'
    notes = [*decoded.notes, f'class scores are {kind}']
    if doubtful and not card.scores:
        notes.append(
            'warning: the last column of class scores is rarely the highest: if it is a sigmoid '
            'like the others, as in RF-DETR, set scores: sigmoid in the card; scores: softmax '
            'confirms what is assumed'
        )
    return replace(decoded, notes=notes)

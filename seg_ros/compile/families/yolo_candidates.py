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

"""Steps that all layouts of YOLO segmentation networks share, after anchors are selected."""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from seg_ros.compile.export_options import ExportOptions
from seg_ros.compile.families.anchor_tensor import Numbers
from seg_ros.compile.families.detections import Candidates, detections, known_labels
from seg_ros.compile.families.output_interpretation import Decoded
from seg_ros.compile.families.prototypes import Prototypes
from seg_ros.compile.families.row_form import beyond_unit
from seg_ros.compile.nms import greedy_nms
from seg_ros.compile.tensor_ops import indicator, scalar
from seg_ros.core.card import ModelCard
from seg_ros.core.signature import MaskCode
from spox import Var
import spox.opset.ai.onnx.v17 as op

NAME = 'yolo_seg'
IOU = 0.7               # NMS threshold of YOLOv8 and later
_MAX_KEPT = 1000        # anchors that networks keep after NMS
SUM_ROUNDING = 0.02     # rounding error of sums in half precision

# Strides of the maps of anchors: the usual ones, with P6 and with P2.
PYRAMIDS = ((8, 16, 32), (8, 16, 32, 64), (4, 8, 16, 32))

Item = TypeVar('Item')


def map_hw(size_hw: tuple[int, int], stride: int) -> tuple[int, int]:
    """Return height and width of the map of a stride."""
    height, width = size_hw
    return -(-height // stride), -(-width // stride)


def anchor_counts(size_hw: tuple[int, int]) -> list[int]:
    """Return the number of cells in all maps of each pyramid: of anchors from YOLOv8 on."""
    return [
        sum(height * width for height, width in (map_hw(size_hw, one) for one in strides))
        for strides in PYRAMIDS
    ]


def own_iou(size_hw: tuple[int, int], anchors: int) -> float:
    """
    Return the NMS threshold, or 0 if the network has applied NMS to the anchors already.

    It has not if anchors are all those of a pyramid, or more than any network keeps.
    """
    counts = anchor_counts(size_hw)
    is_complete = anchors > _MAX_KEPT or anchors in (*counts, *(3 * count for count in counts))
    return IOU if is_complete else 0


def likeliest_scores(found: Sequence[tuple[Numbers, Item]]) -> Item | None:
    """
    Return the item whose numbers are most likely scores: at most anchors no class is likely.

    :param found: numbers of all anchors, (anchors, columns), each with its item.
    """
    doubts = [
        (beyond_unit(values), float(np.median(values.max(axis=-1)))) for values, _ in found
    ]
    return found[doubts.index(min(doubts))][1] if found else None


def instances(
    candidates: Candidates,
    protos: Prototypes,
    tensor: Var,
    anchors: int,
    card: ModelCard,
    options: ExportOptions,
    iou: float = IOU,
    mask_code: MaskCode = 'logit16',
) -> Decoded:
    """
    Apply NMS to the selected anchors, best first, and fill the slots.

    :param tensor: the network's prototypes.
    :param anchors: number of anchors from which they were selected.
    :param iou: NMS threshold of the network's own post-processing; 0 if the network applied it.
    """
    alive = op.greater_or_equal(candidates.scores, scalar(options.score_floor))
    kept, count, planes = indicator(alive), candidates.count, protos.planes(tensor)
    if not iou:
        return detections(candidates, kept, planes, protos.shape, options, mask_code)
    iou = options.iou or card.thresholds.iou or iou
    kept = greedy_nms(candidates.boxes, candidates.classes, kept, count, iou)
    decoded = detections(candidates, kept, planes, protos.shape, options, mask_code)
    notes = [
        f'of {anchors} candidates the best {count} enter the suppression: if a crowd has more '
        'above the score floor, those of lowest score are lost; --top-k takes more'
    ] if count < anchors else []
    return Decoded(decoded.tensors, {**decoded.facts, 'iou': iou, 'top_k': count}, notes)


def scores_of_known(scores: Var, labels: Var, card: ModelCard) -> Var:
    """Return scores (N, M), 0 where the network's label is not a class of the card."""
    return op.mul(scores, indicator(known_labels(labels, card)))

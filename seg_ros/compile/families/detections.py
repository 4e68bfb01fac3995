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

"""Selects the best candidates as a fixed number of boxes, scores, classes and soft masks."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
from seg_ros.compile.export_options import ExportOptions
from seg_ros.compile.families.output_interpretation import Decoded
from seg_ros.compile.families.probabilities import logit_levels
from seg_ros.compile.tensor_ops import indicator, scalar
from seg_ros.core.card import ModelCard
from seg_ros.core.signature import MaskCode
from spox import Var
import spox.opset.ai.onnx.v17 as op


@dataclass(frozen=True, eq=False)
class Candidates:
    """
    Candidates for the detections of an image.

    :param boxes: float32 (N, M, 4), x0, y0, x1, y1 in network pixels.
    :param scores: float32 (N, M).
    :param classes: float32 (N, M), channel index.
    :param coefficients: float32 (N, M, P), weights of the mask prototypes.
    :param count: M.
    """

    boxes: Var
    scores: Var
    classes: Var
    coefficients: Var
    count: int


def top_k(scores: Var, count: int) -> tuple[Var, Var]:
    """Return the highest of (N, A) scores and their indexes, both (N, count); ties by index."""
    return op.top_k(scores, op.const([count]), axis=1)


def rows_at(rows: Var, index: Var) -> Var:
    """Pick rows: (N, A, …) at (N, M) gives (N, M, …)."""
    return op.gather_nd(rows, op.unsqueeze(index, op.const([2])), batch_dims=1)


def columns(rows: Var, start: int, stop: int) -> Var:
    """Return some columns of (N, M, columns)."""
    return op.slice(rows, op.const([start]), op.const([stop]), op.const([2]))


def column(rows: Var, index: int) -> Var:
    """Return a column of (N, M, columns), (N, M)."""
    return op.squeeze(columns(rows, index, index + 1), op.const([2]))


def columns_at(tensor: Var, index: Var, width: int) -> Var:
    """
    Pick columns: (N, W, A) at (N, M) gives (N, W, M).

    :param width: W.
    """
    shape = tensor.unwrap_tensor().shape
    if shape and shape[0] == 1:     # CPUs have a fast kernel for a single list of columns
        return op.gather(tensor, op.squeeze(index, op.const([0])), axis=2)
    wide = op.expand(op.unsqueeze(index, op.const([1])), op.const(np.array([1, width, 1])))
    return op.gather_elements(tensor, wide, axis=2)


def known_labels(labels: Var, card: ModelCard) -> Var:
    """Return whether a network's labels are classes of the card, of their shape."""
    return op.and_(
        op.greater_or_equal(labels, scalar(0)), op.less(labels, scalar(len(card.classes)))
    )


def detections(
    candidates: Candidates,
    kept: Var,
    prototypes: Var,
    shape: Sequence[int],
    options: ExportOptions,
    mask_code: MaskCode,
) -> Decoded:
    """
    Fill the slots, and output the candidates too, for hosts that fill them faster themselves.

    Empty slots have a score, a box and a class of 0; their masks are undefined.

    :param kept: float32 (N, M), 1 for the candidates that remain.
    :param prototypes: float32 (N, P, h, w).
    :param shape: P, h and w.
    """
    slots = min(options.max_instances, candidates.count)
    scores, index = top_k(op.mul(candidates.scores, kept), slots)
    filled = indicator(op.greater(scores, scalar(0)))
    is_filled = op.unsqueeze(filled, op.const([2]))
    classes = op.mul(rows_at(candidates.classes, index), filled)
    coefficients = op.mul(rows_at(candidates.coefficients, index), is_filled)
    tensors = {
        'boxes': op.mul(rows_at(candidates.boxes, index), is_filled),
        'scores': scores,
        'classes': op.cast(classes, to=np.int32),
        'masks': _masks(coefficients, prototypes, slots, shape, mask_code),
        'candidate_boxes': candidates.boxes,
        'candidate_scores': candidates.scores,
        'candidate_classes': op.cast(candidates.classes, to=np.int32),
        'candidate_coefficients': candidates.coefficients,
        'prototypes': prototypes,
    }
    facts = {
        'score_floor': options.score_floor, 'max_instances': slots, 'mask_frame': 'image',
        'mask_code': mask_code,
    }
    return Decoded(tensors, facts)


def _masks(
    coefficients: Var, prototypes: Var, slots: int, shape: Sequence[int], mask_code: MaskCode
) -> Var:
    """Combine the prototypes to masks, coded as bytes, uint8 (N, K, h, w)."""
    depth, *size_hw = shape
    flat = op.reshape(prototypes, op.const(np.array([-1, depth, prod(size_hw)])))
    logits = op.matmul(coefficients, flat)
    if mask_code == 'probability':
        levels = op.round(op.mul(op.sigmoid(logits), scalar(255)))
    else:
        levels = logit_levels(logits, 16)
    square = op.reshape(levels, op.const(np.array([-1, slots, *size_hw])))
    return op.cast(square, to=np.uint8)

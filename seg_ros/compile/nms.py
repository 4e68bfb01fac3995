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

"""Greedy non-maximum suppression (NMS) of boxes without the operator NonMaxSuppression."""

import numpy as np
from seg_ros.compile.tensor_ops import indicator, scalar
from spox import Var
import spox.opset.ai.onnx.v17 as op

DEPTH = 64


def greedy_nms(boxes: Var, classes: Var, alive: Var, count: int, iou: float) -> Var:
    """
    Mark the boxes that greedy, class-aware NMS keeps.

    A box is kept unless it overlaps a kept, higher-scoring box of its class. Applied to all boxes
    at once, this rule settles at least one more link of every chain of suppressions per iteration,
    so `DEPTH` iterations are exact for chains of up to `DEPTH` boxes. It is the fixed-point
    iteration of Zheng et al., Enhancing Geometric Factors in Model Learning and Inference for
    Object Detection and Instance Segmentation, 2021 (Cluster-NMS).

    :param boxes: float32 (N, M, 4), x0, y0, x1, y1, best first.
    :param classes: float32 (N, M).
    :param alive: float32 (N, M), 1 for candidates and 0 for empty slots.
    :param count: M.
    :returns: float32 (N, M), 1 where a box is kept.
    """
    index = np.arange(count, dtype=np.float32)
    earlier = op.less(op.const(index[:, None]), op.const(index[None]))
    column = op.unsqueeze(classes, op.const([2]))
    same = op.equal(column, op.transpose(column, perm=[0, 2, 1]))
    suppressing = op.and_(op.and_(_overlap(boxes, iou), same), earlier)
    matrix = indicator(suppressing)
    candidates = op.unsqueeze(alive, op.const([1]))
    half = scalar(0.5)
    keep = candidates
    for _ in range(min(DEPTH, count)):
        free = op.less(op.matmul(keep, matrix), half)
        keep = op.mul(indicator(free), candidates)
    return op.squeeze(keep, op.const([1]))


def _overlap(boxes: Var, iou: float) -> Var:
    """Return for each pair of boxes whether its IoU exceeds `iou`, bool (N, M, M)."""
    x0, y0, x1, y1 = op.split(boxes, outputs_count=4, axis=2)
    area = op.mul(op.sub(x1, x0), op.sub(y1, y0))
    shared = op.mul(_shared_side(x0, x1), _shared_side(y0, y1))
    union = op.sub(op.add(area, _row(area)), shared)
    return op.greater(shared, op.mul(union, scalar(iou)))


def _shared_side(low: Var, high: Var) -> Var:
    return op.relu(op.sub(op.min([high, _row(high)]), op.max([low, _row(low)])))


def _row(column: Var) -> Var:
    return op.transpose(column, perm=[0, 2, 1])

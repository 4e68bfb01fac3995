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
Class and score of the segment around each centre.

Reference: B. Cheng et al., Panoptic-DeepLab, CVPR 2020, section 3.2.
"""

from dataclasses import dataclass

import numpy as np
from seg_ros.compile.tensor_ops import indicator, scalar
from spox import Var
import spox.opset.ai.onnx.v17 as op


@dataclass(frozen=True)
class Segments:
    """
    Cells around K centres and their probabilities for T countable classes.

    :param things: channels of the countable classes, (T,).
    :param slots: K.
    :param heat: heatmap value of each slot's centre, 0 to 1, 0 for empty slots, float32 (N, K).
    :param nearest: slot of each cell, float32 (N, 1, h * w).
    :param countable: 1 for cells of a countable class, 0 for the others, float32 (N, 1, h * w).
    :param probabilities: probabilities of the countable classes, float32 (N, T, h * w).
    """

    things: np.ndarray
    slots: int
    heat: Var
    nearest: Var
    countable: Var
    probabilities: Var

    def sums_of(self, maps: Var) -> Var:
        """
        Sum maps over the countable cells of each slot.

        :param maps: (N, C, h * w).
        :returns: (N, K, C).
        """
        numbers = op.const(np.arange(self.slots, dtype=np.float32)[None, :, None])
        member = indicator(op.equal(self.nearest, numbers))
        return op.matmul(member, op.transpose(op.mul(maps, self.countable), perm=[0, 2, 1]))


def by_majority(segments: Segments, best: Var) -> tuple[Var, Var]:
    """
    Select the majority class of the cells, and score as the paper: heat * mean probability.

    :param best: channel of each cell's class, float32 (N, 1, h * w).
    :returns: scores, 0 for slots without cells, and indexes of their classes in `things`, both
        (N, K).
    """
    channels = op.const(segments.things.astype(np.float32)[None, :, None])
    chosen = indicator(op.equal(best, channels))
    ballots = op.concat([chosen, segments.probabilities, segments.countable], axis=1)
    kinds = len(segments.things)
    votes, total, cells = op.split(
        segments.sums_of(ballots), op.const([kinds, kinds, 1]), outputs_count=3, axis=2
    )
    winner = op.arg_max(votes, axis=2, keepdims=True)
    own = op.gather_elements(total, winner, axis=2)
    share = op.div(own, op.max([cells, scalar(1)]))
    return op.mul(segments.heat, _flat(share)), _flat(winner)


def by_evidence(segments: Segments, small: float) -> tuple[Var, Var]:
    """
    Select the class with the largest summed probability, and score small segments lower.

    The score is the geometric mean of the heat and of sum / (cells + small), the mean probability
    if `small` more cells had a probability of 0.

    :param small: number of cells, more than 0.
    :returns: the same as `by_majority`.
    """
    evidence = op.concat([segments.probabilities, segments.countable], axis=1)
    total, cells = op.split(
        segments.sums_of(evidence), op.const([len(segments.things), 1]), outputs_count=2, axis=2
    )
    share = op.div(
        op.reduce_max(total, axes=[2], keepdims=True), op.add(cells, scalar(small))
    )
    winner = op.arg_max(total, axis=2, keepdims=True)
    return op.sqrt(op.mul(segments.heat, _flat(share))), _flat(winner)


def _flat(values: Var) -> Var:
    """Reshape (N, K, 1) to (N, K)."""
    return op.squeeze(values, op.const([2]))

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

"""What a network's class scores mean: found in its graph, checked by what it gives on images."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
import onnx
from seg_ros.compile.families.strip_output_ops import OwnScores, squashed_by
from seg_ros.compile.network import Network
from seg_ros.core.card import ModelCard, ScoreKind
from seg_ros.core.errors import CardError
from seg_ros.core.signature import Activation
from spox import Var
import spox.opset.ai.onnx.v17 as op

_ROUNDING = 1e-3    # of half precision, and of sums over many classes


@dataclass(frozen=True)
class ScoreMeaning:
    """
    How scores become probabilities.

    :param kind: `softmax` and `logits` compete over all channels, `sigmoid` is one against the
        background, `multilabel` each channel for itself; empty where nothing shows it.
    :param unit: the value that stands for a probability of 1; 0 where values are logits.
    :param decides: whether the network takes the best channel, however unlikely it is.
    """

    kind: ScoreKind
    unit: float
    decides: bool

    def __str__(self) -> str:
        how = f'probabilities up to {self.unit:g}' if self.unit else 'before the activation'
        return f'{self.kind or "scores of unknown meaning"}, {how}'


def meaning_of(network: Network, own: OwnScores, channel_axis: int) -> ScoreMeaning:
    """
    Find out what the scores in a tensor mean.

    :param channel_axis: of the tensor; 0 where it has a single channel and no axis for it.
    """
    arrays = [
        np.moveaxis(array, channel_axis, 1).astype(np.float64) if channel_axis else array[:, None]
        for array in network.trial(own.tensor)
    ]
    channels = arrays[0].shape[1]
    if own.activation == 'Sigmoid':
        return ScoreMeaning('sigmoid' if channels == 1 else 'multilabel', 0, own.decides)
    if own.activation:
        return ScoreMeaning('softmax', 0, own.decides)
    squashed = squashed_by(network, own.tensor)
    unit = _unit(arrays, _highest(network.trial(squashed.output[0])) if squashed else 1)
    # Channels of a softmax that do not add up, some being left out, still compete.
    if unit and (_shares(arrays, unit) or (_is_softmax(squashed) and channels > 1)):
        return ScoreMeaning('softmax', unit, own.decides)
    if unit and squashed:
        return ScoreMeaning('sigmoid' if channels == 1 else 'multilabel', unit, own.decides)
    # Several channels that are the same throughout, such as zeros, show nothing: class scores.
    if unit == 1 and (channels == 1 or any(np.ptp(array) > 0 for array in arrays)):
        return ScoreMeaning('', 0, own.decides)
    return ScoreMeaning('logits', 0, own.decides)


def _is_softmax(node: onnx.NodeProto | None) -> bool:
    return node is not None and node.op_type == 'Softmax'


def _highest(arrays: Sequence[NDArray[Any]]) -> float:
    return max(float(array.max()) for array in arrays)


def _unit(arrays: Sequence[NDArray[Any]], squashed: float) -> float:
    """
    Return 1, 100 or 255 where all values lie between 0 and that, 0 where they do not.

    :param squashed: the highest value of the activation that they are made from. Percents show by
        it: they could be bytes as well.
    """
    low, high = min(float(array.min()) for array in arrays), _highest(arrays)
    for unit in (1, 100, 255):
        inside = low >= -_ROUNDING * unit and high <= (1 + _ROUNDING) * unit
        if inside and (unit != 100 or abs(high - unit * squashed) < 0.01 * high):
            return unit
    return 0


def _shares(arrays: Sequence[NDArray[Any]], unit: float) -> bool:
    """Return whether channels add up to 1 everywhere."""
    return arrays[0].shape[1] > 1 and all(
        np.allclose(array.sum(axis=1), unit, rtol=0, atol=0.02 * unit) for array in arrays
    )


def chosen_meaning(found: ScoreMeaning, card: ModelCard) -> ScoreMeaning:
    """
    Let the card overrule what was found.

    :raises CardError: if nothing shows it and the card does not either.
    """
    if not card.scores:
        if not found.kind:
            raise CardError(
                'scores from 0 to 1 without an activation that explains them',
                'a card that says what they are',
                'set scores in the card: sigmoid (one channel), softmax or multilabel for '
                'probabilities, logits for what an activation would take',
            )
        return found
    unit = 0 if card.scores == 'logits' else found.unit
    if not found.kind and card.scores != 'logits':
        unit = 1
    return ScoreMeaning(card.scores, unit, found.decides)


def competing(scores: Var, meaning: ScoreMeaning, channels: int, classes: int) -> tuple[
    Var, Activation
]:
    """
    Bring scores into a form in which the highest channel wins.

    A channel behind the card's classes is the background that none of them beats: a probability
    of one half, or its logit. A single channel against a background that is a class of its own
    becomes a pair.

    :param scores: float32 (N, channels, h, w).
    :param classes: of the card.
    :returns: scores (N, C, h, w), and what makes probabilities of them.
    """
    if meaning.unit not in (0, 1):
        scores = op.div(scores, op.const(np.float32(meaning.unit)))
    is_probability = bool(meaning.unit)
    if channels == 1 and classes == 2:
        if is_probability:
            rest = op.sub(op.const(np.float32(1)), scores)
            return op.concat([rest, scores], axis=1), 'none'
        return op.pad(scores, op.const(np.array([0, 1, 0, 0, 0, 0, 0, 0]))), 'softmax'
    alone = channels == 1 or meaning.kind == 'multilabel'
    if alone and not meaning.decides:
        level = np.float32(0.5 if is_probability else 0)
        after = np.array([0, 0, 0, 0, 0, 1, 0, 0])
        scores = op.pad(scores, op.const(after), op.const(level))
    if is_probability:
        return scores, 'none'
    return scores, 'sigmoid' if alone else 'softmax'

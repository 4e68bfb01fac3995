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

"""Determines what class scores mean from the network's graph and its values on trial images."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
import onnx
from seg_ros.compile.families.probabilities import HALF_ROUNDING
from seg_ros.compile.families.strip_output_ops import OwnScores
from seg_ros.compile.families.tensor_values import is_multiple, squashed_by, upper_bound
from seg_ros.compile.network import Network
from seg_ros.compile.tensor_ops import scalar
from seg_ros.core.card import ModelCard, ScoreKind
from seg_ros.core.errors import CardError
from seg_ros.core.signature import Activation
from spox import Var
import spox.opset.ai.onnx.v17 as op

_UNITS = (1, 100, 255)      # fractions, per cent, bytes
_NEAR = 0.9     # fraction of a unit that the highest of well spread values reaches
_PROBABILITIES = ('HardSigmoid', 'Sigmoid', 'Softmax')
# Operators after an activation with which bytes are still probabilities, not labels.
_ARITHMETIC = (
    'Cast', 'Clip', 'Floor', 'Gather', 'Identity', 'Mul', 'Reshape', 'Resize', 'Round', 'Slice',
    'Split', 'Squeeze', 'Transpose', 'Unsqueeze',
)


@dataclass(frozen=True)
class ScoreMeaning:
    """
    How scores relate to probabilities.

    :param kind: `softmax` and `logits` are exclusive classes, `sigmoid` is one class against the
        background, `multilabel` independent classes; empty if it is unknown.
    :param unit: value that stands for a probability of 1; 0 if values are logits. For an empty
        kind, the unit if they are not logits.
    :param decides: whether the network takes the best channel, however improbable it is.
    """

    kind: ScoreKind
    unit: float
    decides: bool

    def __str__(self) -> str:
        if not self.kind:
            return f'scores from 0 to {self.unit:g}, of unknown meaning'
        how = f'probabilities up to {self.unit:g}' if self.unit else 'before the activation'
        return f'{self.kind}, {how}'


def meaning_of(network: Network, own: OwnScores, channel_axis: int) -> ScoreMeaning:
    """
    Determine what the scores in a tensor mean.

    :param channel_axis: channel axis of the tensor; 0 for a single channel without an axis.
    """
    arrays = [
        np.moveaxis(array, channel_axis, 1).astype(np.float64) if channel_axis else array[:, None]
        for array in network.trial_values(own.tensor)
    ]
    channels = arrays[0].shape[1]
    if own.activation == 'Sigmoid':
        return ScoreMeaning('sigmoid' if channels == 1 else 'multilabel', 0, own.decides)
    if own.activation:
        return ScoreMeaning('softmax', 0, own.decides)
    unit: float = next((unit for unit in _UNITS if _shares(arrays, unit)), 0)
    if unit:
        return ScoreMeaning('softmax', unit, own.decides)
    squashed = squashed_by(network, own.tensor)
    if squashed and (unit := _unit(network, own.tensor, arrays, squashed)):
        # Softmax channels that do not add up, because some are left out, are still exclusive,
        # unless each passes a threshold or not.
        exclusive = squashed.op_type == 'Softmax' and any(
            np.unique(array).size > 2 for array in arrays
        )
        several: ScoreKind = 'softmax' if exclusive else 'multilabel'
        return ScoreMeaning('sigmoid' if channels == 1 else several, unit, own.decides)
    if squashed and channels == 1 and squashed.op_type in _PROBABILITIES and _least(arrays) >= 0:
        # If these were logits, every pixel would be above 0.
        unit = _highest(arrays) / (_highest(network.trial_values(squashed.output[0])) or 1)
        return ScoreMeaning('', unit, own.decides)
    # Several constant channels, such as zeros, prove nothing and are taken for class scores.
    if _inside(arrays, 1) and (channels == 1 or any(np.ptp(array) > 0 for array in arrays)):
        return ScoreMeaning('', 1, own.decides)
    return ScoreMeaning('logits', 0, own.decides)


def holds_bytes(network: Network, tensor: str, meaning: ScoreMeaning) -> bool:
    """Return whether whole numbers are probabilities times 255, computed by arithmetic alone."""
    node = network.producer(tensor)
    while node is not None and node.op_type in _ARITHMETIC:
        reads = [name for name in node.input if not network.is_constant(name)]
        node = network.producer(reads[0]) if reads else None
    return meaning.unit == _UNITS[-1] and node is not None and node.op_type in _PROBABILITIES


def _least(arrays: Sequence[NDArray[Any]]) -> float:
    return min(float(array.min()) for array in arrays)


def _highest(arrays: Sequence[NDArray[Any]]) -> float:
    return max(float(array.max()) for array in arrays)


def _inside(arrays: Sequence[NDArray[Any]], unit: float) -> bool:
    """Return whether all values lie between 0 and a unit."""
    slack = HALF_ROUNDING * unit
    return -slack <= _least(arrays) and _highest(arrays) <= unit + slack


def _unit(
    network: Network, tensor: str, arrays: Sequence[NDArray[Any]], squashed: onnx.NodeProto
) -> float:
    """
    Return 1, 100 or 255 if values are probabilities times that unit, otherwise 0.

    Values below a unit prove nothing, as scores clipped at 0 may be so too. Their maximum must be
    the unit times the activation's maximum, or close to the unit, or they must come from a product
    with it.
    """
    top = upper_bound(network, squashed)
    most = _highest(network.trial_values(squashed.output[0])) / top
    high, is_share = _highest(arrays), abs(top - 1) < 1 - _NEAR
    fitting = [unit for unit in _UNITS if _inside(arrays, unit)]
    # If all probabilities are low, values may stay below 1 in bytes, too.
    found = [unit for unit in fitting if high > 0 and abs(high - unit * most) <= 0.01 * high]
    if is_share:
        found += [unit for unit in fitting if unit > 1 and is_multiple(network, tensor, unit)]
        found += [
            unit for unit in fitting if unit == 1 or (unit == 255 and high > _NEAR * unit)
        ]
    return found[0] if found else 0


def _shares(arrays: Sequence[NDArray[Any]], unit: float) -> bool:
    """Return whether channels add up to a unit in every pixel."""
    return arrays[0].shape[1] > 1 and _inside(arrays, unit) and all(
        np.allclose(array.sum(axis=1), unit, rtol=0, atol=0.02 * unit) for array in arrays
    )


def chosen_meaning(found: ScoreMeaning, card: ModelCard) -> ScoreMeaning:
    """
    Return the meaning that the card states, or else the one that was found.

    :raises CardError: if there is neither.
    """
    if not card.scores:
        if not found.kind:
            raise CardError(
                f'scores from 0 to {found.unit:g} without an activation that explains them',
                'a card that says what they are',
                'set scores in the card: sigmoid (one channel), softmax or multilabel for '
                'probabilities, logits for what an activation would take',
            )
        return found
    return ScoreMeaning(card.scores, 0 if card.scores == 'logits' else found.unit, found.decides)


def unread_scores(card: ModelCard, why: str) -> list[str]:
    """Return a warning that a card's `scores` have no effect, with the reason `why`."""
    if not card.scores:
        return []
    return [f"warning: the card's scores: {card.scores} has no effect: {why}"]


def competing(scores: Var, meaning: ScoreMeaning, channels: int, classes: int) -> tuple[
    Var, Activation
]:
    """
    Convert scores to a form in which the highest channel wins.

    A channel added after the card's classes is the background, which wins if no class exceeds it:
    a probability of 0.5, or a logit of 0. A single channel becomes two if the background is a
    class of the card.

    :param scores: float32 (N, channels, h, w).
    :param classes: number of classes in the card.
    :returns: scores (N, C, h, w), and the activation that makes them probabilities.
    """
    if meaning.unit not in (0, 1):
        scores = op.div(scores, scalar(meaning.unit))
    is_probability = bool(meaning.unit)
    if channels == 1 and classes == 2:
        if is_probability:
            rest = op.sub(scalar(1), scores)
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

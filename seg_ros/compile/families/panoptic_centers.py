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
Networks that predict each pixel's class and the offset to the centre of its object.

Reference: B. Cheng et al., Panoptic-DeepLab, CVPR 2020, section 3.2.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from seg_ros.compile.export_options import ExportOptions
from seg_ros.compile.families.output_interpretation import Decoded, OutputInterpretation
from seg_ros.compile.families.peaks import h_maxima, local_maxima
from seg_ros.compile.families.probabilities import logits_of, logs_of
from seg_ros.compile.families.score_meaning import chosen_meaning, meaning_of, ScoreMeaning
from seg_ros.compile.families.segment_scores import by_evidence, by_majority, Segments
from seg_ros.compile.families.strip_output_ops import before_transpose, own_scores, OwnScores
from seg_ros.compile.network import Network
from seg_ros.compile.tensor_info import TensorInfo
from seg_ros.compile.tensor_ops import indicator, scalar
from seg_ros.core.card import ModelCard
from seg_ros.core.errors import CardError
from seg_ros.core.signature import Upsampling
from spox import Var
import spox.opset.ai.onnx.v17 as op

NAME = 'panoptic_centers'
OUTPUTS = ('semantic', 'center', 'offset')

_FAR = 1e9
_MAX_MEDIAN = -2    # logit of most cells, which are no centres
_HEAT = (-1, 2)     # bounds of a heatmap that was trained without a sigmoid


@dataclass(frozen=True)
class _Maps:
    """
    Properties of the three maps.

    :param size_hw: height and width of all three.
    :param rule: how the network itself enlarges its scores; None if it does not.
    :param heat_is_probability: whether the heatmap holds probabilities instead of logits.
    :param meaning: meaning of the class scores.
    """

    size_hw: tuple[int, int]
    rule: Upsampling | None
    heat_is_probability: bool
    meaning: ScoreMeaning

    def rows_of(self, tensor: Var, channels: int) -> Var:
        """Flatten (N, channels, h, w) to (N, channels, h * w)."""
        cells = self.size_hw[0] * self.size_hw[1]
        return op.reshape(tensor, op.const(np.array([-1, channels, cells])))

    def cells_yx(self) -> np.ndarray:
        """Return row and column of each cell, float32 (2, h * w)."""
        return np.indices(self.size_hw).reshape(2, -1).astype(np.float32)


def read_panoptic_centers(network: Network) -> list[OutputInterpretation] | str:
    """
    Read `semantic` (N, C, h, w), `center` (N, 1, h, w) and `offset` (N, 2, h, w).

    Outputs of other names are identified by their channels; a final Transpose to channels last is
    cut off. The offset points from a cell to its object's centre: dy, dx in cells. A final
    activation of class scores or heatmap is cut off, and so is their enlargement, unless the
    offset is enlarged as well.
    """
    infos = {info.name: before_transpose(network, info) for info in network.outputs}
    names = _names(infos)
    if not names:
        return (
            f'no outputs called {", ".join(OUTPUTS)}, and not one each of 3 or more, 1 and 2 '
            'channels'
        )
    semantic, center, tensor_infos = _sources(network, [infos[name].name for name in names])
    shapes = [tensor_info.shape for tensor_info in tensor_infos]
    if {len(shape) for shape in shapes} != {4} or len({shape[2:] for shape in shapes}) > 1 or (
        (shapes[1][1], shapes[2][1]) != (1, 2)
    ):
        return (
            f'{", ".join(map(str, tensor_infos))} are not [N, classes, h, w], [N, 1, h, w] and '
            '[N, 2, h, w], perhaps with a Transpose to channels last as their last operator'
        )
    height, width = shapes[0][2:]
    maps = _Maps(
        (height, width), semantic.rule, _is_heat(network, center),
        meaning_of(network, semantic, 1),
    )
    words = f'scores, centres and offsets at {height}x{width}'
    if maps.heat_is_probability:
        words += ', centres from 0 to 1'
    if names != OUTPUTS:
        words += f' in {", ".join(names)}, identified by their channels'
    decode = partial(_decode, maps, _heat_warnings(network, maps, center.tensor))
    return [OutputInterpretation(
        NAME, 'panoptic', tensor_infos, shapes[0][1], words, decode, names,
    )]


def _sources(
    network: Network, names: Sequence[str]
) -> tuple[OwnScores, OwnScores, tuple[TensorInfo, ...]]:
    """Trace class scores and heatmap back as far as their size is that of the offset."""
    for semantic, center in (
        [own_scores(network, name) for name in names[:2]],
        [OwnScores(name, None, '', False) for name in names[:2]],
    ):
        infos = network.tensor_infos([semantic.tensor, center.tensor, names[2]])
        if len({info.shape[2:] for info in infos}) == 1:
            break
    return semantic, center, infos


def _heat_warnings(network: Network, maps: _Maps, center: str) -> list[str]:
    """Warn of a heatmap whose values are no logits: few cells of an image are centres."""
    median = float(np.median(network.trial_values(center)))
    if maps.heat_is_probability or median < _MAX_MEDIAN:
        return []
    return [
        f'warning: {center} is read as logits, but half of its values exceed {median:.2g}, as if '
        'most cells were centres: export logits, or a heatmap from 0 to 1'
    ]


def _is_heat(network: Network, center: OwnScores) -> bool:
    """
    Return whether a heatmap holds probabilities, perhaps slightly beyond 0 and 1.

    The published Panoptic-DeepLab is trained without a sigmoid. Logits of cells that are no
    centres, which are most, lie far below 0.
    """
    low, high = _HEAT
    found = network.trial_values(center.tensor)
    return not center.activation and bool(low < np.min(found) < np.max(found) < high)


def _names(infos: Mapping[str, TensorInfo]) -> tuple[str, ...]:
    """Return the outputs of scores, centres and offsets by name or channels; empty if unclear."""
    if infos.keys() >= set(OUTPUTS):
        return OUTPUTS
    by_channels: dict[int, list[str]] = {3: [], 1: [], 2: []}
    for name, info in infos.items():
        if len(info.shape) == 4 and info.dtype.kind == 'f':
            by_channels[min(info.shape[1], 3)].append(name)
    found = tuple(by_channels.values())
    return tuple(one[0] for one in found) if all(len(one) == 1 for one in found) else ()


def _decode(
    maps: _Maps, notes: Sequence[str], tensors: Sequence[Var], card: ModelCard,
    options: ExportOptions,
) -> Decoded:
    """
    Assign every cell of a countable class to the nearest centre.

    :raises CardError: if no class of the card is countable.
    """
    things = np.array([index for index, item in enumerate(card.classes) if item.thing])
    if not things.size:
        raise CardError(
            f'card {card.name} has no countable class', 'thing: true for classes with instances'
        )
    logits, heat, offsets = (op.cast(tensor, to=np.float32) for tensor in tensors)
    if unit := chosen_meaning(maps.meaning, card).unit:
        logits = logs_of(op.div(logits, scalar(unit)))
    slots = min(options.max_instances, maps.size_hw[0] * maps.size_hw[1])
    heights, centers_yx = _centers(maps, heat, slots, options)
    filled = indicator(op.greater(heights, scalar(0)))
    nearest = _nearest(maps, offsets, centers_yx, filled)
    # Slot 0 is the best: if it is empty, all are.
    countable = op.mul(_countable(maps, logits, len(card.classes), things), _first(filled))
    probabilities = op.gather(op.softmax(logits, axis=1), op.const(things), axis=1)
    segments = Segments(
        things, slots, heights, nearest, countable, maps.rows_of(probabilities, len(things))
    )
    scores, classes = _classified(maps, logits, segments, options.small_segment)
    kept = indicator(op.greater_or_equal(scores, scalar(options.score_floor)))
    outputs = {
        'logits': logits,
        'scores': op.mul(scores, kept),
        'classes': op.cast(op.mul(classes, kept), to=np.int32),
        'instances': _instances(maps, nearest, countable, slots),
    }
    facts = {
        'upsampling': maps.rule or 'half_pixel', 'enlarged': maps.rule is not None,
        'score_floor': options.score_floor, 'max_instances': slots,
    }
    return Decoded(outputs, facts, notes)


def _first(values: Var) -> Var:
    """Return the first column of (N, K) as (N, 1, 1)."""
    return op.unsqueeze(op.slice(values, op.const([0]), op.const([1]), op.const([1])),
                        op.const([2]))


def _centers(maps: _Maps, heat: Var, slots: int, options: ExportOptions) -> tuple[Var, Var]:
    """
    Select the best centres of the heatmap.

    Peaks are found before the sigmoid, which saturates.

    :returns: scores (N, K), 0 below the score floor, and rows and columns of cells (N, K, 2).
    """
    is_probability = maps.heat_is_probability
    score = op.clip(heat, scalar(0), scalar(1)) if is_probability else op.sigmoid(heat)
    if options.prominence:
        is_peak = h_maxima(logits_of(heat) if is_probability else heat, options.prominence)
    else:
        is_peak = local_maxima(heat)
    is_peak = op.and_(is_peak, op.greater_or_equal(score, scalar(options.score_floor)))
    peaks = maps.rows_of(op.where(is_peak, score, scalar(0)), 1)
    scores, index = op.top_k(op.squeeze(peaks, op.const([1])), op.const([slots]), axis=1)
    return scores, op.gather(op.const(maps.cells_yx().T.copy()), index)


def _nearest(maps: _Maps, offsets: Var, centers_yx: Var, filled: Var) -> Var:
    """
    Return the slot of the centre closest to the point that each cell predicts, (N, 1, h * w).

    Differences are squared, not expanded: products lose digits in half precision.
    """
    predicted = op.add(maps.rows_of(offsets, 2), op.const(maps.cells_yx()[None]))
    (down, right), (center_y, center_x) = (
        op.split(pair, outputs_count=2, axis=axis)
        for pair, axis in ((predicted, 1), (centers_yx, 2))
    )
    dy, dx = op.sub(down, center_y), op.sub(right, center_x)
    empty = op.mul(op.sub(scalar(1), filled), scalar(_FAR))
    distance = op.add(op.add(op.mul(dy, dy), op.mul(dx, dx)), op.unsqueeze(empty, op.const([2])))
    return op.cast(op.arg_min(distance, axis=1, keepdims=True), to=np.float32)


def _countable(maps: _Maps, logits: Var, classes: int, things: np.ndarray) -> Var:
    """Return 1 for each cell whose best class is countable, float32 (N, 1, h * w)."""
    is_thing = np.zeros(classes, np.float32)
    is_thing[things] = 1
    best = op.arg_max(logits, axis=1, keepdims=True)
    return maps.rows_of(op.gather(op.const(is_thing), best), 1)


def _classified(maps: _Maps, logits: Var, segments: Segments, small: float) -> tuple[Var, Var]:
    """
    Compute score and class of each slot.

    :param small: see `ExportOptions.small_segment`.
    :returns: scores, 0 for slots without cells, and class channels as float32, both (N, K).
    """
    if small:
        scores, winner = by_evidence(segments, small)
    else:
        best = op.cast(op.arg_max(logits, axis=1, keepdims=True), to=np.float32)
        scores, winner = by_majority(segments, maps.rows_of(best, 1))
    return scores, op.gather(op.const(segments.things.astype(np.float32)), winner)


def _instances(maps: _Maps, nearest: Var, countable: Var, slots: int) -> Var:
    """Return slot + 1 for countable cells and 0 for the others, (N, h, w)."""
    numbers = op.mul(op.add(nearest, scalar(1)), countable)
    square = op.reshape(numbers, op.const(np.array([-1, *maps.size_hw])))
    return op.cast(square, to=np.uint8 if slots < 256 else np.int32)

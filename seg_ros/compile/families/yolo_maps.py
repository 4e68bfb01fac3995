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

"""YOLO segmentation networks that end in their last convolutions: maps of each stride."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from seg_ros.compile.export_options import ExportOptions
from seg_ros.compile.families.detections import best, Candidates, rows_at
from seg_ros.compile.families.output_interpretation import Decoded, OutputInterpretation
from seg_ros.compile.families.prototypes import Prototypes, prototypes_of
from seg_ros.compile.families.row_form import beyond_unit
from seg_ros.compile.families.yolo_candidates import (
    IOU,
    likeliest_scores,
    map_sides,
    NAME,
    Numbers,
    PYRAMIDS,
    suppressed,
)
from seg_ros.compile.network import Network
from seg_ros.compile.tensor_info import TensorInfo
from seg_ros.core.card import ModelCard
from spox import Var
import spox.opset.ai.onnx.v17 as op

_BINS = 16      # of the distribution of a side's distance
_SIDES = 4 * _BINS


@dataclass(frozen=True)
class _Map:
    """
    An output of some channels for each place of a stride.

    :param last: whether channels are the last axis.
    """

    info: TensorInfo
    channels: int
    last: bool

    def values(self, network: Network) -> Numbers:
        """Return what it holds on images, (images, h, w, channels)."""
        arrays: Numbers = np.concatenate(network.trial(self.info.name)).astype(np.float64)
        return arrays if self.last else arrays.transpose(0, 2, 3, 1)

    def rows(self, tensor: Var) -> Var:
        """Return float32 (N, h * w, channels)."""
        floats = op.cast(tensor, to=np.float32)
        turned = floats if self.last else op.transpose(floats, perm=[0, 2, 3, 1])
        return op.reshape(turned, op.const(np.array([0, -1, self.channels])))


@dataclass(frozen=True)
class _Level:
    """Maps of a stride."""

    stride: int
    sides: _Map
    scores: _Map
    coefficients: _Map

    @property
    def maps(self) -> tuple[_Map, _Map, _Map]:
        """Return all of them."""
        return self.sides, self.scores, self.coefficients


def read_maps(network: Network) -> list[OutputInterpretation] | str:
    """
    Read distances of boxes' sides, class scores and coefficients of each stride, and prototypes.

    So do the tools of Rockchip, D-Robotics and Hailo have YOLOv8 and YOLO11 exported, in any
    order, with channels first or last. A map of one channel beside them repeats the scores.

    :returns: nothing where there are no maps of strides.
    """
    found = []
    for protos in prototypes_of(network):
        for strides in PYRAMIDS:
            levels = _levels(network, protos, strides)
            if levels:
                found.append(_interpretation(network, protos, levels))
    others = [info for info in network.outputs if len(info.shape) == 4]
    if found or not all(_maps(network, others, stride) for stride in PYRAMIDS[0]):
        return found
    return (
        f'no outputs of sides [N, {_SIDES}, h, w], class scores [N, C, h, w] and coefficients '
        '[N, masks, h, w] at each of strides 8, 16 and 32 beside prototypes [N, masks, h, w]; '
        'sizes of anchors, as YOLOv5 and v7 have them, are not in such maps: export the rows, '
        '[N, rows, 5 + classes + masks]'
    )


def _levels(
    network: Network, protos: Prototypes, strides: Sequence[int]
) -> list[_Level]:
    """Return maps by stride; none where an output is left over or two strides are unlike."""
    others = [
        info for info in network.outputs if len(info.shape) == 4 and info is not protos.info
    ]
    of_strides = [_maps(network, others, stride) for stride in strides]
    if sum(map(len, of_strides)) != len(others):
        return []
    levels = [
        _level(network, stride, maps, protos.depth)
        for stride, maps in zip(strides, of_strides, strict=True)
    ]
    known = [level for level in levels if level]
    alike = {level.scores.channels for level in known}
    return known if len(known) == len(levels) and len(alike) == 1 else []


def _maps(network: Network, infos: Sequence[TensorInfo], stride: int) -> list[_Map]:
    sides = map_sides(network.size_hw, stride)
    first = [_Map(info, info.shape[1], False) for info in infos if info.shape[2:] == sides]
    last = [
        _Map(info, info.shape[3], True) for info in infos
        if info.shape[1:3] == sides and info.shape[2:] != sides
    ]
    return first + last


def _level(
    network: Network, stride: int, maps: Sequence[_Map], depth: int
) -> _Level | None:
    """Find out which map is which by their channels, and where those are equal by values."""
    if len(maps) == 4:      # one of them has the sum of the scores, or is the only score
        single = [one for one in maps if one.channels == 1]
        maps = [one for one in maps if one is not single[-1]] if single else maps
    fits = [
        one for one in maps if len(maps) == 3 and
        sorted(other.channels for other in maps if other is not one) == sorted((_SIDES, depth))
    ]
    scores = likeliest_scores([(one.values(network), one) for one in fits])
    if scores is None:
        return None
    rest = {one.channels: one for one in maps if one is not scores}
    return _Level(stride, rest[_SIDES], scores, rest[depth])


def _interpretation(
    network: Network, protos: Prototypes, levels: Sequence[_Level]
) -> OutputInterpretation:
    logits = any(beyond_unit(level.scores.values(network)) for level in levels)
    words = (
        f'maps of strides {", ".join(str(level.stride) for level in levels)}, {protos.depth} '
        'coefficients' + ', scores before the sigmoid' * logits
    )
    infos = (protos.info, *(one.info for level in levels for one in level.maps))
    return OutputInterpretation(
        NAME, 'instance', infos, levels[0].scores.channels, words,
        partial(_decode, protos, levels, network.size_hw, logits),
    )


def _decode(
    protos: Prototypes, levels: Sequence[_Level], size_hw: tuple[int, int], logits: bool,
    tensors: Sequence[Var], card: ModelCard, options: ExportOptions,
) -> Decoded:
    """Choose the best places, and compute boxes for those alone."""
    maps = [one for level in levels for one in level.maps]
    rows = [one.rows(tensor) for one, tensor in zip(maps, tensors[1:], strict=True)]
    sides, scores, coefficients = (op.concat(rows[start::3], axis=1) for start in range(3))
    places = _places(levels, size_hw)
    count = min(options.top_k, len(places))
    likeliest = op.reduce_max(scores, axes=[2], keepdims=False)
    likeliest, index = best(op.sigmoid(likeliest) if logits else likeliest, count)
    winner = op.arg_max(rows_at(scores, index), axis=2, keepdims=False)
    candidates = Candidates(
        _boxes(rows_at(sides, index), op.gather(op.const(places), index, axis=0), count),
        likeliest, op.cast(winner, to=np.float32), rows_at(coefficients, index), count,
    )
    return suppressed(
        candidates, len(places), protos.planes(tensors[0]), protos.shape, IOU, 'logit16', card,
        options,
    )


def _places(levels: Sequence[_Level], size_hw: tuple[int, int]) -> np.ndarray:
    """Return x, y of the cells' middles and the stride, float32 (A, 3), row by row."""
    found = []
    for level in levels:
        y, x = np.indices(map_sides(size_hw, level.stride)) + 0.5
        columns = (x * level.stride, y * level.stride, np.full_like(x, level.stride))
        found.append(np.stack([one.ravel() for one in columns], axis=1))
    return np.concatenate(found).astype(np.float32)


def _boxes(sides: Var, places: Var, count: int) -> Var:
    """
    Return corners in pixels: a side's distance is its distribution's mean, in strides.

    :param sides: (N, M, 4 * bins), left, top, right and bottom.
    :param places: as `_places` returns them, (N, M, 3).
    :param count: M.
    """
    bins = op.reshape(sides, op.const(np.array([-1, count, 4, _BINS])))
    weights = op.const(np.arange(_BINS, dtype=np.float32))
    mean = op.reduce_sum(op.mul(op.softmax(bins, axis=3), weights), op.const([3]), keepdims=False)
    x, y, stride = op.split(places, outputs_count=3, axis=2)
    before, after = op.split(op.mul(mean, stride), outputs_count=2, axis=2)
    middle = op.concat([x, y], axis=2)
    return op.concat([op.sub(middle, before), op.add(middle, after)], axis=2)

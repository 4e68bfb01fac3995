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
YOLO segmentation networks that end in their last convolutions, with maps for each stride.

Reference: X. Li et al., Generalized Focal Loss, 2020, section 3.2 (DFL: a box's distances from its
anchor as the means of distributions).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from seg_ros.compile.export_options import ExportOptions
from seg_ros.compile.families.anchor_tensor import AnchorTensor, Numbers
from seg_ros.compile.families.detections import Candidates, rows_at, top_k
from seg_ros.compile.families.output_interpretation import Decoded, OutputInterpretation
from seg_ros.compile.families.prototypes import Prototypes, prototypes_of
from seg_ros.compile.families.row_form import beyond_unit
from seg_ros.compile.families.yolo_candidates import (
    instances,
    likeliest_scores,
    map_hw,
    NAME,
    PYRAMIDS,
    SUM_ROUNDING,
)
from seg_ros.compile.network import Network
from seg_ros.compile.tensor_info import TensorInfo
from seg_ros.core.card import ModelCard
from spox import Var
import spox.opset.ai.onnx.v17 as op

_BINS = 16      # bins of the distribution of a distance (DFL); YOLO26 gives the distance itself
_DISTANCES = (4 * _BINS, 4)     # channels


@dataclass(frozen=True)
class _Maps:
    """Maps of the same content, one for each stride."""

    tensors: tuple[AnchorTensor, ...]

    @property
    def channels(self) -> int:
        """Return the number of channels of each map."""
        return self.tensors[0].columns

    def values(self, network: Network) -> Numbers:
        """Return the values of all maps on trial images, (anchors, channels)."""
        return np.concatenate([one.values(network) for one in self.tensors])

    def rows(self, found: Mapping[TensorInfo, Var]) -> Var:
        """Return a row for each anchor of all maps, float32 (N, A, channels)."""
        return op.concat([one.rows(found[one.info]) for one in self.tensors], axis=1)

    def part(self, start: int, stop: int | None = None) -> '_Maps':
        """Return some of the channels."""
        return _Maps(tuple(replace(one, start=start, stop=stop) for one in self.tensors))


@dataclass(frozen=True)
class _Layout:
    """
    The maps by their content.

    :param distances: left, top, right and bottom of the box from the anchor, in strides: 4 numbers
        or 4 distributions.
    :param scores: class scores.
    """

    protos: Prototypes
    strides: tuple[int, ...]
    network_hw: tuple[int, int]
    distances: _Maps
    scores: _Maps
    coefficients: _Maps

    @property
    def infos(self) -> tuple[TensorInfo, ...]:
        """Return the tensors of all maps, each once."""
        kinds = self.distances, self.scores, self.coefficients
        return tuple(dict.fromkeys(one.info for kind in kinds for one in kind.tensors))

    def decode(
        self, logits: bool, tensors: Sequence[Var], card: ModelCard, options: ExportOptions
    ) -> Decoded:
        """
        Select the best anchors, and compute boxes only for them.

        :param logits: whether scores are logits.
        """
        by_info = dict(zip(self.infos, tensors[1:], strict=True))
        distances, scores, coefficients = (
            kind.rows(by_info) for kind in (self.distances, self.scores, self.coefficients)
        )
        anchors = _anchor_points(self.strides, self.network_hw)
        count = min(options.top_k, len(anchors))
        likeliest = op.reduce_max(scores, axes=[2], keepdims=False)
        likeliest, index = top_k(op.sigmoid(likeliest) if logits else likeliest, count)
        winner = op.arg_max(rows_at(scores, index), axis=2, keepdims=False)
        distances = rows_at(distances, index)
        if self.distances.channels != 4:
            distances = _means(distances, count)
        candidates = Candidates(
            _boxes(distances, op.gather(op.const(anchors), index, axis=0)),
            likeliest, op.cast(winner, to=np.float32), rows_at(coefficients, index), count,
        )
        return instances(candidates, self.protos, tensors[0], len(anchors), card, options)


def read_maps(network: Network) -> list[OutputInterpretation] | str:
    """
    Read distances of boxes, class scores and coefficients of each stride, and prototypes.

    For the tools of Rockchip, D-Robotics and Hailo, YOLOv8 and later are exported like this, in
    any order, with channels first or last; distances and scores may be one map. An additional map
    of one channel repeats the scores.

    :returns: empty if there are no maps of strides.
    """
    found = [
        _interpretation(network, layout)
        for protos in prototypes_of(network) for strides in PYRAMIDS for is_first in (True, False)
        if (layout := _layout(network, protos, strides, is_first))
    ]
    others = [info for info in network.outputs if len(info.shape) == 4]
    if found or not any(
        all(_maps_of_stride(network, others, stride, is_first) for stride in PYRAMIDS[0])
        for is_first in (True, False)
    ):
        return found
    return (
        f'no outputs of box distances [N, {_DISTANCES[0]} or {_DISTANCES[1]}, h, w], class '
        'scores [N, C, h, w] and coefficients [N, masks, h, w] at each of strides 8, 16 and 32 '
        'beside prototypes [N, masks, h, w]; maps of YOLOv5 and v7 cannot be read, as they lack '
        'the sizes of anchors: export the rows, [N, rows, 5 + classes + masks]'
    )


def _layout(
    network: Network, protos: Prototypes, strides: tuple[int, ...], is_first: bool
) -> _Layout | None:
    """
    Identify the maps by their channels, and by their values if channels are equal.

    :param is_first: whether channels precede height and width.
    """
    kinds = _kinds(network, protos, strides, is_first)
    single = [kind for kind in kinds if kind.channels == 1]
    total = single[-1] if len(kinds) == 4 and single else None
    if total:
        kinds.remove(total)
    if len(kinds) == 2:
        kinds = _divided(kinds, protos.depth)
    fits = [
        (kind.values(network), (kind, channels))
        for channels in _DISTANCES if channels != protos.depth for kind in kinds
        if sorted(other.channels for other in kinds if other is not kind)
        == sorted((channels, protos.depth))
    ]
    likeliest = likeliest_scores(fits)
    if likeliest is None or (total and not _is_sum(network, total, likeliest[0])):
        return None
    scores, channels = likeliest
    rest = {kind.channels: kind for kind in kinds if kind is not scores}
    return _Layout(
        protos, strides, network.size_hw, rest[channels], scores, rest[protos.depth]
    )


def _kinds(
    network: Network, protos: Prototypes, strides: Sequence[int], is_first: bool
) -> list[_Maps]:
    """Group all outputs by their content; empty if some are not maps of these strides."""
    others = [
        info for info in network.outputs if len(info.shape) == 4 and info is not protos.info
    ]
    of_strides = [_maps_of_stride(network, others, stride, is_first) for stride in strides]
    channels = {tuple(one.columns for one in maps) for maps in of_strides}
    if sum(map(len, of_strides)) != len(others) or len(channels) > 1:
        return []
    return [_Maps(maps) for maps in zip(*of_strides, strict=True)]


def _maps_of_stride(
    network: Network, infos: Sequence[TensorInfo], stride: int, is_first: bool
) -> list[AnchorTensor]:
    """Return the outputs of a stride, in their order."""
    size_hw = map_hw(network.size_hw, stride)
    return [
        AnchorTensor(info, is_first) for info in infos
        if (info.shape[2:] if is_first else info.shape[1:3]) == size_hw
    ]


def _divided(kinds: Sequence[_Maps], depth: int) -> list[_Maps]:
    """Split the map besides the coefficients if it holds both distances and scores."""
    whole = [kind for kind in kinds if kind.channels != depth]
    if len(whole) != 1 or whole[0].channels <= _DISTANCES[0]:
        return list(kinds)
    parts = whole[0].part(0, _DISTANCES[0]), whole[0].part(_DISTANCES[0])
    return [*parts, *(kind for kind in kinds if kind is not whole[0])]


def _is_sum(network: Network, total: _Maps, scores: _Maps) -> bool:
    """Return whether a map only repeats the sum of the scores, unlike an objectness."""
    expected = scores.values(network).sum(axis=1, keepdims=True).clip(0, 1)
    return np.allclose(total.values(network), expected, atol=SUM_ROUNDING)


def _interpretation(network: Network, layout: _Layout) -> OutputInterpretation:
    logits, depth = beyond_unit(layout.scores.values(network)), layout.protos.depth
    words = f'maps of strides {", ".join(map(str, layout.strides))}, {depth} coefficients'
    if logits:
        words += ', scores before the sigmoid'
    return OutputInterpretation(
        NAME, 'instance', (layout.protos.info, *layout.infos), layout.scores.channels, words,
        partial(layout.decode, logits),
    )


def _anchor_points(strides: Sequence[int], size_hw: tuple[int, int]) -> np.ndarray:
    """Return x, y of the cells' centres and the stride, float32 (A, 3), row by row."""
    found = []
    for stride in strides:
        y, x = np.indices(map_hw(size_hw, stride)) + 0.5
        columns = (x * stride, y * stride, np.full_like(x, stride))
        found.append(np.stack([one.ravel() for one in columns], axis=1))
    return np.concatenate(found).astype(np.float32)


def _means(distances: Var, count: int) -> Var:
    """
    Return the means of the distributions of distances, (N, M, 4).

    :param distances: (N, M, 4 * bins), for left, top, right and bottom.
    :param count: M.
    """
    bins = op.reshape(distances, op.const(np.array([-1, count, 4, _BINS])))
    weights = op.const(np.arange(_BINS, dtype=np.float32))
    return op.reduce_sum(op.mul(op.softmax(bins, axis=3), weights), op.const([3]), keepdims=False)


def _boxes(distances: Var, anchors: Var) -> Var:
    """
    Return corners in pixels, (N, M, 4).

    :param distances: left, top, right and bottom, in strides.
    :param anchors: (N, M, 3); see `_anchor_points`.
    """
    x, y, stride = op.split(anchors, outputs_count=3, axis=2)
    before, after = op.split(op.mul(distances, stride), outputs_count=2, axis=2)
    center = op.concat([x, y], axis=2)
    return op.concat([op.sub(center, before), op.add(center, after)], axis=2)

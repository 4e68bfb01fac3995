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

"""Finds outputs that are computed from other outputs of the same network."""

from collections.abc import Sequence

import onnx
from seg_ros.compile.families.output_interpretation import OutputInterpretation
from seg_ros.compile.families.strip_output_ops import own_scores, OwnScores
from seg_ros.compile.graph import WEIGHTED_OPERATORS
from seg_ros.compile.network import Network
from seg_ros.compile.tensor_info import TensorInfo


def own_scores_of_all(network: Network) -> list[tuple[str, OwnScores]]:
    """
    Trace the outputs back to the scores from which they are computed.

    Outputs of the same scores are merged, under the name of the one with the most information:
    scores, then probabilities, then labels. Each contributes what it shows of the scores: their
    activation, their upsampling, and that the best class is taken. Outputs that contradict one
    another are not merged.
    """
    groups: dict[str, list[tuple[str, OwnScores]]] = {}
    for info in network.outputs:
        own = own_scores(network, info.name)
        groups.setdefault(own.tensor, []).append((info.name, own))
    return [pair for group in groups.values() for pair in _merged(group)]


def _merged(group: list[tuple[str, OwnScores]]) -> list[tuple[str, OwnScores]]:
    activations = {own.activation: own.activation == 'Sigmoid' for _, own in group}
    activations.pop('', None)
    rules = {own.rule for _, own in group if own.rule}
    if len(set(activations.values())) > 1 or len(rules) > 1:
        return group
    name, own = min(group, key=lambda pair: (pair[1].decides, bool(pair[1].activation)))
    return [(name, OwnScores(
        own.tensor, next(iter(rules), None), next(iter(activations), ''),
        any(own.decides for _, own in group),
    ))]


def sources_first(
    network: Network, found: Sequence[OutputInterpretation]
) -> list[OutputInterpretation]:
    """
    Sort interpretations so that they follow those they are computed from, and drop duplicates.

    Within a family, those with more layers come first, whatever their names: heads that only
    helped in training leave a network before its end. Of as many layers, those with `aux` in the
    name of an output come last.
    """
    once: dict[tuple[tuple[TensorInfo, ...], str], OutputInterpretation] = {}
    for item in found:
        once.setdefault((item.tensor_infos, str(item)), item)
    kept = list(once.values())
    families = list(dict.fromkeys(item.family for item in kept))
    return sorted(kept, key=lambda item: (
        sum(is_derived(network, item, other) for other in kept),
        families.index(item.family), -_layers(network, item),
        any('aux' in name for name in item.sources),
    ))


def _layers(network: Network, item: OutputInterpretation) -> int:
    """
    Return the sum of the numbers of layers before each tensor of an interpretation.

    Products within attention count as layers too.
    """
    return sum(
        node.op_type in WEIGHTED_OPERATORS
        for info in item.tensor_infos for node in network.upstream({info.name})
    )


def is_derived(network: Network, item: OutputInterpretation, other: OutputInterpretation) -> bool:
    """Return whether the tensors of an interpretation are computed from those of another alone."""
    tensors, sources = ({info.name for info in one.tensor_infos} for one in (item, other))
    return not tensors <= sources and computed_from(network, tensors, sources)


def computed_from(network: Network, tensors: set[str], sources: set[str]) -> bool:
    """Return whether tensors are computed from others alone, without weights of their own."""
    if any(_is_weighted(network, node) for node in network.upstream(tensors, sources)):
        return False
    return not network.sees_pixels(tensors, sources)


def _is_weighted(network: Network, node: onnx.NodeProto) -> bool:
    """Return whether a node is a layer, not a product of two tensors that depend on the image."""
    if node.op_type not in WEIGHTED_OPERATORS:
        return False
    return len({network.sees_pixels({name}) for name in node.input[:2]}) > 1

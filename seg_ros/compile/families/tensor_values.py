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

"""Finds out which values a tensor holds from the operators after a network's last weights."""

from collections.abc import Sequence

import numpy as np
import onnx
from seg_ros.compile.families.strip_output_ops import ACTIVATIONS, CARRIERS
from seg_ros.compile.graph import WEIGHTED_OPERATORS
from seg_ros.compile.network import Network
from seg_ros.compile.tensor_info import TensorInfo

# Values after these operators carry no information about the range of their inputs.
_DECIDING = (*ACTIVATIONS, 'ArgMax', 'ArgMin')
_SQUASHING = (
    'Softmax', 'Sigmoid', 'HardSigmoid', 'Tanh', 'Clip', 'Greater', 'GreaterOrEqual', 'Less',
    'LessOrEqual', 'Where', 'Round',
)


def squashed_by(network: Network, tensor: str) -> onnx.NodeProto | None:
    """
    Return a node with bounded results between a tensor and the last weights.

    It need not be the last node: crops, reshapes, factors and selections may follow. Softmax and
    Sigmoid take precedence over a Clip or Round after them; a Clip without maximum does not count.
    """
    found = [
        node for node in _unweighted(network, tensor, _SQUASHING)
        if 0 < upper_bound(network, node) < np.inf
    ]
    return min(found, key=lambda node: _SQUASHING.index(node.op_type), default=None)


def upper_bound(network: Network, node: onnx.NodeProto) -> float:
    """Return the upper bound of a node with bounded results."""
    if node.op_type != 'Clip':
        return 1
    bound = node.input[2] if len(node.input) > 2 else ''
    return float(network.value_of(bound)) if bound else np.inf


def is_maximum(network: Network, tensor: str) -> bool:
    """Return whether a tensor is the maximum of several values, as confidences are."""
    while (node := network.producer(tensor)) is not None and node.op_type in CARRIERS:
        tensor = node.input[0]
    return node is not None and node.op_type in ('ReduceMax', 'TopK')


def is_multiple(network: Network, tensor: str, factor: float) -> bool:
    """Return whether a tensor is a product with `factor`, or a selection of that constant."""
    return any(
        np.isclose(network.value_of(name), factor).all()
        for node in _unweighted(network, tensor, ('Mul', 'Where'))
        for name in node.input if network.is_constant(name)
    )


def holds_labels(network: Network, info: TensorInfo) -> bool:
    """Return whether a tensor holds labels: integers, or whole numbers from an ArgMax."""
    if info.dtype.kind in 'iub':
        return True
    return bool(_unweighted(network, info.name, ('ArgMax', 'ArgMin'))) and all(
        (array == np.rint(array)).all() for array in network.trial_values(info.name)
    )


def _unweighted(network: Network, tensor: str, kinds: Sequence[str]) -> list[onnx.NodeProto]:
    """Return the nodes of some types between a tensor and the last weights."""
    seen, waiting, found = set(), [tensor], []
    while waiting:
        node = network.producer(waiting.pop())
        if node is None or node.op_type in WEIGHTED_OPERATORS or node.output[0] in seen:
            continue
        if node.op_type in kinds:
            found.append(node)
        if node.op_type not in _DECIDING:
            seen.add(node.output[0])
            waiting += node.input
    return found

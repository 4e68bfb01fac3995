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

"""Restores the batch axis of outputs from which a network removes it."""

from dataclasses import replace

import onnx
from onnx import helper
from seg_ros.compile.graph import attributes, inputs_of, with_nodes
from seg_ros.compile.network import Network
from seg_ros.core.errors import ModelError


def with_batch_kept(network: Network) -> Network:
    """
    Undo a final operation that removes the batch axis of a single image, such as `boxes[0]`.

    Families identify outputs by their axes, of which the first must be the batch.
    """
    names = {item.name for item in network.model.graph.output}
    names -= {name for node in network.model.graph.node for name in inputs_of(node)}
    ends = [
        node for node in network.model.graph.node
        if names.intersection(node.output) and _removes_batch(network, node)
    ]
    if not ends:
        return network
    nodes = [
        helper.make_node('Identity', node.input[:1], node.output, node.name)
        if node in ends else node
        for node in network.model.graph.node
    ]
    return replace(network, model=with_nodes(network.model, nodes))


def _removes_batch(network: Network, node: onnx.NodeProto) -> bool:
    if node.op_type not in ('Gather', 'Squeeze') or len(node.input) < 2:
        return False
    if not network.is_constant(node.input[1]):
        return False
    which = network.value_of(node.input[1]).tolist()
    if attributes(node).get('axis', 0) or which != (0 if node.op_type == 'Gather' else [0]):
        return False
    try:
        (info,) = network.tensor_infos(node.input[:1])
    except ModelError:
        return False
    return info.shape[:1] == (1,)

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

"""Resolves If nodes whose condition is the same for every image."""

from collections.abc import Mapping
from dataclasses import replace

import onnx
from onnx import helper
from seg_ros.compile.graph import attributes, subgraphs_of, with_nodes
from seg_ros.compile.network import Network
from seg_ros.core.errors import ModelError


def with_branches_taken(network: Network) -> Network:
    """
    Replace each If whose condition does not depend on pixels by the branch that it takes.

    Exporters write an If where a squeeze depends on a size that is unknown during export.
    """
    while node := _next_fixed_if(network):
        taken, weights = _taken_branch(network, node)
        nodes: list[onnx.NodeProto] = []
        for other in network.model.graph.node:
            nodes += taken if other.output[0] == node.output[0] else [other]
        network = replace(network, model=with_nodes(network.model, nodes, weights))
    return network


def _next_fixed_if(network: Network) -> onnx.NodeProto | None:
    return next((
        node for node in network.model.graph.node if node.op_type == 'If'
        and not network.sees_pixels({node.input[0]}) and _can_run(network, node.input[0])
    ), None)


def _can_run(network: Network, tensor: str) -> bool:
    try:
        network.value_of(tensor)
    except ModelError:
        return False
    return True


def _taken_branch(
    network: Network, node: onnx.NodeProto
) -> tuple[list[onnx.NodeProto], list[onnx.TensorProto]]:
    """Return the nodes and the weights of the branch that an If takes."""
    wanted = 'then_branch' if network.value_of(node.input[0]).all() else 'else_branch'
    branch = attributes(node)[wanted]
    inner = [
        *(item.name for item in branch.initializer),
        *(name for part in branch.node for name in part.output if name),
    ]
    names = {name: f'{node.output[0]}/{name}' for name in inner}
    weights = []
    for item in branch.initializer:
        weight = onnx.TensorProto()
        weight.CopyFrom(item)
        weight.name = names[item.name]
        weights.append(weight)
    nodes = [
        *(_rename(part, names) for part in branch.node),
        *(
            helper.make_node('Identity', [names.get(item.name, item.name)], [name])
            for item, name in zip(branch.output, node.output, strict=True)
        ),
    ]
    return nodes, weights


def _rename(node: onnx.NodeProto, names: Mapping[str, str]) -> onnx.NodeProto:
    """Return a copy of a node with its tensors renamed, also in its subgraphs."""
    copy = onnx.NodeProto()
    copy.CopyFrom(node)
    copy.input[:] = [names.get(name, name) for name in node.input]
    copy.output[:] = [names.get(name, name) for name in node.output]
    for subgraph in subgraphs_of(copy):
        inner = [_rename(each, names) for each in subgraph.node]
        del subgraph.node[:]
        subgraph.node.extend(inner)
        for item in subgraph.output:
            item.name = names.get(item.name, item.name)
    return copy

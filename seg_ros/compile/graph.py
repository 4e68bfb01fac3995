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

"""Reads the nodes of ONNX graphs, and makes models of other nodes."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import onnx
from onnx import helper

# Operators that combine a tensor with weights, if one of their inputs is constant.
WEIGHTED_OPERATORS = frozenset({'Conv', 'ConvTranspose', 'Einsum', 'Gemm', 'MatMul'})


def attributes(node: onnx.NodeProto) -> dict[str, Any]:
    """Return the attributes that a node has, by name; strings are bytes."""
    return {item.name: helper.get_attribute_value(item) for item in node.attribute}


def subgraphs_of(node: onnx.NodeProto) -> Iterator[onnx.GraphProto]:
    """Iterate over the branches of an If, or the body of a Loop."""
    for attribute in node.attribute:
        if attribute.HasField('g'):
            yield attribute.g
        yield from attribute.graphs


def nodes_of(graph: onnx.GraphProto) -> Iterator[onnx.NodeProto]:
    """Iterate over all nodes of a graph, including those of subgraphs."""
    for node in graph.node:
        yield node
        for subgraph in subgraphs_of(node):
            yield from nodes_of(subgraph)


def inputs_of(node: onnx.NodeProto) -> set[str]:
    """Return the tensors that a node and its subgraphs read."""
    names = set(node.input)
    for subgraph in subgraphs_of(node):
        names.update(item.name for item in subgraph.output)
        for inner in subgraph.node:
            names |= inputs_of(inner)
    return names


def nodes_for(nodes: Sequence[onnx.NodeProto], outputs: Iterable[str]) -> list[onnx.NodeProto]:
    """Return those of sorted nodes that compute `outputs`."""
    needed, kept = set(outputs), []
    for node in reversed(nodes):
        if needed.intersection(node.output):
            kept.append(node)
            needed |= inputs_of(node)
    return kept[::-1]


def model_between(
    model: onnx.ModelProto, inputs: Sequence[onnx.ValueInfoProto], outputs: Sequence[str]
) -> onnx.ModelProto:
    """Return a model with the nodes and weights that compute `outputs` from `inputs`."""
    given = {item.name for item in inputs}
    others = [node for node in model.graph.node if not given.intersection(node.output)]
    nodes = nodes_for(others, outputs)
    read = {*outputs}.union(*map(inputs_of, nodes))
    graph = helper.make_graph(
        nodes, model.graph.name or 'network', inputs,
        [onnx.ValueInfoProto(name=name) for name in outputs],
        [item for item in model.graph.initializer if item.name in read],
        sparse_initializer=[
            item for item in model.graph.sparse_initializer if item.values.name in read
        ],
    )
    return helper.make_model(
        graph, opset_imports=model.opset_import, ir_version=model.ir_version
    )


def with_nodes(
    model: onnx.ModelProto, nodes: Iterable[onnx.NodeProto],
    weights: Iterable[onnx.TensorProto] = (),
) -> onnx.ModelProto:
    """Return a copy of a model with other nodes, and with further weights."""
    changed = onnx.ModelProto()
    changed.CopyFrom(model)
    del changed.graph.node[:]
    changed.graph.node.extend(nodes)
    changed.graph.initializer.extend(weights)
    return changed

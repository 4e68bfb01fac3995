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

"""Builds small graphs with spox, and chains them into one."""

from collections.abc import Mapping

import onnx
from onnx.compose import add_prefix
from onnx.version_converter import convert_version
from spox import build, Var

# Prefix of the raw network's names inside a compiled graph.
NETWORK_PREFIX = 'network/'


def opset_of(model: onnx.ModelProto) -> int:
    """Return the version of the standard ONNX opset that a model uses; 0 if it uses none."""
    versions = [item.version for item in model.opset_import if item.domain in ('', 'ai.onnx')]
    return max(versions, default=0)


def build_subgraph(
    name: str, inputs: Mapping[str, Var], outputs: Mapping[str, Var], opset: int
) -> onnx.ModelProto:
    """
    Build a graph whose inner names begin with `name`.

    :param inputs: arguments by tensor name; unused ones are left out.
    :param outputs: results by tensor name.
    :param opset: opset of the graph to chain it with, 17 or higher.
    """
    model = build(dict(inputs), dict(outputs), drop_unused_inputs=True)
    # spox orders inputs at random; compiling a network again has to give the same file.
    model.graph.input.sort(key=lambda item: [*inputs].index(item.name))
    _drop_identities(model)
    _drop_indices(model)
    if opset_of(model) != opset:
        model = convert_version(model, opset)
    return _named_inside(model, f'{name}/')


def chain(*pieces: onnx.ModelProto) -> onnx.ModelProto:
    """
    Connect each graph's outputs to the inputs of the same name in later graphs.

    :param pieces: graphs of one opset that have no other names in common.
    :returns: graph with the first one's inputs and metadata, and all outputs that no later graph
        uses. Weights stay initializers.
    """
    first, *rest = pieces
    whole = onnx.ModelProto()
    whole.CopyFrom(first)
    graph = whole.graph
    for piece in rest:
        used = {item.name for item in piece.graph.input}
        left = [item for item in graph.output if item.name not in used]
        del graph.output[:]
        graph.output.extend([*left, *piece.graph.output])
        for part in ('node', 'initializer', 'sparse_initializer', 'value_info'):
            getattr(graph, part).extend(getattr(piece.graph, part))
        known = {item.domain for item in whole.opset_import}
        whole.opset_import.extend(
            item for item in piece.opset_import if item.domain not in known
        )
    oldest = onnx.helper.find_min_ir_version_for(whole.opset_import, ignore_unknown=True)
    whole.ir_version = max(8, oldest)
    return whole


def _named_inside(model: onnx.ModelProto, prefix: str) -> onnx.ModelProto:
    """
    Add `prefix` to all names except those of the graph's inputs and outputs.

    Those are restored afterwards: onnx before 1.19 renames their edges even if asked not to.
    """
    given = (*model.graph.input, *model.graph.output)
    original = {f'{prefix}{item.name}': item.name for item in given}
    named = add_prefix(model, prefix)
    for node in named.graph.node:
        node.input[:] = [original.get(tensor, tensor) for tensor in node.input]
        node.output[:] = [original.get(tensor, tensor) for tensor in node.output]
    for item in (*named.graph.input, *named.graph.output):
        item.name = original[item.name]
    return named


def _drop_indices(model: onnx.ModelProto) -> None:
    """Remove unused index outputs of MaxPool, which spox always adds and TensorRT lacks."""
    read = {tensor for node in model.graph.node for tensor in node.input}
    for node in model.graph.node:
        if node.op_type == 'MaxPool' and not read & set(node.output[1:]):
            del node.output[1:]


def _drop_identities(model: onnx.ModelProto) -> None:
    """
    Remove the Identity nodes that spox puts before outputs.

    TensorRT supports a uint8 output only directly from a Cast.
    """
    graph = model.graph
    written = {tensor for node in graph.node for tensor in node.output}
    copies = {
        node.input[0]: node.output[0]
        for node in graph.node
        if node.op_type == 'Identity' and node.input[0] in written
    }
    nodes = [
        node
        for node in graph.node
        if node.op_type != 'Identity' or copies.get(node.input[0]) != node.output[0]
    ]
    for node in nodes:
        node.input[:] = [copies.get(tensor, tensor) for tensor in node.input]
        node.output[:] = [copies.get(tensor, tensor) for tensor in node.output]
    del graph.node[:]
    graph.node.extend(nodes)

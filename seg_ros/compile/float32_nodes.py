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
Finds the nodes that compute indices, coordinates or comparisons and must stay in float32.

In 16 bits their results change: float16 does not hold every integer above 2048, nor bfloat16 above
256, and comparisons flip. The nodes are found from the graph, not by name. Prompt coordinates are
treated the same.
"""

from collections.abc import Collection

import onnx
from onnx import TensorProto
from seg_ros.compile.graph import attributes
from seg_ros.compile.subgraph import NETWORK_PREFIX
from seg_ros.core.tensors import IMAGE, PROMPTS

_SENSITIVE_OPERATORS = frozenset({
    'Greater', 'GreaterOrEqual', 'GridSample', 'Less', 'LessOrEqual', 'TopK',
})
_INTEGERS = frozenset({TensorProto.INT32, TensorProto.INT64})


def float32_nodes(
    model: onnx.ModelProto, weighted: Collection[str], feeding: Collection[str]
) -> set[str]:
    """
    Return the names of the network nodes in a compiled graph that must compute in float32.

    These are the nodes before the network's last weights that compare values or make indexes, with
    the nodes that lead to them from the previous weights, and the nodes that depend on prompts but
    not on the image. Nodes after the last weights stay in float32 anyway.

    :param weighted: names of the network's nodes with weights.
    :param feeding: names of the nodes whose results lead to nodes with weights.
    """
    producers = {name: node for node in model.graph.node for name in node.output}
    found = _prompt_nodes(model)
    waiting = [node for node in model.graph.node if node.name in feeding and _is_sensitive(node)]
    while waiting:
        node = waiting.pop()
        if node.name in found or node.name in weighted:
            continue
        if not node.name.startswith(NETWORK_PREFIX):
            continue
        found.add(node.name)
        waiting += [producers[name] for name in node.input if name in producers]
    return found


def _prompt_nodes(model: onnx.ModelProto) -> set[str]:
    """Return the names of the network nodes that depend on prompts but not on the image."""
    sees = {name: {name} for name in (IMAGE, PROMPTS)}
    names = set()
    for node in model.graph.node:
        seen: set[str] = set().union(*(sees.get(name, ()) for name in node.input))
        sees.update((name, seen) for name in node.output)
        if seen == {PROMPTS} and node.name.startswith(NETWORK_PREFIX):
            names.add(node.name)
    return names


def _is_sensitive(node: onnx.NodeProto) -> bool:
    if node.op_type == 'Cast':
        return attributes(node)['to'] in _INTEGERS
    return node.op_type in _SENSITIVE_OPERATORS

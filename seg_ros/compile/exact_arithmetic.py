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
Which nodes of a network decide instead of measure, and what they decide from.

Sixteen bits must not touch them: an index above 2048 has no float16, a column of 600 no bfloat16,
and a comparison falls the other way. Found from the graph, without a rule about names. Places that
prompts point at are such numbers too.
"""

from collections.abc import Iterable

import onnx
from onnx import TensorProto
from seg_ros.compile.subgraph import BODY
from seg_ros.core.tensors import IMAGE, PROMPTS

_DECIDING = frozenset({
    'Greater', 'GreaterOrEqual', 'GridSample', 'Less', 'LessOrEqual', 'TopK',
})
_WEIGHTED = frozenset({'Conv', 'ConvTranspose', 'Gemm', 'MatMul'})
_INTEGERS = frozenset({TensorProto.INT32, TensorProto.INT64})


def exact_nodes(model: onnx.ModelProto, feeding: Iterable[str]) -> set[str]:
    """
    Name the nodes of a compiled graph's network that have to compute in 32 bits.

    Those are the nodes that decide before the network's last weights, and what leads to them,
    back to the weights before. What comes after the last weights stays in 32 bits anyway. What
    is computed from prompts without the image belongs to them.

    :param feeding: names of the nodes whose results come before weights.
    """
    producers = {name: node for node in model.graph.node for name in node.output}
    constants = {item.name for item in model.graph.initializer}
    before = set(feeding)
    found = _positions(model)
    waiting = [node for node in model.graph.node if node.name in before and _decides(node)]
    while waiting:
        node = waiting.pop()
        weighted = node.op_type in _WEIGHTED and constants.intersection(node.input)
        if node.name in found or weighted or not node.name.startswith(BODY):
            continue
        found.add(node.name)
        waiting += [producers[name] for name in node.input if name in producers]
    return found


def _positions(model: onnx.ModelProto) -> set[str]:
    """Name the network's nodes that see prompts and nothing of the image."""
    sees = {name: {name} for name in (IMAGE, PROMPTS)}
    names = set()
    for node in model.graph.node:
        seen: set[str] = set().union(*(sees.get(name, ()) for name in node.input))
        sees.update((name, seen) for name in node.output)
        if seen == {PROMPTS} and node.name.startswith(BODY):
            names.add(node.name)
    return names


def _decides(node: onnx.NodeProto) -> bool:
    if node.op_type == 'Cast':
        return any(item.name == 'to' and item.i in _INTEGERS for item in node.attribute)
    return node.op_type in _DECIDING

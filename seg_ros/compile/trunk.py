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

"""Finds the trunk of a compiled graph: the network's nodes that may compute in fewer bits."""

from collections.abc import Sequence
from fnmatch import fnmatch

import onnx
from seg_ros.compile.float32_nodes import float32_nodes
from seg_ros.compile.graph import WEIGHTED_OPERATORS
from seg_ros.compile.subgraph import NETWORK_PREFIX
from seg_ros.core.errors import SettingError
from seg_ros.core.signature import Arithmetic


def trunk_nodes(model: onnx.ModelProto, keep: Sequence[str] = ()) -> list[onnx.NodeProto]:
    """
    Return the network's nodes up to its last weights that may compute in fewer bits.

    Nodes after the last weights compute boxes, pixels and probabilities, and float16 resolves a
    column of 640 only to half a pixel. Nodes before them that compute indices or comparisons are
    excluded too (`compile.float32_nodes`).

    :param keep: name patterns, as for files, of further nodes to exclude. The prefix that
        compiling adds to the network's names may be left out.
    :raises SettingError: if a pattern matches no node.
    """
    nodes = [node for node in model.graph.node if node.name.startswith(NETWORK_PREFIX)]
    for pattern in keep:
        if not any(_matches(node, pattern) for node in nodes):
            raise SettingError(
                f'--keep {pattern!r}', 'the name of a node, or a pattern such as */head/*',
                'use node names of the exported network',
            )
    weighted, feeding = weighted_nodes(model)
    narrow = (weighted | feeding) - float32_nodes(model, weighted, feeding)
    return [
        node
        for node in nodes
        if node.name in narrow and not any(_matches(node, pattern) for pattern in keep)
    ]


def weighted_nodes(model: onnx.ModelProto) -> tuple[set[str], set[str]]:
    """Return the names of the network's nodes with weights, and of those that lead to weights."""
    constants = {item.name for item in model.graph.initializer}
    constants.update(
        node.output[0] for node in model.graph.node if node.op_type == 'Constant'
    )
    weighted: set[str] = set()
    feeding: set[str] = set()
    feeds: set[str] = set()
    for node in reversed(model.graph.node):
        has_weights = (
            node.name.startswith(NETWORK_PREFIX) and node.op_type in WEIGHTED_OPERATORS
            and constants.intersection(node.input)
        )
        if has_weights:
            weighted.add(node.name)
        if feeds.intersection(node.output):
            feeding.add(node.name)
        if has_weights or node.name in feeding:
            feeds.update(node.input)
    return weighted, feeding


def _matches(node: onnx.NodeProto, pattern: str) -> bool:
    return fnmatch(node.name, pattern) or fnmatch(node.name.removeprefix(NETWORK_PREFIX), pattern)


def arithmetic_of(model: onnx.ModelProto) -> Arithmetic:
    """Return `any` if every node of the network may compute in 16 bits, otherwise `f32`."""
    return 'f32' if float32_nodes(model, *weighted_nodes(model)) else 'any'

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

"""Which nodes of a compiled graph are the network's trunk: what may compute in fewer bits."""

from collections.abc import Sequence
from fnmatch import fnmatch

import onnx
from seg_ros.compile.exact_arithmetic import exact_nodes
from seg_ros.compile.subgraph import BODY
from seg_ros.core.errors import SettingError
from seg_ros.core.signature import Arithmetic

WEIGHTED = frozenset({'Conv', 'ConvTranspose', 'Gemm', 'MatMul'})


def trunk_nodes(model: onnx.ModelProto, keep: Sequence[str] = ()) -> list[onnx.NodeProto]:
    """
    Return the network's nodes up to its last weights.

    What comes after them turns numbers into boxes, pixels and probabilities: sixteen bits hold a
    column of 640 to half a pixel. Where the network computes indices or compares before them, that
    stays as it is too (`compile.exact_arithmetic`).

    :param keep: patterns of names, as of files, whose nodes stay as they are. The prefix that
        compiling put before the network's own names may be left out.
    :raises SettingError: if a pattern fits no node.
    """
    body = [node for node in model.graph.node if node.name.startswith(BODY)]
    for pattern in keep:
        if not any(_fits(node, pattern) for node in body):
            raise SettingError(
                f'--keep {pattern!r}', 'the name of a node, or a pattern such as */head/*',
                'seg_ros inspect lists nothing that fits; names are those of the exported network',
            )
    weighted, feeding = weighted_nodes(model)
    narrow = (weighted | feeding) - exact_nodes(model, feeding)
    return [
        node
        for node in body
        if node.name in narrow and not any(_fits(node, pattern) for pattern in keep)
    ]


def weighted_nodes(model: onnx.ModelProto) -> tuple[set[str], set[str]]:
    """Name the network's nodes that have weights, and those whose results come before weights."""
    constants = {item.name for item in model.graph.initializer}
    constants.update(
        node.output[0] for node in model.graph.node if node.op_type == 'Constant'
    )
    weighted: set[str] = set()
    feeding: set[str] = set()
    feeds: set[str] = set()
    for node in reversed(model.graph.node):
        has_weights = (
            node.name.startswith(BODY) and node.op_type in WEIGHTED
            and constants.intersection(node.input)
        )
        if has_weights:
            weighted.add(node.name)
        if feeds.intersection(node.output):
            feeding.add(node.name)
        if has_weights or node.name in feeding:
            feeds.update(node.input)
    return weighted, feeding


def _fits(node: onnx.NodeProto, pattern: str) -> bool:
    return fnmatch(node.name, pattern) or fnmatch(node.name.removeprefix(BODY), pattern)


def arithmetic_of(model: onnx.ModelProto) -> Arithmetic:
    """Say whether a compiled graph's network bears 16 bits in every node."""
    return 'f32' if exact_nodes(model, weighted_nodes(model)[1]) else 'any'

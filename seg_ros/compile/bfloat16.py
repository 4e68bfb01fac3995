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

"""Emulates hardware that computes in bfloat16, to test a network without it."""

from dataclasses import replace

import onnx
from onnx import helper, TensorProto
from seg_ros.compile.compiled import compiled_from_model, CompiledModel, write_metadata
from seg_ros.compile.graph import with_nodes
from seg_ros.compile.operators import element_types
from seg_ros.compile.subgraph import NETWORK_PREFIX


def in_bfloat16(compiled: CompiledModel) -> CompiledModel:
    """Round the inputs of the network's nodes to bfloat16; sums within nodes stay in float32."""
    types = element_types(compiled.model)
    nodes: list[onnx.NodeProto] = []
    narrow: dict[str, str] = {}
    for original in compiled.model.graph.node:
        node = onnx.NodeProto()
        node.CopyFrom(original)
        inside = node.name.startswith(NETWORK_PREFIX)
        for index, name in enumerate(node.input):
            if inside and types.get(name) == TensorProto.FLOAT and node.op_type != 'Resize':
                if name not in narrow:
                    narrow[name] = f'{name}/rounded'
                    nodes += _casts(name, narrow[name])
                node.input[index] = narrow[name]
        nodes.append(node)
    return replace(compiled, model=with_nodes(compiled.model, nodes))


def with_f32_required(compiled: CompiledModel, note: str) -> CompiledModel:
    """
    Require engines to compute the whole network in float32.

    :param note: reason, stored in the file.
    """
    model = onnx.ModelProto()
    model.CopyFrom(compiled.model)
    signature = replace(compiled.signature, arithmetic='f32')
    write_metadata(model, compiled.card, signature, (*compiled.notes, note))
    return compiled_from_model(model, compiled.card.name)


def _casts(source: str, target: str) -> list[onnx.NodeProto]:
    half = f'{target}/bfloat16'
    return [
        helper.make_node('Cast', [source], [half], name=half, to=TensorProto.BFLOAT16),
        helper.make_node('Cast', [half], [target], name=target, to=TensorProto.FLOAT),
    ]

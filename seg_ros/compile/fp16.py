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

"""Converts the trunk of a compiled graph to float16, between two casts."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import onnx
from onnx import helper, numpy_helper, TensorProto
from seg_ros.compile.operators import element_types
from seg_ros.compile.trunk import trunk_nodes

LARGEST = float(np.finfo(np.float16).max)
# Sums over many values and fast-growing functions: float16 overflows or loses small values.
SENSITIVE = frozenset({
    'Exp', 'GroupNormalization', 'If', 'InstanceNormalization', 'LayerNormalization', 'Log',
    'LogSoftmax', 'Loop', 'Pow', 'ReduceL2', 'ReduceMean', 'ReduceSum', 'Scan', 'Softmax',
})
# Indices of inputs that ONNX requires to stay in float32.
WIDE_INPUTS: Mapping[str, frozenset[int]] = {'Resize': frozenset({1, 2})}


def with_fp16_trunk(model: onnx.ModelProto, keep: Sequence[str] = ()) -> onnx.ModelProto:
    """
    Convert the weights and the arithmetic of the trunk to float16.

    Libraries for this task cast to 16 bits and back between any two nodes that stay in float32,
    which costs the decoder precision; here all other nodes stay unchanged.

    :param keep: name patterns of nodes that stay in float32; see `trunk_nodes`.
    :raises SettingError: if a pattern matches no node.
    """
    whole = onnx.ModelProto()
    whole.CopyFrom(model)
    types = element_types(whole)
    trunk = {
        node.output[0] for node in trunk_nodes(whole, keep) if node.op_type not in SENSITIVE
    }
    tensors = _Tensors(whole, types)
    nodes: list[onnx.NodeProto] = []
    for node in whole.graph.node:
        for index, name in enumerate(node.input):
            wide = node.output[0] not in trunk or index in WIDE_INPUTS.get(node.op_type, ())
            node.input[index] = tensors.wide(name, nodes) if wide else tensors.narrow(name, nodes)
        if node.output[0] in trunk:
            _narrow_attributes(node)
            tensors.mark_narrow(
                name for name in node.output if types.get(name) == TensorProto.FLOAT
            )
        nodes.append(node)
    for item in whole.graph.output:
        tensors.widen_output(item.name, nodes)
    graph = onnx.GraphProto(
        name=whole.graph.name, node=nodes, initializer=tensors.initializers(),
        input=whole.graph.input, output=whole.graph.output,
    )
    whole.graph.CopyFrom(graph)
    return whole


class _Tensors:
    """
    Provides each tensor in the width that a node needs, with as few casts as possible.

    Narrow is float16, wide is float32. Tensors that the trunk writes keep their names and become
    narrow.
    """

    def __init__(self, model: onnx.ModelProto, types: Mapping[str, int]) -> None:
        self._types = types
        self._weights = {item.name: item for item in model.graph.initializer}
        self._used: dict[str, TensorProto] = {}
        self._narrow: set[str] = set()
        self._casts: dict[tuple[str, int], str] = {}

    def mark_narrow(self, names: Iterable[str]) -> None:
        self._narrow.update(names)

    def narrow(self, name: str, nodes: list[onnx.NodeProto]) -> str:
        if self._types.get(name) != TensorProto.FLOAT or name in self._narrow:
            return self._use(name)
        if name in self._weights:
            half = f'{name}/fp16'
            if half not in self._used:
                values = numpy_helper.to_array(self._weights[name])
                narrow = np.clip(values, -LARGEST, LARGEST).astype(np.float16)
                self._used[half] = numpy_helper.from_array(narrow, half)
            return half
        return self._cast(name, TensorProto.FLOAT16, nodes)

    def wide(self, name: str, nodes: list[onnx.NodeProto]) -> str:
        if name in self._narrow:
            return self._cast(name, TensorProto.FLOAT, nodes)
        return self._use(name)

    def widen_output(self, name: str, nodes: list[onnx.NodeProto]) -> None:
        """Cast the graph's output `name` to float32 if the trunk writes it."""
        if name not in self._narrow:
            return
        inner = f'{name}/fp16'
        for node in nodes:
            for names in (node.input, node.output):
                names[:] = [inner if each == name else each for each in names]
        nodes.append(_cast_node(inner, name, TensorProto.FLOAT))

    def initializers(self) -> list[TensorProto]:
        return list(self._used.values())

    def _use(self, name: str) -> str:
        if name in self._weights:
            self._used[name] = self._weights[name]
        return name

    def _cast(self, name: str, kind: int, nodes: list[onnx.NodeProto]) -> str:
        if (name, kind) not in self._casts:
            target = f'{name}/{"fp16" if kind == TensorProto.FLOAT16 else "fp32"}'
            nodes.append(_cast_node(name, target, kind))
            self._casts[name, kind] = target
        return self._casts[name, kind]


def _cast_node(source: str, target: str, kind: int) -> onnx.NodeProto:
    return helper.make_node('Cast', [source], [target], name=f'precision/{target}', to=kind)


def _narrow_attributes(node: onnx.NodeProto) -> None:
    """Convert constants in a node's attributes, and the target type of a Cast, to float16."""
    for attribute in node.attribute:
        if node.op_type == 'Cast' and attribute.name == 'to' and attribute.i == TensorProto.FLOAT:
            attribute.i = TensorProto.FLOAT16
        if attribute.name == 'value' and attribute.t.data_type == TensorProto.FLOAT:
            values = np.clip(numpy_helper.to_array(attribute.t), -LARGEST, LARGEST)
            attribute.t.CopyFrom(numpy_helper.from_array(values.astype(np.float16)))
    if node.op_type == 'ConstantOfShape' and not node.attribute:
        zero = numpy_helper.from_array(np.zeros(1, np.float16))
        node.attribute.append(helper.make_attribute('value', zero))

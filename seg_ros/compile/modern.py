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

"""Converts a raw model to a flat, sorted graph of a supported opset."""

import onnx
from onnx import helper
from onnx.inliner import inline_local_functions
from onnx.version_converter import convert_version, ConvertError
from seg_ros.compile.graph import inputs_of, nodes_of
from seg_ros.compile.single_precision import convert_to_single
from seg_ros.compile.subgraph import opset_of
from seg_ros.compile.training_mode import refuse_training_mode
from seg_ros.core.errors import ModelError

# Before opset 7, operators broadcast differently.
OLDEST_OPSET, LOWEST_OPSET, HIGHEST_OPSET, NEWEST_OPSET = 7, 17, 20, 25
_RESIZE_MODES = 11      # first opset whose Resize has a coordinate transformation mode
_QUANTISED = frozenset({
    'QuantizeLinear', 'DequantizeLinear', 'DynamicQuantizeLinear', 'QLinearConv', 'QLinearMatMul',
    'ConvInteger', 'MatMulInteger',
})


def modern_model(model: onnx.ModelProto) -> onnx.ModelProto:
    """
    Return a copy with functions inlined, nodes sorted, usual floats and a supported opset.

    :raises ModelError: if the model cannot be converted, is quantised or in training mode.
    """
    version = opset_of(model)
    if not OLDEST_OPSET <= version <= NEWEST_OPSET:
        raise ModelError(
            f'a network of ONNX opset {version}', f'{OLDEST_OPSET} to {NEWEST_OPSET}',
            'export it with opset 17 to 20',
        )
    modern = inline_local_functions(model)
    for item in modern.opset_import:
        if item.domain == 'ai.onnx':
            item.domain = ''
    _refuse_quantised(modern.graph)
    refuse_training_mode(modern.graph)
    convert_to_single(modern.graph)
    _sort(modern.graph)
    if not LOWEST_OPSET <= version <= HIGHEST_OPSET:
        modern = _convert(modern, min(max(version, LOWEST_OPSET), HIGHEST_OPSET))
    modern.ir_version = min(max(8, modern.ir_version), 10)
    return modern


def _refuse_quantised(graph: onnx.GraphProto) -> None:
    if found := sorted({node.op_type for node in nodes_of(graph)} & _QUANTISED):
        raise ModelError(
            f'a quantised network, with {", ".join(found)}', 'the network in fp32',
            'give the file from before its quantisation; compile quantises it in a form that '
            'every engine reads: --precision int8 --calibrate IMAGES',
        )


def _convert(model: onnx.ModelProto, version: int) -> onnx.ModelProto:
    before = opset_of(model)
    try:
        converted = convert_version(model, version)
    except (ConvertError, RuntimeError) as error:
        words = str(error).strip().splitlines()[-1][-200:]
        raise ModelError(
            f'ONNX cannot bring the network from opset {before} to {version} ({words})',
            do='export it with opset 17 to 20',
        ) from error
    if before < _RESIZE_MODES:
        _set_resize_modes(converted.graph)
    return converted


def _set_resize_modes(graph: onnx.GraphProto) -> None:
    """Set the modes of old Resize nodes, which the converter leaves out, as ONNX Runtime does."""
    for node in graph.node:
        if node.op_type == 'Resize':
            node.attribute.extend([
                helper.make_attribute('coordinate_transformation_mode', 'asymmetric'),
                helper.make_attribute('nearest_mode', 'floor'),
            ])


def _sort(graph: onnx.GraphProto) -> None:
    """
    Sort nodes topologically, as the standard requires.

    Converters to half precision append casts at the end, which some runtimes accept.

    :raises ModelError: if nodes depend on each other in a cycle.
    """
    made = {name for node in graph.node for name in node.output if name}
    ready: set[str] = set()
    waiting = list(graph.node)
    ordered: list[onnx.NodeProto] = []
    while waiting:
        left = []
        for node in waiting:
            if (inputs_of(node) & made) <= ready:
                ordered.append(node)
                ready.update(node.output)
            else:
                left.append(node)
        if len(left) == len(waiting):
            names = ', '.join(node.name or node.op_type for node in left[:3])
            raise ModelError(f'nodes that depend on each other: {names}', do='export it again')
        waiting = left
    if any(one is not other for one, other in zip(ordered, graph.node, strict=True)):
        copies = [onnx.NodeProto.FromString(node.SerializeToString()) for node in ordered]
        del graph.node[:]
        graph.node.extend(copies)

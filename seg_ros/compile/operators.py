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
The operators that a compiled graph may contain: those that TensorRT 10.0 to 11 supports.

Sources: the operator tables of onnx-tensorrt 10.0 and its importers, which also support the cubic
Resize that the tables lack, the type rules of TensorRT's IConstantLayer and ICastLayer, and
builds of one-operator graphs. Where versions differ, the strictest counts.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import onnx
from onnx import numpy_helper, TensorProto
from seg_ros.compile.export_options import TENSORRT_TOP_K
from seg_ros.compile.graph import attributes, nodes_of
from seg_ros.compile.subgraph import opset_of

OPSETS = range(17, 21)

_RAW = 'export the network up to its raw outputs'
FORBIDDEN: Mapping[str, str] = {
    'NonMaxSuppression': 'export without it (nms=False): compile adds its own for YOLO',
    'NonZero': 'its output has no fixed shape; export a mask or a Where instead',
    'Compress': 'its output has no fixed shape; export a mask or a Where instead',
    'Unique': 'its output has no fixed shape',
    'RoiAlign': 'export Mask R-CNN with seg_ros export mask_rcnn, which takes its weights',
    'DeformConv': 'use a network without deformable convolution',
    'CenterCropPad': 'export Pad and Slice with fixed sizes',
    'AffineGrid': 'export the grid as a constant',
    'BitShift': 'compute with multiplications',
    'BitwiseAnd': 'compute with Where',
    'BitwiseNot': 'compute with Where',
    'BitwiseOr': 'compute with Where',
    'BitwiseXor': 'compute with Where',
    'SequenceConstruct': _RAW,
    'SequenceAt': _RAW,
    'SequenceInsert': _RAW,
    'SplitToSequence': 'export Split with fixed sizes',
    'ConcatFromSequence': _RAW,
}
_BANNED_TYPES = (TensorProto.INT16, TensorProto.UINT16)
_FLOATS = (TensorProto.FLOAT, TensorProto.FLOAT16)
_RESIZE_RULES = (b'half_pixel', b'pytorch_half_pixel', b'align_corners', b'asymmetric')

Types = Mapping[str, int]


class Violation(NamedTuple):
    """
    What TensorRT would reject.

    :param subject: operator and name of a node, or the opset.
    :param reason: what is wrong with it, and advice.
    """

    subject: str
    reason: str

    def __str__(self) -> str:
        return f'{self.subject}: {self.reason}'


def check_operators(model: onnx.ModelProto) -> list[Violation]:
    """List what TensorRT would reject; empty if there is nothing."""
    found = []
    if (opset := opset_of(model)) not in OPSETS:
        reason = f'TensorRT 10 reads {OPSETS[0]} to {OPSETS[-1]}'
        found.append(Violation(f'opset {opset}', reason))
    found += forbidden_nodes(model)
    types, constants = element_types(model), _constants(model)
    for node in nodes_of(model.graph):
        found += [
            Violation(_title(node), reason)
            for reason in (
                *_type_faults(node, types), *_shape_faults(node, types, constants),
                *_quantisation_faults(node, types, constants),
            )
        ]
    return found


def forbidden_nodes(model: onnx.ModelProto) -> list[Violation]:
    """
    List the nodes with unsupported operators, each with advice.

    NonMaxSuppression comes first: exporters that add it usually add the others with it.
    """
    nodes = [node for node in nodes_of(model.graph) if _is_forbidden(node)]
    nodes.sort(key=lambda node: node.op_type != 'NonMaxSuppression')
    return [
        Violation(_title(node), FORBIDDEN.get(node.op_type) or _foreign(node.domain))
        for node in nodes
    ]


def refused_alone(node: onnx.NodeProto) -> bool:
    """Return whether TensorRT rejects a node regardless of its inputs."""
    is_refused_resize = node.op_type == 'Resize' and any(_resize_faults(attributes(node)))
    return _is_forbidden(node) or is_refused_resize


def _is_forbidden(node: onnx.NodeProto) -> bool:
    return node.op_type in FORBIDDEN or node.domain not in ('', 'ai.onnx')


def _foreign(domain: str) -> str:
    by_runtime = domain.startswith('com.microsoft')
    advice = 'give the file from before ONNX Runtime optimised it' if by_runtime else _RAW
    return f'operator set {domain}; {advice}'


def _title(node: onnx.NodeProto) -> str:
    return f'{node.op_type} {node.name or node.output[0]}'


def element_types(model: onnx.ModelProto) -> Types:
    """Return the element types by tensor name, as far as shape inference finds them."""
    graph = onnx.shape_inference.infer_shapes(model).graph
    values = (*graph.input, *graph.output, *graph.value_info)
    types = {item.name: item.type.tensor_type.elem_type for item in values}
    types.update((item.name, item.data_type) for item in graph.initializer)
    return types


def _constants(model: onnx.ModelProto) -> dict[str, TensorProto]:
    values = {item.name: item for item in model.graph.initializer}
    for node in nodes_of(model.graph):
        if node.op_type == 'Constant' and 'value' in (facts := attributes(node)):
            values[node.output[0]] = facts['value']
    return values


def _type_faults(node: onnx.NodeProto, types: Types) -> Iterator[str]:
    """Report types that TensorRT rejects; it supports bytes only in a Cast from or to floats."""
    reads = [types.get(name, 0) for name in node.input]
    writes = [types.get(name, 0) for name in node.output]
    for kind in _BANNED_TYPES:
        if kind in (*reads, *writes):
            yield f'type {TensorProto.DataType.Name(kind).lower()}; use int32'
    if TensorProto.UINT8 not in (*reads, *writes):
        return
    if node.op_type != 'Cast':
        yield 'uint8 outside a Cast; compute in float32'
    elif {*reads, *writes} - {TensorProto.UINT8, *_FLOATS}:
        yield 'a Cast between uint8 and another type than float; go through float32'


def _shape_faults(
    node: onnx.NodeProto, types: Types, constants: Mapping[str, TensorProto]
) -> Iterator[str]:
    facts = attributes(node)
    if node.op_type == 'TopK' and node.input[1] in constants:
        count = int(np.max(numpy_helper.to_array(constants[node.input[1]])))
        if count > TENSORRT_TOP_K:
            yield f'k = {count}; at most {TENSORRT_TOP_K}'
    if node.op_type == 'MaxPool' and any(node.output[1:]):
        yield 'indices as a second output; use the maximum only'
    if node.op_type == 'Resize':
        yield from _resize_faults(facts)
    if node.op_type in ('ScatterND', 'ScatterElements'):
        reduction = facts.get('reduction', b'none')
        if reduction != b'none':
            yield f'reduction {reduction.decode()}; only none'
    kind = types.get(node.input[0], TensorProto.FLOAT) if node.input else TensorProto.FLOAT
    if node.op_type in ('CumSum', 'Resize') and kind not in _FLOATS:
        yield 'on another type than float; cast before it'


def _resize_faults(facts: Mapping[str, Any]) -> Iterator[str]:
    rule = facts.get('coordinate_transformation_mode', b'half_pixel')
    if rule not in _RESIZE_RULES:
        known = ', '.join(item.decode() for item in _RESIZE_RULES)
        yield f'coordinates {rule.decode()}; one of {known}'
    if facts.get('antialias'):
        yield 'antialias; export it without'
    if facts.get('keep_aspect_ratio_policy', b'stretch') != b'stretch':
        yield 'keep_aspect_ratio_policy; export fixed sizes'
    if facts.get('mode') == b'cubic' and facts.get('exclude_outside'):
        yield 'exclude_outside, which OpenVINO ignores; export it without'


def _quantisation_faults(
    node: onnx.NodeProto, types: Types, constants: Mapping[str, TensorProto]
) -> Iterator[str]:
    """Report quantisation other than symmetric int8; biases stay floats."""
    if node.op_type not in ('QuantizeLinear', 'DequantizeLinear'):
        return
    few = node.output[0] if node.op_type == 'QuantizeLinear' else node.input[0]
    if types.get(few, TensorProto.INT8) != TensorProto.INT8:
        yield f'{TensorProto.DataType.Name(types[few]).lower()}; quantise to int8, no biases'
    zero = node.input[2] if len(node.input) > 2 else ''
    if zero in constants and numpy_helper.to_array(constants[zero]).any():
        yield 'a zero point other than 0; quantise symmetrically'

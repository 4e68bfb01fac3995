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

"""Converts a graph to float32 from the types of floats that not every engine computes in."""

import numpy as np
import onnx
from onnx import numpy_helper, TensorProto
from seg_ros.compile.graph import subgraphs_of

# Exporters use float64 for Python floats; networks are trained in bfloat16.
_OTHERS = (TensorProto.DOUBLE, TensorProto.BFLOAT16)


def convert_to_single(graph: onnx.GraphProto) -> None:
    """Convert a graph and its subgraphs from float64 and bfloat16 to float32, in place."""
    for item in (*graph.input, *graph.output, *graph.value_info):
        if item.type.tensor_type.elem_type in _OTHERS:
            item.type.tensor_type.elem_type = TensorProto.FLOAT
    for weight in graph.initializer:
        _to_float(weight)
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.name in ('to', 'dtype') and attribute.i in _OTHERS:
                attribute.i = TensorProto.FLOAT
            _to_float(attribute.t)
        for subgraph in subgraphs_of(node):
            convert_to_single(subgraph)


def _to_float(tensor: TensorProto) -> None:
    if tensor.data_type in _OTHERS:
        values = numpy_helper.to_array(tensor).astype(np.float32)
        tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))

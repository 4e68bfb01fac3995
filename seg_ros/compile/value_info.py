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

"""Sets and describes the types of a graph's inputs and outputs."""

from collections.abc import Mapping, Sequence
from typing import Any

from numpy.typing import NDArray
import onnx
from onnx import helper


def set_shape(item: onnx.ValueInfoProto, shape: Sequence[int | str]) -> None:
    """Set the shape of a graph's input or output; strings make axes dynamic."""
    kind = item.type.tensor_type.elem_type
    item.type.CopyFrom(helper.make_tensor_type_proto(kind, shape))


def set_batch(item: onnx.ValueInfoProto, batch: int | str) -> None:
    """Set the first axis of a graph's input or output."""
    shape = [dim.dim_value or dim.dim_param for dim in item.type.tensor_type.shape.dim]
    set_shape(item, (batch, *shape[1:]))


def set_output_shapes(model: onnx.ModelProto, arrays: Mapping[str, NDArray[Any]]) -> None:
    """
    Set the shapes of a graph's outputs, as shape inference does not find all of them.

    :param arrays: outputs of a run by name; the first axis stays as it is.
    """
    for item in model.graph.output:
        first = item.type.tensor_type.shape.dim[0]
        set_shape(item, (first.dim_value or first.dim_param, *arrays[item.name].shape[1:]))


def describe(item: onnx.ValueInfoProto) -> str:
    """Return name, type and shape of a graph's input or output as text."""
    tensor = item.type.tensor_type
    dims = [str(dim.dim_value or dim.dim_param or '?') for dim in tensor.shape.dim]
    kind = onnx.TensorProto.DataType.Name(tensor.elem_type).lower()
    return f'{item.name} {kind} [{", ".join(dims)}]'

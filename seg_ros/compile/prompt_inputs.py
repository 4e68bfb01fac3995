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
Finds the prompt inputs of a network, and computes them from boxes.

Two forms are supported: boxes (N, P, 4), as in transformers' SAM, and two points per prompt
(N, P, 2, 2) with labels (N, P, 2), as in EfficientSAM. Labels are those of A. Kirillov et al.,
Segment Anything, 2023: 2 and 3 mark the corners of a box, 1 a point on the object, and -1 an
unused point.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
import onnx
from onnx import helper
from seg_ros.compile.run_onnx import Arrays
from seg_ros.compile.tensor_info import TensorInfo
from seg_ros.compile.tensor_ops import indicator, scalar
from spox import Var
import spox.opset.ai.onnx.v17 as op

_FLOATS = (onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16, onnx.TensorProto.DOUBLE)


def prompt_inputs(inputs: Sequence[onnx.ValueInfoProto], most: int) -> tuple[TensorInfo, ...]:
    """
    Find the inputs of a raw model that take prompts.

    :param most: prompts per call if the network takes any number.
    :returns: boxes, or points and labels, of one image; empty if there are none.
    """
    boxes = [item for item in inputs if _is_float(item) and _fits(item, (None, None, 4))]
    points = [
        item for item in inputs
        if _is_float(item) and _fits(item, (None, None, 2, 2)) and _sides(item)[-1] == 2
    ]
    labels = [item for item in inputs if not _is_bool(item) and _fits(item, (None, None, 2))]
    if len(boxes) == 1 and len(inputs) == 2:
        return (_info(boxes[0], (4,), most),)
    if len(points) == len(labels) == 1 and len(inputs) == 3:
        return _info(points[0], (2, 2), most), _info(labels[0], (2,), most)
    return ()


def _is_float(item: onnx.ValueInfoProto) -> bool:
    return item.type.tensor_type.elem_type in _FLOATS


def _is_bool(item: onnx.ValueInfoProto) -> bool:
    return bool(item.type.tensor_type.elem_type == onnx.TensorProto.BOOL)


def _fits(item: onnx.ValueInfoProto, shape: Sequence[int | None]) -> bool:
    """Return whether an input's shape matches; dynamic axes and None match any size."""
    sides = _sides(item)
    return len(sides) == len(shape) and all(
        side in (0, wanted) or wanted is None for side, wanted in zip(sides, shape, strict=True)
    )


def _sides(item: onnx.ValueInfoProto) -> list[int]:
    """Return the shape of an input, with 0 for dynamic axes."""
    return [dim.dim_value for dim in item.type.tensor_type.shape.dim]


def _info(item: onnx.ValueInfoProto, tail: tuple[int, ...], most: int) -> TensorInfo:
    tensor = item.type.tensor_type
    count = _sides(item)[1] or most
    dtype = np.dtype(helper.tensor_dtype_to_np_dtype(tensor.elem_type))
    return TensorInfo(item.name, dtype, (1, count, *tail))


def trial_prompts(infos: Sequence[TensorInfo], size_hw: tuple[int, int]) -> Arrays:
    """Return boxes of several sizes and positions in the form of the network's inputs."""
    if not infos:
        return {}
    boxes = trial_boxes(infos[0].shape[1], size_hw)
    arrays = {infos[0].name: boxes.reshape(infos[0].shape).astype(infos[0].dtype)}
    if len(infos) > 1:
        labels = np.broadcast_to([2, 3], infos[1].shape)
        arrays[infos[1].name] = labels.astype(infos[1].dtype)
    return arrays


def trial_boxes(count: int, size_hw: tuple[int, int]) -> NDArray[np.float32]:
    """Return random boxes (1, count, 4) in pixels of the image, the same each time."""
    random = np.random.default_rng(0)
    corners = np.sort(random.uniform(0.05, 0.95, (count, 2, 2)), axis=1)
    sides = np.array(size_hw[::-1])
    boxes: NDArray[np.float32] = (corners * sides).reshape(1, count, 4).astype(np.float32)
    return boxes


def inputs_from_prompts(prompts: Var, infos: Sequence[TensorInfo]) -> dict[str, Var]:
    """
    Compute a network's prompt inputs from boxes.

    :param prompts: float32 (1, P, 4), x0, y0, x1, y1; a point has two equal corners.
    """
    places = op.reshape(prompts, op.const(np.array(infos[0].shape)))
    filled = {infos[0].name: op.cast(places, to=infos[0].dtype.type)}
    if len(infos) > 1:
        filled[infos[1].name] = op.cast(_labels(prompts), to=infos[1].dtype.type)
    return filled


def _labels(prompts: Var) -> Var:
    """Return labels, float32 (1, P, 2): 2 and 3 for a box, 1 and -1 for a point."""
    first, last = (
        op.slice(prompts, op.const([start]), op.const([start + 2]), op.const([2]))
        for start in (0, 2)
    )
    widest = op.reduce_max(op.abs(op.sub(last, first)), axes=[2], keepdims=True)
    is_box = indicator(op.greater(widest, scalar(0)))
    factors, offsets = np.array([1, 4], np.float32), np.array([1, -1], np.float32)
    return op.add(op.mul(is_box, op.const(factors)), op.const(offsets))

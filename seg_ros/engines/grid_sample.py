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
GridSample rewritten as Gather and MatMul.

TensorRT 10.14 to 11.1 and TensorRT-RTX are reported to silently compile GridSample wrongly inside
deformable attention (NVIDIA/TensorRT#4813 and #4646, pytorch/TensorRT#4074, lightly-train#917).
The rewritten form is 6 to 7 times slower on CPUs, so it is used for TensorRT only.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper
from seg_ros.core.errors import EngineError

_PREFIX = 'grid_sample'
_STEPS = np.array([[0, 0], [1, 0], [0, 1], [1, 1]], np.float32)     # x, y of four neighbours


def without_grid_sample(data: bytes) -> bytes:
    """
    Replace every GridSample by a Gather of four pixels and their weighted sum.

    Pixel indices are integers: fp16 can represent a row or a column, but not their product.

    :param data: a serialised ONNX model.
    :returns: the rewritten model, serialised.
    :raises EngineError: if a GridSample is not bilinear or has dynamic shapes.
    """
    whole = onnx.load_model_from_string(data)
    shapes = _shapes(whole)
    nodes: list[onnx.NodeProto] = []
    for number, node in enumerate(whole.graph.node):
        if node.op_type == 'GridSample':
            writer = _Writer(f'{_PREFIX}/{number}')
            _write(node, shapes, writer)
            nodes += writer.nodes
            whole.graph.initializer.extend(writer.weights)
        else:
            nodes.append(node)
    del whole.graph.node[:]
    whole.graph.node.extend(nodes)
    return bytes(whole.SerializeToString())


class _Writer:
    """Collects new nodes and initializers, named with one prefix."""

    def __init__(self, prefix: str) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []
        self._prefix = prefix

    def const(self, value: Any) -> str:
        name = f'{self._prefix}/const{len(self.weights)}'
        self.weights.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def add(self, operator: str, *inputs: str, output: str = '', **attributes: Any) -> str:
        name = output or f'{self._prefix}/{len(self.nodes)}'
        self.nodes.append(helper.make_node(
            operator, list(inputs), [name], name=f'{self._prefix}/{operator}{len(self.nodes)}',
            **attributes,
        ))
        return name

    def reshape(self, tensor: str, shape: Sequence[int], output: str = '') -> str:
        return self.add('Reshape', tensor, self.const(np.array(shape)), output=output)


def _shapes(model: onnx.ModelProto) -> Mapping[str, list[int]]:
    graph = onnx.shape_inference.infer_shapes(model, data_prop=True).graph
    known = {
        item.name: [dim.dim_value for dim in item.type.tensor_type.shape.dim]
        for item in (*graph.value_info, *graph.input, *graph.output)
    }
    known.update((item.name, list(item.dims)) for item in graph.initializer)
    return known


def _write(node: onnx.NodeProto, shapes: Mapping[str, list[int]], writer: _Writer) -> None:
    facts = {item.name: helper.get_attribute_value(item) for item in node.attribute}
    image, grid = (shapes.get(name, []) for name in node.input)
    is_bilinear = facts.get('mode', b'bilinear') in (b'bilinear', b'linear')
    if not is_bilinear or len(image) != 4 or not all([*image, *grid]):
        raise EngineError(
            f'GridSample {node.name} of mode {facts.get("mode", b"bilinear").decode()}, image '
            f'{image}, grid {grid}', 'mode bilinear and fixed shapes',
            'export the model with these for TensorRT',
        )
    count, channels, height, width = image
    lines, columns = grid[1:3]
    area = lines * columns
    flat = writer.reshape(node.input[0], (count, channels, height * width))
    rows = writer.reshape(
        writer.add('Transpose', flat, perm=[0, 2, 1]), (count * height * width, channels)
    )
    corner, offset = _corners(node.input[1], (count, area), (height, width), facts, writer)
    index, inside = _pixel_index(corner, image, writer)
    weight = writer.add('Mul', _weights(offset, writer), inside)
    both = [writer.add('Gather', weight, writer.const(np.int64(axis)), axis=3) for axis in (0, 1)]
    product = writer.reshape(writer.add('Mul', *both), (count * area, 1, 4))
    taken = writer.add('Gather', rows, writer.reshape(index, (count * area, 4)), axis=0)
    sampled = writer.reshape(writer.add('MatMul', product, taken), (count, area, channels))
    back = writer.add('Transpose', sampled, perm=[0, 2, 1])
    writer.reshape(back, (count, channels, lines, columns), node.output[0])


def _corners(
    grid: str, count_area: tuple[int, int], size_hw: tuple[int, int], facts: Mapping[str, Any],
    writer: _Writer,
) -> tuple[str, str]:
    """Return x, y of the four pixels around each sample (N, area, 4, 2), and its offset."""
    sizes = np.array(size_hw[::-1], np.float32)
    if facts.get('align_corners', 0):
        scale, shift = (sizes - 1) / 2, (sizes - 1) / 2
    else:
        scale, shift = sizes / 2, (sizes - 1) / 2
    flat = writer.reshape(grid, (*count_area, 1, 2))
    place = writer.add(
        'Add', writer.add('Mul', flat, writer.const(scale)), writer.const(shift)
    )
    if facts.get('padding_mode', b'zeros') == b'border':
        above = writer.add('Max', place, writer.const(np.float32(0)))
        place = writer.add('Min', above, writer.const(sizes - 1))
    low = writer.add('Floor', place)
    return writer.add('Add', low, writer.const(_STEPS)), writer.add('Sub', place, low)


def _pixel_index(corner: str, image: Sequence[int], writer: _Writer) -> tuple[str, str]:
    """Return each corner's pixel index (N, area, 4), and 1 by axis if it is inside, else 0."""
    count, _, height, width = image
    top = np.array([width - 1, height - 1], np.float32)
    above = writer.add('Max', corner, writer.const(np.float32(0)))
    held = writer.add('Min', above, writer.const(top))
    inside = writer.add('Cast', writer.add('Equal', corner, held), to=onnx.TensorProto.FLOAT)
    whole = writer.add('Cast', held, to=onnx.TensorProto.INT32)
    x, y = (writer.add('Gather', whole, writer.const(np.int64(axis)), axis=3) for axis in (0, 1))
    index = writer.add('Add', writer.add('Mul', y, writer.const(np.int32(width))), x)
    if count > 1:
        first = np.arange(count, dtype=np.int32).reshape(count, 1, 1) * (height * width)
        index = writer.add('Add', index, writer.const(first))
    return index, inside


def _weights(offset: str, writer: _Writer) -> str:
    """Return x and y weights of the four corners: the offset, or 1 minus the offset."""
    signed = writer.add('Mul', offset, writer.const(2 * _STEPS - 1))
    return writer.add('Add', signed, writer.const(1 - _STEPS))

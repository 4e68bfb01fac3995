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

"""A small network of each family, drawn node by node; its weights are noise."""

from pathlib import Path

import numpy as np
import onnx
from onnx import helper, numpy_helper, TensorProto
from seg_ros.compile.compile_model import compile_model
from seg_ros.compile.compiled import compiled_from_model, CompiledModel
from seg_ros.compile.precision import convert_precision
from seg_ros.core.card_reading import card_from_dict

SIZE_HW, CLASSES, COEFFICIENTS = (64, 96), 3, 4
SOURCE_SIZES = ((80, 120),)


class Sketch:
    """A convolutional network that is drawn node by node; its weights are noise."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []
        self.random = np.random.default_rng(0)

    def add(self, operator: str, *inputs: str, name: str = '', **attributes: object) -> str:
        output = name or f'{operator}{len(self.nodes)}'
        self.nodes.append(helper.make_node(
            operator, list(inputs), [output], f'node {output}', **attributes
        ))
        return output

    def constant(self, values: object) -> str:
        name = f'constant{len(self.weights)}'
        self.weights.append(numpy_helper.from_array(np.array(values), name))
        return name

    def conv(self, source: str, read: int, write: int, name: str = '', stride: int = 1) -> str:
        kernel = self.random.normal(0, 0.3, (write, read, stride, stride)).astype(np.float32)
        return self.add('Conv', source, self.constant(kernel), name=name, strides=[stride] * 2)

    def trunk(self) -> str:
        half = self.add('Relu', self.conv('images', 3, 8, stride=2))
        return self.add('Relu', self.conv(half, 8, 8, stride=2))

    def model(self, *outputs: str) -> onnx.ModelProto:
        graph = helper.make_graph(
            self.nodes, 'sketch',
            [helper.make_tensor_value_info('images', TensorProto.FLOAT, ['N', 3, *SIZE_HW])],
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs],
            self.weights,
        )
        opset = helper.make_opsetid('', 17)
        return helper.make_model(graph, opset_imports=[opset], ir_version=8)


def logits_network() -> onnx.ModelProto:
    sketch = Sketch()
    sketch.conv(sketch.trunk(), 8, CLASSES, 'scores')
    return sketch.model('scores')


def yolo_network() -> onnx.ModelProto:
    sketch = Sketch()
    maps = sketch.trunk()
    sketch.conv(maps, 8, COEFFICIENTS, 'protos')
    rows, channels = [], 4 + CLASSES + COEFFICIENTS
    for _ in range(3):
        maps = sketch.add('MaxPool', maps, kernel_shape=[2, 2], strides=[2, 2])
        shape = sketch.constant([0, channels, -1])
        rows.append(sketch.add('Reshape', sketch.conv(maps, 8, channels), shape))
    joined = sketch.add('Concat', *rows, axis=2)
    boxes, scores, coefficients = (
        sketch.add('Slice', joined, *map(sketch.constant, ([begin], [end], [1])))
        for begin, end in ((0, 4), (4, 4 + CLASSES), (4 + CLASSES, channels))
    )
    likely = sketch.add('Sigmoid', scores)
    sketch.add('Concat', boxes, likely, coefficients, name='rows', axis=1)
    return sketch.model('rows', 'protos')


def centers_network() -> onnx.ModelProto:
    sketch = Sketch()
    maps = sketch.trunk()
    for name, channels in (('semantic', CLASSES), ('center', 1), ('offset', 2)):
        sketch.conv(maps, 8, channels, name)
    return sketch.model('semantic', 'center', 'offset')


def query_network() -> onnx.ModelProto:
    sketch = Sketch()
    maps = sketch.trunk()
    sketch.conv(maps, 8, 5, 'masks')
    means = sketch.add(
        'ReduceMean', sketch.conv(maps, 8, 5 * (CLASSES + 1)), axes=[2, 3], keepdims=0
    )
    sketch.add('Reshape', means, sketch.constant([0, 5, CLASSES + 1]), name='classes_of')
    return sketch.model('classes_of', 'masks')


def box_network() -> onnx.ModelProto:
    return slot_network(16)


def image_network() -> onnx.ModelProto:
    return slot_network(24)


def slot_network(width: int) -> onnx.ModelProto:
    sketch = Sketch()
    maps = sketch.trunk()
    masks = sketch.add(
        'Slice', sketch.conv(maps, 8, 5), *map(sketch.constant, ([0], [width], [3]))
    )
    sketch.add('Sigmoid', masks, name='masks_of')
    for name, columns in (('moves', 4), ('rows', CLASSES), ('chances', 1)):
        means = sketch.add(
            'ReduceMean', sketch.conv(maps, 8, 5 * columns), axes=[2, 3], keepdims=0
        )
        shape = [0, 5] if columns == 1 else [0, 5, columns]
        sketch.add('Reshape', means, sketch.constant(shape), name=name)
    left = np.float32([8, 20, 32, 44, 56])[:, None]
    anchors = np.hstack([left, left / 3, left + 30, left / 3 + 40])[None]
    sketch.add('Add', 'moves', sketch.constant(anchors), name='boxes_of')
    sketch.add('Sigmoid', 'chances', name='scores_of')
    sketch.add('ArgMax', 'rows', name='labels_of', axis=2, keepdims=0)
    model = sketch.model('boxes_of', 'scores_of', 'masks_of')
    model.graph.output.append(
        helper.make_tensor_value_info('labels_of', TensorProto.INT64, None)
    )
    return model


def prompt_network() -> onnx.ModelProto:
    sketch = Sketch()
    maps = sketch.conv(sketch.trunk(), 8, 4 * 2)
    far = sketch.add(
        'MatMul', 'boxes', sketch.constant(sketch.random.normal(0, 1, (4, 2)).astype(np.float32))
    )
    asked = sketch.add('Reshape', sketch.add('Sin', far), sketch.constant([1, 4, 2, 1, 1]))
    map_hw = SIZE_HW[0] // 4, SIZE_HW[1] // 4
    seen = sketch.add('Reshape', maps, sketch.constant([1, 4, 2, *map_hw]))
    sketch.add('Mul', seen, asked, name='masks_of')
    sketch.add('ReduceMax', 'masks_of', name='sure_of', axes=[3, 4], keepdims=0)
    model = sketch.model('masks_of', 'sure_of')
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1
    model.graph.input.append(
        helper.make_tensor_value_info('boxes', TensorProto.FLOAT, [1, 4, 4])
    )
    return model


NETWORKS = {
    'promptable': ('promptable', prompt_network),
    'query_masks': ('panoptic', query_network),
    'box_masks': ('instance', box_network),
    'image_masks': ('instance', image_network),
    'logits': ('semantic', logits_network),
    'yolo_seg': ('instance', yolo_network),
    'panoptic_centers': ('panoptic', centers_network),
}


def raw_network(folder: Path, family: str) -> tuple[Path, dict[str, object]]:
    """Write the network of a family, and return its card beside it."""
    task, network = NETWORKS[family]
    path = folder / f'{family}.onnx'
    onnx.save(network(), path)
    classes = [
        {'id': index, 'name': f'class {index}', 'thing': task != 'semantic' and index > 0}
        for index in range(CLASSES)
    ]
    return path, {'name': family, 'task': task, 'family': family, 'classes': classes}


def compiled_network(folder: Path, family: str, precision: str = 'fp32') -> CompiledModel:
    """Return the network of a family as its file would be."""
    path, card = raw_network(folder, family)
    sizes = SOURCE_SIZES if family == 'logits' else ()
    model = compile_model(path, card_from_dict(card), source_sizes=sizes)
    noise = np.random.default_rng(1).integers(0, 256, (2, 1, *SIZE_HW, 3), np.uint8)
    return convert_precision(compiled_from_model(model, family), precision, noise)

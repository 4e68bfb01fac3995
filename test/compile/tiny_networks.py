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

"""Networks of a few nodes for the tests of the graph layer, written without its code."""

import numpy as np
import onnx
from onnx import helper, numpy_helper, TensorProto
import onnxruntime as ort
from seg_ros.core.card_reading import card_from_dict
from seg_ros.core.output_choice import choose_outputs
from seg_ros.core.settings import Settings

FLOAT = TensorProto.FLOAT


def make_card(count, task='semantic', **rest):
    """Return a card of `count` classes for images that reach the network as bytes."""
    classes = [{'id': index, 'name': f'class {index}'} for index in range(count)]
    data = {'name': 'tiny', 'task': task, 'classes': classes, **rest}
    data['input'] = {'scale': 1, **rest.get('input', {})}
    return card_from_dict(data)


def model_of(nodes, inputs, outputs, weights=(), opset=17, ir_version=8):
    """
    Return a model.

    :param inputs: (name, type, shape) of each.
    :param outputs: names, or (name, type) where it is not float32.
    :param weights: arrays by name.
    """
    given = [(item, FLOAT) if isinstance(item, str) else item for item in outputs]
    arrays = {name: np.asarray(value) for name, value in dict(weights).items()}
    graph = helper.make_graph(
        nodes, 'tiny',
        [helper.make_tensor_value_info(*item) for item in inputs],
        [helper.make_tensor_value_info(name, kind, None) for name, kind in given],
        [numpy_helper.from_array(array, name) for name, array in arrays.items()],
    )
    return helper.make_model(
        graph, opset_imports=[helper.make_opsetid('', opset)], ir_version=ir_version
    )


def network_of_answers(answers, size_hw, kind=np.float32, layout='nchw', fixed=False):
    """
    Write a network that looks its answer up by the mean of the image, rounded.

    :param answers: arrays (answers, …) by output name.
    :param fixed: give every image of a batch the answer of the first, as networks do whose
        exporter wrote a batch of one into the graph.
    """
    last = len(next(iter(answers.values()))) - 1
    shape = ['N', 3, *size_hw] if layout == 'nchw' else ['N', *size_hw, 3]
    code = helper.np_dtype_to_tensor_dtype(np.dtype(kind))
    weights = {'least': np.array(0, kind), 'most': np.array(last, kind)}
    nodes = [
        helper.make_node('ReduceMean', ['images'], ['mean'], axes=[1, 2, 3], keepdims=0),
        helper.make_node('Round', ['mean'], ['rounded']),
        helper.make_node('Clip', ['rounded', 'least', 'most'], ['clipped']),
        helper.make_node('Cast', ['clipped'], ['index'], to=TensorProto.INT64),
    ]
    if fixed:
        weights['first'] = np.array([0])
        nodes.append(helper.make_node('Gather', ['index', 'first'], ['first_index'], axis=0))
    for name, table in answers.items():
        weights[f'{name}_table'] = table
        index = 'first_index' if fixed else 'index'
        nodes.append(helper.make_node('Gather', [f'{name}_table', index], [name], axis=0))
    outputs = [
        (name, helper.np_dtype_to_tensor_dtype(table.dtype)) for name, table in answers.items()
    ]
    return model_of(nodes, [('images', code, shape)], outputs, weights)


def images_of(levels, size_hw, channels=3):
    """Return grey images, uint8 (N, h, w, c): `network_of_answers` answers with `levels`."""
    levels = np.array(levels, np.uint8)
    return np.broadcast_to(
        levels[:, None, None, None], (len(levels), *size_hw, channels)
    ).copy()


def colorful_images(count, size_hw, channels=3):
    """Return noise, uint8 (N, h, w, c)."""
    return np.random.default_rng(7).integers(0, 256, (count, *size_hw, channels), np.uint8)


def run_model(model, feeds):
    """Run a model in ONNX Runtime, arrays by name."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(
        model.SerializeToString(), options, providers=['CPUExecutionProvider']
    )
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, feeds), strict=True))


def run_chosen(compiled, images, upsample='edges', **settings):
    """Run a compiled model and return what an engine asks of it, by the tensors' names."""
    settings = Settings(upsample=upsample, **settings)
    choice = choose_outputs(compiled.signature, settings, 'edges')
    found = run_model(compiled.model, {'image': images})
    return {tensor: found[name] for name, tensor in choice.names.items()}


def saved(model, folder, name='raw.onnx'):
    """Write a model and return where."""
    path = folder / name
    onnx.save(model, path)
    return path


def centers_scene(seed, count=6, map_hw=(24, 36), classes=5):
    """
    Return raw maps of a panoptic network that saw discs on a ground, by output name.

    The last three of the classes are countable; heat and offsets are noisy, as trained ones are.
    """
    random = np.random.default_rng(seed)
    rows, columns = np.indices(map_hw).astype(np.float32)
    semantic = random.normal(0, 0.7, (classes, *map_hw))
    semantic[0] += 3
    heat = np.full(map_hw, -5.0)
    offset = random.normal(0, 0.4, (2, *map_hw))
    for _ in range(count):
        y, x = (random.uniform(1, side - 1) for side in map_hw)
        radius = random.uniform(1.5, 6)
        squared = (rows - y) ** 2 + (columns - x) ** 2
        inside = squared < radius**2
        semantic[random.integers(classes - 3, classes), inside] += 5
        heat = np.maximum(heat, random.uniform(-1, 4) - squared / 3)
        offset[:, inside] += np.stack([y - rows, x - columns])[:, inside]
    heat += random.normal(0, 0.8, map_hw)
    maps = {'semantic': semantic, 'center': heat[None], 'offset': offset}
    return {name: values.astype(np.float32) for name, values in maps.items()}


def centers_network(scenes, kind=np.float32, **options):
    """Write a network that answers image i with the i-th of the scenes, of stride 4."""
    answers = {name: np.stack([scene[name] for scene in scenes]).astype(kind)
               for name in ('semantic', 'center', 'offset')}
    size_hw = tuple(4 * side for side in answers['center'].shape[2:])
    return network_of_answers(answers, size_hw, kind, **options)

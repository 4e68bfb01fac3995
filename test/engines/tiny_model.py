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

"""Compiled models of a few nodes, and their outputs computed with plain numpy."""

from dataclasses import replace

import numpy as np
import onnx
from onnx import helper, numpy_helper, TensorProto
from seg_ros.compile.compile_model import compile_model
from seg_ros.compile.compiled import write_metadata
from seg_ros.core.card import ClassInfo, InputSpec, ModelCard
from seg_ros.core.signature import ModelSignature

SIZE_HW, CELL, CLASSES = (48, 64), 4, 5
SOURCE_SIZES = ((72, 96),)
CARD = ModelCard(
    'tiny', 'semantic',
    tuple(ClassInfo(3 * index, f'class {index}', (index + 1, 0, 0)) for index in range(CLASSES)),
    input=InputSpec(SIZE_HW, fit='stretch', mean=(0.4, 0.5, 0.6), std=(0.2, 0.25, 0.3)),
)
KERNEL = np.random.default_rng(1).normal(0, 0.2, (CLASSES, 3, CELL, CELL)).astype(np.float32)
ECHO_CARD = ModelCard(
    'echo', 'panoptic', tuple(replace(item, thing=True) for item in CARD.classes[:3])
)
ECHO_CONTRACT = ModelSignature(
    SIZE_HW, ('labels', 'confidence', 'boxes', 'scores', 'classes', 'masks'), max_batch=0
)


def semantic_model(folder):
    """Compile a convolution without overlap, whose scores have a lower resolution."""
    shape = ['N', 3, *SIZE_HW]
    graph = helper.make_graph(
        [helper.make_node('Conv', ['images', 'kernel'], ['scores'], strides=[CELL, CELL])],
        'tiny',
        [helper.make_tensor_value_info('images', TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info('scores', TensorProto.FLOAT, None)],
        [numpy_helper.from_array(KERNEL, 'kernel')],
    )
    raw = folder / 'raw.onnx'
    onnx.save(helper.make_model(
        graph, opset_imports=[helper.make_opsetid('', 17)], ir_version=8
    ), raw)
    path = folder / 'semantic.onnx'
    onnx.save(compile_model(raw, CARD, source_sizes=SOURCE_SIZES), path)
    return path


def semantic_scores(batch):
    """Compute the scores of the convolution in 64-bit floats, (N, C, h, w)."""
    spec = CARD.input
    pixels = (batch / 255 - np.array(spec.mean)) / np.array(spec.std)
    count, height, width = len(batch), SIZE_HW[0] // CELL, SIZE_HW[1] // CELL
    cells = pixels.reshape(count, height, CELL, width, CELL, 3)
    return np.einsum('nyixjc,kcij->nkyx', cells, KERNEL.astype(np.float64))


def echo_model(folder, card=ECHO_CARD, signature=ECHO_CONTRACT, operator='Identity', domain=''):
    """Write a graph that returns the image itself, as output tensors of every kind."""
    node = helper.make_node
    nodes = [
        node(operator, ['image'], ['bytes'], domain=domain),
        node('Transpose', ['bytes'], ['masks'], perm=[0, 3, 1, 2]),
        node('Cast', ['masks'], ['planes'], to=TensorProto.FLOAT),
        node('ReduceMean', ['planes'], ['mean'], axes=[2, 3], keepdims=0),
        node('Div', ['mean', 'white'], ['scores']),
        node('Cast', ['mean'], ['classes'], to=TensorProto.INT32),
        node('Unsqueeze', ['mean', 'last'], ['edge']),
        node('Concat', ['edge', 'edge', 'edge', 'edge'], ['boxes'], axis=2),
        node('Gather', ['masks', 'first'], ['labels'], axis=1),
        node('Gather', ['masks', 'second'], ['confidence'], axis=1),
    ]
    weights = {
        'white': np.array(255, np.float32), 'last': np.array([2]), 'first': np.array(0),
        'second': np.array(1),
    }
    kinds = {'boxes': TensorProto.FLOAT, 'scores': TensorProto.FLOAT, 'classes': TensorProto.INT32}
    graph = helper.make_graph(
        nodes, 'echo',
        [helper.make_tensor_value_info('image', TensorProto.UINT8, ['N', *SIZE_HW, 3])],
        [
            helper.make_tensor_value_info(name, kinds.get(name, TensorProto.UINT8), None)
            for name in ECHO_CONTRACT.tensors
        ],
        [numpy_helper.from_array(array, name) for name, array in weights.items()],
    )
    opsets = [helper.make_opsetid('', 17)]
    if domain:
        opsets.append(helper.make_opsetid(domain, 1))
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    write_metadata(model, card, signature, [])
    path = folder / 'echo.onnx'
    onnx.save(model, path)
    return path


def echo_tensors(batch):
    """Compute the outputs of the echo model."""
    masks = batch.transpose(0, 3, 1, 2)
    mean = batch.mean(axis=(1, 2))
    return {
        'labels': masks[:, 0], 'confidence': masks[:, 1], 'masks': masks,
        'scores': mean / 255, 'classes': np.floor(mean),
        'boxes': np.repeat(mean[:, :, None], 4, axis=2),
    }


def random_batch(count, seed=0):
    """Return smooth colours with some noise, uint8 (N, H, W, 3)."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 200, (count, 6, 8, 3))
    smooth = coarse.repeat(SIZE_HW[0] // 6, axis=1).repeat(SIZE_HW[1] // 8, axis=2)
    return (smooth + rng.integers(0, 56, smooth.shape)).astype(np.uint8)

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

"""Small networks with weights, as a trained one has them: what a precision can be written into."""

import numpy as np
from onnx import helper
from seg_ros.compile.compile_model import compile_model
from seg_ros.compile.compiled import compiled_from_model
from tiny_networks import make_card, model_of, saved

SIZE_HW = (32, 48)


def conv_network(classes=5, batch='N'):
    """Return two branches, joined, with a sum, an activation and an enlargement between."""
    rng = np.random.default_rng(3)
    weights = {
        'w1': rng.normal(0, 0.3, (8, 3, 3, 3)), 'b1': rng.normal(0, 0.1, 8),
        'w2': rng.normal(0, 0.2, (8, 8, 3, 3)), 'w3': rng.normal(0, 0.3, (classes, 16, 1, 1)),
        'b3': rng.normal(0, 0.1, classes), 'half': np.array(0.5),
    }
    node = helper.make_node
    nodes = [
        node('Conv', ['images', 'w1', 'b1'], ['c1'], 'stem', strides=[2, 2], pads=[1, 1, 1, 1]),
        node('Relu', ['c1'], ['r1'], 'relu'),
        node('Conv', ['r1', 'w2'], ['c2'], 'deep', pads=[1, 1, 1, 1]),
        node('Sigmoid', ['c2'], ['s2'], 'gate'),
        node('Mul', ['c2', 's2'], ['m2'], 'silu'),
        node('Add', ['r1', 'm2'], ['a2'], 'sum'),
        node('Concat', ['r1', 'a2'], ['j'], 'join', axis=1),
        node('Conv', ['j', 'w3', 'b3'], ['c3'], 'last'),
        node('Mul', ['c3', 'half'], ['out'], 'decoded'),
    ]
    arrays = {name: values.astype(np.float32) for name, values in weights.items()}
    return model_of(nodes, [('images', 1, [batch, 3, *SIZE_HW])], ['out'], arrays)


def conv_compiled(folder, classes=5):
    """Compile it for images of bytes, scaled to one."""
    path = saved(conv_network(classes), folder)
    card = make_card(classes, input={'scale': 1 / 255, 'fit': 'stretch'})
    return compiled_from_model(compile_model(path, card), path.name)


def blotches(count, seed=0):
    """Return smooth colours, uint8 (N, h, w, 3)."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (count, SIZE_HW[0] // 4, SIZE_HW[1] // 4, 3))
    return coarse.repeat(4, axis=1).repeat(4, axis=2).astype(np.uint8)

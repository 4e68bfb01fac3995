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

"""Default network and images for testing a machine."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import onnx
from onnx import helper, numpy_helper
from seg_ros.compile.compile_model import compile_model
from seg_ros.compile.compiled import compiled_from_model, CompiledModel
from seg_ros.core.card import ClassInfo, InputSpec, ModelCard
from seg_ros.core.frame import Frame
from seg_ros.sim.tabletop import Tabletop

SIZE_HW = (240, 320)
WIDTHS = (3, 16, 32, 64)
CLASSES = 6
IMAGES = 8


def trial_model(folder: Path) -> CompiledModel:
    """
    Compile three strided convolutions and a head, with random weights.

    Its masks have no meaning, but every engine must compute the same ones.
    """
    rng = np.random.default_rng(0)
    nodes, weights, last = [], {}, 'images'
    for number, (before, after) in enumerate(pairwise(WIDTHS)):
        kernel = rng.normal(0, np.sqrt(2 / (9 * before)), (after, before, 3, 3))
        weights[f'kernel{number}'] = kernel
        nodes.append(helper.make_node(
            'Conv', [last, f'kernel{number}'], [f'sum{number}'], f'conv{number}',
            strides=[2, 2], pads=[1, 1, 1, 1],
        ))
        nodes.append(helper.make_node('Relu', [f'sum{number}'], [f'map{number}']))
        last = f'map{number}'
    weights['head'] = rng.normal(0, 2 / np.sqrt(WIDTHS[-1]), (CLASSES, WIDTHS[-1], 1, 1))
    nodes.append(helper.make_node('Conv', [last, 'head'], ['scores'], 'head'))
    graph = helper.make_graph(
        nodes, 'trial',
        [helper.make_tensor_value_info('images', 1, ['N', 3, *SIZE_HW])],
        [helper.make_tensor_value_info('scores', 1, None)],
        [numpy_helper.from_array(array.astype(np.float32), name)
         for name, array in weights.items()],
    )
    path = folder / 'trial.onnx'
    opsets = [helper.make_opsetid('', 17)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), path)
    classes = tuple(
        ClassInfo(index, f'blotch {index}', (40 * index + 40, 80, 200 - 30 * index))
        for index in range(CLASSES)
    )
    card = ModelCard('trial', 'semantic', classes, input=InputSpec(
        SIZE_HW, fit='stretch', mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25)
    ))
    return compiled_from_model(compile_model(path, card), path.name)


def trial_frames() -> list[Frame]:
    """Draw a moving table top at several times."""
    table = Tabletop()
    return [Frame(table.image(0.7 * moment)[0], 'rgb') for moment in range(IMAGES)]

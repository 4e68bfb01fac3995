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
A promptable network of a few nodes, and what plain numpy says that it answers.

It finds what is bright near a box: the mask is the bright part of the box grown by a margin, so
that an object that moves a little is found by the box around where it was.
"""

import numpy as np
import onnx
from onnx import helper, numpy_helper, TensorProto
from seg_ros.compile.compile_model import compile_model
from seg_ros.core.card_reading import card_from_dict

SIZE_HW, MARGIN, POINT_MARGIN, CHOICES = (48, 64), 8, 16, 3
CARD = card_from_dict({
    'name': 'bright', 'task': 'promptable',
    'classes': [{'id': 3, 'name': 'object'}, {'id': 7, 'name': 'cup'}],
    'input': {'size': list(SIZE_HW), 'fit': 'stretch'},
    'thresholds': {'score': 0.5, 'visible': 0.0},
})


def promptable_network(form='boxes', prompts=4):
    """
    Return a raw network of several masks a prompt, of which the second one is predicted best.

    :param form: `boxes`, or `points` for points with labels.
    :param prompts: how many; a word leaves it open, and all else that exporters leave open.
    """
    height, width = SIZE_HW
    node, weights = helper.make_node, {
        'half': np.float32(0.5), 'steep': np.float32(40), 'none': np.float32(0),
        'all': np.float32(1), 'axis1': np.array([1]), 'axis2': np.array([2]),
        'axis3': np.array([3]), 'axis23': np.array([2, 3]), 'split': np.array([1, 1, 1, 1]),
        'columns': np.arange(width, dtype=np.float32) + np.float32(0.5),
        'rows': (np.arange(height, dtype=np.float32) + np.float32(0.5))[:, None],
        'shares': np.array([0.5, 0.9, 0.3], np.float32),
        'flat': np.array([1, -1, 4] if isinstance(prompts, str) else [1, prompts, 4]),
        'empty': np.float32(-5),
    }
    nodes = [
        node('ReduceMean', ['images'], ['mean'], axes=[1], keepdims=1),
        node('Sub', ['mean', 'half'], ['above']),
        node('Mul', ['above', 'steep'], ['bright']),
    ]
    nodes += _margins(form, weights)
    nodes += [node('Split', ['places', 'split'], ['x0', 'y0', 'x1', 'y1'], axis=2)]
    for side in ('x0', 'y0', 'x1', 'y1'):
        nodes.append(node('Unsqueeze', [side, 'axis3'], [f'{side}_']))
    for low, high, grid in (('x0', 'x1', 'columns'), ('y0', 'y1', 'rows')):
        nodes += [
            node('Sub', [f'{low}_', 'margin'], [f'{low}_out']),
            node('Add', [f'{high}_', 'margin'], [f'{high}_out']),
            node('Sub', [grid, f'{low}_out'], [f'{low}_in']),
            node('Sub', [f'{high}_out', grid], [f'{high}_in']),
        ]
    nodes += [
        node('Min', ['x0_in', 'x1_in', 'y0_in', 'y1_in'], ['box']),
        node('Min', ['box', 'bright'], ['object']),
        node('ReduceMax', ['object'], ['found'], axes=[2, 3], keepdims=0),
        node('Clip', ['found', 'none', 'all'], ['sure']),
        node('Unsqueeze', ['sure', 'axis2'], ['sure_']),
        node('Mul', ['sure_', 'shares'], ['scores']),
        node('Mul', ['object', 'none'], ['zeros']),
        node('Add', ['zeros', 'empty'], ['nothing']),
        *(node('Unsqueeze', [name, 'axis2'], [f'{name}_choice'])
          for name in ('box', 'object', 'nothing')),
        node('Concat', ['box_choice', 'object_choice', 'nothing_choice'], ['masks'], axis=2),
    ]
    inputs = {'images': [1, 3, height, width]}
    if form == 'boxes':
        inputs['boxes'] = [1, prompts, 4]
    else:
        inputs |= {'point_coords': [1, prompts, 2, 2], 'point_labels': [1, prompts, 2]}
    if isinstance(prompts, str):
        inputs = {
            name: ['N', *map(_opened, shape[1:-1]), shape[-1]] for name, shape in inputs.items()
        }
        inputs['point_labels' if form == 'points' else 'boxes'][-1] = 'last'
    used = {name for item in nodes for name in item.input}
    graph = helper.make_graph(
        nodes, 'bright', [_tensor(*item) for item in inputs.items()],
        [_tensor('masks', None), _tensor('scores', None)],
        [numpy_helper.from_array(np.asarray(value), name)
         for name, value in weights.items() if name in used],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid('', 17)], ir_version=8)


def _opened(side):
    return 'any' if side == 2 else side


def _tensor(name, shape):
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def _margins(form, weights):
    """Give points a wide margin and boxes a narrow one; other labels find nothing."""
    node = helper.make_node
    weights['margin_box'] = np.float32(MARGIN)
    if form == 'boxes':
        return [
            node('Identity', ['boxes'], ['places']), node('Identity', ['margin_box'], ['margin']),
        ]
    weights |= {
        'two': np.float32(2), 'four': np.float32(4), 'five': np.float32(5),
        'far': np.float32(-1000), 'span': np.float32(POINT_MARGIN - MARGIN),
        'labels': np.array([1, 1]),
    }
    return [
        node('Reshape', ['point_coords', 'flat'], ['places']),
        node('Split', ['point_labels', 'labels'], ['label0', 'label1'], axis=2),
        # A point has the labels 1 and -1, a box 2 and 3: for both, label1 = 4 label0 - 5.
        node('Mul', ['label0', 'four'], ['times4']),
        node('Sub', ['label1', 'times4'], ['minus5']),
        node('Add', ['minus5', 'five'], ['off']),
        node('Abs', ['off'], ['wrong']),
        node('Mul', ['wrong', 'far'], ['penalty']),
        node('Sub', ['two', 'label0'], ['is_point']),
        node('Mul', ['is_point', 'span'], ['wider']),
        node('Add', ['wider', 'margin_box'], ['width']),
        node('Add', ['width', 'penalty'], ['margin_']),
        node('Unsqueeze', ['margin_', 'axis3'], ['margin']),
    ]


def saved_promptable(folder, form='boxes', prompts=4, card=CARD, **options):
    """Compile it and return where."""
    raw = folder / 'promptable_raw.onnx'
    onnx.save(promptable_network(form, prompts), raw)
    path = folder / 'promptable.onnx'
    onnx.save(compile_model(raw, card, **options), path)
    return path


def bright_near(image, xyxy):
    """
    Say which pixels belong to what a box or a point asks for, bool (H, W).

    :param image: uint8 (H, W, 3) of the network's size.
    """
    x0, y0, x1, y1 = xyxy
    margin = POINT_MARGIN if (x0, y0) == (x1, y1) else MARGIN
    rows, columns = np.indices(image.shape[:2]) + 0.5
    inside = (
        (columns > x0 - margin) & (columns < x1 + margin)
        & (rows > y0 - margin) & (rows < y1 + margin)
    )
    return inside & (image.mean(axis=2) > 127.5)


def image_of(*boxes):
    """Return a dark image with bright rectangles, uint8 (H, W, 3)."""
    image = np.full((*SIZE_HW, 3), 30, np.uint8)
    for x0, y0, x1, y1 in boxes:
        image[y0:y1, x0:x1] = 220
    return image

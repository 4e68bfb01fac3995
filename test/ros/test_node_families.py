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

"""Query networks and box networks in the real node, from image to masks."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import onnx
from onnx import helper, numpy_helper, TensorProto
import pytest
from robot import channel_classes, channel_image, pixels, SIZE_HW
from seg_ros.compile.compile_model import compile_model
from seg_ros.core.card_reading import card_from_dict
from sensor_msgs.msg import Image

NAMES = ('red', 'green', 'blue')
BANDS = (0, 21, 42, 64)     # columns at which the colour of the network's input changes


def write_model(folder, nodes, outputs, weights, task):
    """Compile a graph from `images` to outputs, given by name and type."""
    graph = helper.make_graph(
        nodes, 'family',
        [helper.make_tensor_value_info('images', TensorProto.FLOAT, [1, 3, *SIZE_HW])],
        [helper.make_tensor_value_info(name, kind, None) for name, kind in outputs],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in weights.items()],
    )
    raw, path = Path(folder, 'raw.onnx'), Path(folder, 'model.onnx')
    opsets = [helper.make_opsetid('', 17)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), raw)
    card = card_from_dict({
        'name': 'family', 'task': task, 'input': {'fit': 'stretch'},
        'classes': [
            {'id': 10 * number, 'name': name, 'thing': name != 'red' or task == 'instance'}
            for number, name in enumerate(NAMES, start=1)
        ],
    })
    onnx.save(compile_model(raw, card), path)
    return str(path)


def query_model(folder, task):
    """Write a model with a query for each colour, whose mask covers that colour."""
    scores = np.full((1, 3, 4), -4, np.float32)
    scores[0, range(3), range(3)] = (6, 5, 4)
    nodes = [
        helper.make_node('Sub', ['images', 'half'], ['centred']),
        helper.make_node('Mul', ['centred', 'gain'], ['masks']),
        helper.make_node('ReduceMean', ['images'], ['mean'], axes=[2, 3], keepdims=0),
        helper.make_node('Unsqueeze', ['mean', 'last'], ['column']),
        helper.make_node('Mul', ['column', 'little'], ['faint']),
        helper.make_node('Add', ['faint', 'fixed'], ['scores']),
    ]
    weights = {
        'half': np.float32(0.4), 'gain': np.float32(20), 'last': np.array([2]),
        'little': np.float32(1e-3), 'fixed': scores,
    }
    outputs = [('scores', TensorProto.FLOAT), ('masks', TensorProto.FLOAT)]
    return write_model(folder, nodes, outputs, weights, task)


def box_model(folder, task):
    """Write a model with a box for each third of the image; each channel's maximum is a score."""
    boxes = np.array([[[x0, 0, x1, SIZE_HW[0]] for x0, x1 in pairwise(BANDS)]])
    nodes = [
        helper.make_node('ReduceMax', ['images'], ['scores'], axes=[2, 3], keepdims=0),
        helper.make_node('Identity', ['all_boxes'], ['boxes']),
        helper.make_node('Identity', ['all_labels'], ['labels']),
        helper.make_node('Identity', ['all_masks'], ['masks']),
    ]
    weights = {
        'all_boxes': boxes.astype(np.float32), 'all_labels': np.array([[0, 1, 2]]),
        'all_masks': np.ones((1, 3, 14, 14), np.float32),
    }
    outputs = [
        ('boxes', TensorProto.FLOAT), ('scores', TensorProto.FLOAT),
        ('labels', TensorProto.INT64), ('masks', TensorProto.FLOAT),
    ]
    return write_model(folder, nodes, outputs, weights, task)


@pytest.mark.parametrize(('make', 'task', 'count'), [
    (query_model, 'panoptic', 2), (query_model, 'instance', 3), (query_model, 'semantic', 0),
    (box_model, 'instance', 3),
])
def test_a_small_network_of_each_family_segments_three_bands(make, task, count, robot, tmp_path):
    each = robot(model=make(tmp_path, task))
    semantic = each.listen('/segmentation/camera/semantic', Image)
    instance = each.listen('/segmentation/camera/instance', Image)
    image = channel_image()
    each.send(each.image(image))
    each.wait(lambda: semantic and instance, 'masks')
    classes, instances = pixels(semantic[0]), pixels(instance[0])
    expected = channel_classes(image)
    assert (classes == expected).mean() > 0.98
    assert len(np.unique(instances[instances > 0])) == count
    things = [10 * number for number in range(1, 4)][3 - count:] if count else []
    np.testing.assert_array_equal(instances > 0, np.isin(classes, things))

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

import numpy as np
from onnx import helper, TensorProto
import pytest
from seg_ros.compile.compile_model import compile_model
from seg_ros.compile.compiled import compiled_from_model
from tiny_networks import colorful_images, make_card, model_of, run_model, saved

SIZE_HW = (32, 48)
IMAGES = colorful_images(1, SIZE_HW)
FED = {'images': IMAGES.transpose(0, 3, 1, 2).astype(np.float32)}


def node(kind, reads, target, **facts):
    return helper.make_node(kind, reads.split(), target.split(), **facts)


def first(source, target):
    return node('Gather', f'{source} index', target, axis=0)


def squeezed(source, target):
    """Write what exporters do for a squeeze of a size that they do not know: both ways."""
    branches = {
        'then_branch': node('Squeeze', f'{source} along', 'chosen'),
        'else_branch': node('Identity', source, 'chosen'),
    }
    plain = helper.make_tensor_value_info('chosen', TensorProto.INT64, None)
    graphs = {
        name: helper.make_graph([part], name, [], [plain]) for name, part in branches.items()
    }
    return [
        node('Shape', source, 'sizes'), node('Gather', 'sizes index', 'size', axis=0),
        node('Equal', 'size one', 'is_one'), node('If', 'is_one', target, **graphs),
    ]


def compiled_of(nodes, kind, channels, count, folder):
    kernel = np.random.default_rng(3).normal(0, 0.01, (channels, 3, 3, 3)).astype(np.float32)
    kernel -= kernel.mean((1, 2, 3), keepdims=True)
    model = model_of(
        [node('Conv', 'images kernel', 'scores', pads=[1, 1, 1, 1]), *nodes],
        [('images', TensorProto.FLOAT, [1, 3, *SIZE_HW])], [('out', kind)],
        {'kernel': kernel, 'index': np.array(0), 'second': np.array(1), 'along': np.array([0]),
         'one': np.array(1), 'half': np.float32(0.5)},
    )
    out = run_model(model, FED)['out']
    assert out.shape == SIZE_HW
    compiled = compiled_from_model(
        compile_model(saved(model, folder), make_card(count)), 'm.onnx'
    )
    return out, compiled, run_model(compiled.model, {'image': IMAGES})['labels'][0]


ARGMAX = node('ArgMax', 'scores', 'labels', axis=1, keepdims=0)
LABELS = {
    'an index': ([ARGMAX, first('labels', 'out')], TensorProto.INT64),
    'an index and a cast to floats': (
        [ARGMAX, first('labels', 'one_image'), node('Cast', 'one_image', 'out', to=1)],
        TensorProto.FLOAT,
    ),
    'an index and a cast to bytes': (
        [ARGMAX, first('labels', 'one_image'), node('Cast', 'one_image', 'out', to=2)],
        TensorProto.UINT8,
    ),
    'a choice of a squeeze': ([ARGMAX, *squeezed('labels', 'out')], TensorProto.INT64),
    'a choice of a squeeze and a cast': (
        [ARGMAX, *squeezed('labels', 'one_image'), node('Cast', 'one_image', 'out', to=2)],
        TensorProto.UINT8,
    ),
}


@pytest.mark.parametrize('ending', LABELS)
def test_labels_of_one_image_alone_are_read_from_their_scores(ending, tmp_path):
    nodes, kind = LABELS[ending]
    out, compiled, labels = compiled_of(nodes, kind, 4, 4, tmp_path)
    np.testing.assert_array_equal(labels, out)
    assert 'confidence' in compiled.signature.tensors
    assert not any(item.op_type == 'If' for item in compiled.model.graph.node)


SIGMOID = node('Sigmoid', 'scores', 'shares')
ONE_CHANNEL = {
    'a share': ([SIGMOID, first('shares', 'plane'), first('plane', 'out')], 1, 0.5),
    'one share of several': (
        [SIGMOID, first('shares', 'maps'), node('Gather', 'maps second', 'out', axis=0)], 2, 0.5,
    ),
    'a share after arithmetic': (
        [SIGMOID, first('shares', 'plane'), first('plane', 'map'), node('Abs', 'map', 'out')],
        1, 0.5,
    ),
    'a score': ([first('scores', 'plane'), first('plane', 'out')], 1, 0),
}


@pytest.mark.parametrize('ending', ONE_CHANNEL)
def test_one_channel_of_one_image_alone_is_read_as_such(ending, tmp_path):
    nodes, channels, threshold = ONE_CHANNEL[ending]
    out, _, labels = compiled_of(nodes, TensorProto.FLOAT, channels, 2, tmp_path)
    np.testing.assert_array_equal(labels, out > threshold)


def test_yes_and_no_of_one_image_alone_are_labels(tmp_path):
    nodes = [
        SIGMOID, first('shares', 'plane'), first('plane', 'map'),
        node('Greater', 'map half', 'out'),
    ]
    out, _, labels = compiled_of(nodes, TensorProto.BOOL, 1, 2, tmp_path)
    np.testing.assert_array_equal(labels, out)

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

"""`refine: crf` after a network's scores, whatever their resolution."""

import numpy as np
from onnx import helper, TensorProto
import pytest
from seg_ros.compile.compile_model import compile_model
from seg_ros.compile.compiled import compiled_from_model
from seg_ros.compile.operators import check_operators
from seg_ros.core.errors import CardError
from tiny_networks import make_card, model_of, run_model, saved

SIZE_HW, CLASSES = (64, 96), 3


def color_network(stride):
    """Score red, green and blue by the maxima of squares of `stride` pixels."""
    node = helper.make_node
    nodes = [
        node('MaxPool', ['images'], ['most'], kernel_shape=[stride] * 2, strides=[stride] * 2),
        node('Mul', ['most', 'gain'], ['scores']),
    ]
    shape = ['N', 3, *SIZE_HW]
    return model_of(
        nodes, [('images', TensorProto.FLOAT, shape)], ['scores'], {'gain': np.float32(0.005)}
    )


def compiled_network(folder, stride, **card):
    path = saved(color_network(stride), folder)
    return compiled_from_model(compile_model(path, make_card(CLASSES, **card)), path.name)


def two_halves():
    """Return red beside green, the edge in the midst of a coarse cell: uint8 (1, H, W, 3)."""
    image = np.zeros((1, *SIZE_HW, 3), np.uint8)
    image[:, :, :36, 0] = 200
    image[:, :, 36:, 1] = 200
    return image


@pytest.mark.parametrize(('stride', 'map_hw'), [(1, SIZE_HW), (4, (16, 24)), (16, (16, 24))])
def test_scores_become_as_fine_as_the_field_and_never_coarser(stride, map_hw, tmp_path):
    compiled = compiled_network(tmp_path, stride, refine='crf')
    assert compiled.signature.arithmetic == 'f32'
    assert compiled.signature.max_batch == 0
    assert check_operators(compiled.model) == []
    outputs = run_model(compiled.model, {'image': np.repeat(two_halves(), 2, axis=0)})
    assert outputs['logits'].shape == (2, CLASSES, *map_hw)
    np.testing.assert_allclose(outputs['logits'][0], outputs['logits'][1], atol=1e-4)


def test_an_edge_moves_to_where_the_image_has_it(tmp_path):
    image, columns = two_halves(), np.arange(SIZE_HW[1])
    wrong = {}
    for refine in ('none', 'crf'):
        compiled = compiled_network(tmp_path, 16, refine=refine)
        labels = run_model(compiled.model, {'image': image})['labels_network_size'][0]
        wrong[refine] = (labels != (columns >= 36)).sum()
    assert wrong['none'] > 0
    assert wrong['crf'] < wrong['none']


def test_a_network_without_scores_has_nothing_to_refine(tmp_path):
    nodes = [
        helper.make_node('ReduceMax', ['images'], ['most'], axes=[1], keepdims=0),
        helper.make_node('Sign', ['most'], ['seen']),
        helper.make_node('Cast', ['seen'], ['labels'], to=TensorProto.INT64),
    ]
    shape = ['N', 3, *SIZE_HW]
    model = model_of(
        nodes, [('images', TensorProto.FLOAT, shape)], [('labels', TensorProto.INT64)]
    )
    path = saved(model, tmp_path)
    labels = {'family': 'logits', 'refine': 'crf'}
    with pytest.raises(CardError, match='refine: crf'):
        compile_model(path, make_card(CLASSES, **labels))

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
from seg_ros.compile.import_onnx import network_from_model
from seg_ros.core.errors import ModelError
from tiny_networks import model_of, run_model


def node(kind, reads, target, **facts):
    return helper.make_node(kind, reads.split(), target.split(), **facts)


def network_of(nodes, opset=17):
    ones = np.ones(3, np.float32)
    return model_of(
        nodes, [('x', TensorProto.FLOAT, [1, 3, 6, 8])], ['y'],
        {'share': np.float32(0.5), 'yes': np.array(True), 'no': np.array(False), 'ones': ones},
        opset,
    )


DROPPING = {
    'Dropout': [node('Dropout', 'x share yes', 'y')],
    'Bernoulli': [node('Bernoulli', 'x', 'y')],
    'RandomUniformLike': [      # as PyTorch writes the dropout of whole channels
        node('RandomUniformLike', 'x', 'random'), node('Less', 'random share', 'kept'),
        node('Cast', 'kept', 'factor', to=TensorProto.FLOAT), node('Mul', 'x factor', 'y'),
    ],
    'BatchNormalization': [
        node('BatchNormalization', 'x ones ones ones ones', 'y mean variance', training_mode=1),
    ],
}


@pytest.mark.parametrize('kind', DROPPING)
def test_a_network_in_training_mode_is_refused_with_what_to_call(kind):
    message = rf'training mode, with {kind};.*network\.eval\(\)'
    with pytest.raises(ModelError, match=message):
        network_from_model(network_of(DROPPING[kind]))


def test_a_branch_in_training_mode_is_refused_too():
    branches = {
        f'{name}_branch': helper.make_graph(
            [node(kind, reads, 'z')], name, [],
            [helper.make_tensor_value_info('z', TensorProto.FLOAT, None)],
        )
        for name, kind, reads in (('then', 'Dropout', 'x share yes'), ('else', 'Identity', 'x'))
    }
    nodes = [
        node('ReduceMax', 'x', 'most', keepdims=0), node('Greater', 'most share', 'is_high'),
        node('If', 'is_high', 'y', **branches),
    ]
    with pytest.raises(ModelError, match='training mode, with Dropout'):
        network_from_model(network_of(nodes))


@pytest.mark.parametrize('nodes', [
    [node('Dropout', 'x share no', 'y')],
    [node('Dropout', 'x', 'y')],
    [node('BatchNormalization', 'x ones ones ones ones', 'y')],
])
def test_what_training_leaves_in_a_network_does_nothing(nodes):
    model = network_of(nodes)
    image = np.random.default_rng(0).random((1, 3, 6, 8), np.float32)
    found = network_from_model(model).run(['y'], image)['y']
    np.testing.assert_array_equal(found, run_model(model, {'x': image})['y'])


def test_random_numbers_from_which_a_network_starts_are_left_alone():
    nodes = [node('RandomUniformLike', 'x', 'bases'), node('Mul', 'x bases', 'y')]
    assert network_from_model(network_of(nodes)).outputs

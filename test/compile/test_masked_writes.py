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
from seg_ros.compile.import_onnx import network_from_model
from seg_ros.compile.operators import forbidden_nodes
from tiny_networks import colorful_images, make_card, model_of, run_model, saved

SHAPE = (1, 3, 4, 6)
KINDS = {'float32': TensorProto.FLOAT, 'int64': TensorProto.INT64, 'bool': TensorProto.BOOL}
LIMITS = np.float32([[0, -9, 999]])
IMAGE = np.random.default_rng(0).normal(0, 1, SHAPE).astype(np.float32)


def node(operator, reads, writes, **attributes):
    return helper.make_node(operator, reads.split(), writes.split(), **attributes)


def places_at_once():
    return [node('Transpose', 'listed', 'places', perm=[1, 0])]


def places_by_columns(order=(0, 1)):
    """Take places apart and join them again, as torch's exporter does."""
    columns = [f'column{index}' for index in order]
    return [
        node('Transpose', 'listed', 'rows', perm=[1, 0]),
        node('Split', 'rows one_each', 'column0 column1', axis=1),
        node('Concat', ' '.join(columns), 'places', axis=1),
    ]


def writing(kind, constant, places, values='constant'):
    """Return a network that writes to the places of a mask over the first two axes."""
    dtype = np.dtype(kind)
    nodes = [
        node('Cast', 'x', 'data', to=KINDS[kind]),
        node('ReduceMean', 'x', 'means', axes=[2, 3], keepdims=0),
        node('Greater', 'means limits', 'mask'),
        node('NonZero', 'mask', 'listed'), *places,
        node('Shape', 'places', 'count', end=1), node('Concat', 'count sides', 'shape', axis=0),
        node('Expand', f'{values} shape', 'values'),
        node('ScatterND', 'data places values', 'written'),
        node('Cast', 'written', 'y', to=TensorProto.FLOAT),
    ]
    weights = {
        'limits': LIMITS, 'one_each': np.array([1, 1]), 'sides': np.array(SHAPE[2:]),
        'constant': np.array(constant, dtype), 'ramp': np.arange(6).astype(dtype),
    }
    return model_of(nodes, [('x', 1, SHAPE)], ['y'], weights)


@pytest.mark.parametrize('places', [places_at_once(), places_by_columns()])
@pytest.mark.parametrize(
    ('kind', 'constant'), [('float32', -7), ('int64', 3), ('bool', False), ('bool', True)]
)
def test_a_constant_written_where_a_mask_is_true_is_chosen_instead(kind, constant, places):
    model = writing(kind, constant, places)
    network = network_from_model(model)
    assert not forbidden_nodes(network.model)
    expected = IMAGE.astype(kind)
    expected[np.where(IMAGE.mean((2, 3)) > LIMITS)] = constant
    found = network.run(['y'], IMAGE)['y']
    np.testing.assert_array_equal(found, expected.astype(np.float32))
    np.testing.assert_array_equal(found, run_model(model, {'x': IMAGE})['y'])


@pytest.mark.parametrize(
    ('places', 'values'),
    [(places_by_columns((1, 0)), 'constant'), (places_at_once(), 'ramp')],
    ids=['other places', 'several values'],
)
def test_what_is_written_elsewhere_or_differs_stays(places, values):
    network = network_from_model(writing('float32', -7, places, values))
    assert [fault.subject.split()[0] for fault in forbidden_nodes(network.model)] == ['NonZero']


def test_a_network_that_writes_where_a_mask_is_true_compiles(tmp_path):
    raw = writing('float32', -7, places_by_columns())
    raw.graph.node[-1].output[0] = 'scores'
    raw.graph.output[0].name = 'scores'
    compiled = compile_model(saved(raw, tmp_path), make_card(3, scores='logits'))
    images = colorful_images(1, SHAPE[2:])
    expected = run_model(raw, {'x': images.transpose(0, 3, 1, 2).astype(np.float32)})['scores']
    np.testing.assert_array_equal(run_model(compiled, {'image': images})['logits'], expected)

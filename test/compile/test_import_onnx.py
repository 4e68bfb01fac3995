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
from seg_ros.core.card import InputSpec
from seg_ros.core.errors import CardError, ModelError
from tiny_networks import make_card, model_of, run_model, saved

RGB, GRAY = InputSpec(), InputSpec(color='gray')


def network_of(shape, kind=TensorProto.FLOAT, opset=17):
    return model_of(
        [helper.make_node('Neg', ['x'], ['y'])], [('x', kind, shape)], [('y', kind)], opset=opset
    )


@pytest.mark.parametrize(
    ('shape', 'spec', 'layout', 'channels'),
    [
        ([1, 3, 6, 8], RGB, 'nchw', 3), ([1, 6, 8, 3], RGB, 'nhwc', 3),
        ([1, 1, 6, 8], GRAY, 'nchw', 1), ([1, 6, 8, 1], GRAY, 'nhwc', 1),
        ([1, 3, 6, 8], None, 'nchw', 3), ([1, 6, 8, 1], None, 'nhwc', 1),
        # The card decides where a grey image is three pixels high.
        ([1, 1, 6, 3], RGB, 'nhwc', 3), ([1, 1, 6, 3], GRAY, 'nchw', 1),
    ],
)
def test_layout_and_channels_follow_from_the_shape(shape, spec, layout, channels):
    network = network_from_model(network_of(shape), spec)
    assert (network.layout, network.channels) == (layout, channels)
    assert network.input_shape(2) == (2, *shape[1:])


@pytest.mark.parametrize(
    ('shape', 'size', 'found'),
    [
        ([1, 3, 6, 8], (0, 0), (6, 8)), ([1, 3, 6, 8], (6, 8), (6, 8)),
        (['n', 3, 'h', 'w'], (4, 5), (4, 5)), (['n', 3, 6, 'w'], (6, 5), (6, 5)),
        (['n', 'h', 'w', 3], (4, 5), (4, 5)),
    ],
)
def test_the_size_is_the_networks_or_where_that_is_free_the_cards(shape, size, found):
    network = network_from_model(network_of(shape), InputSpec(size=size))
    assert network.size_hw == found
    (tensor_info,) = network.outputs
    assert sorted(tensor_info.shape) == sorted((1, 3, *found))


def test_a_size_that_contradicts_the_networks_is_refused_with_both():
    with pytest.raises(CardError, match=r'\[6, 9\].*\[6, 8\]'):
        network_from_model(network_of([1, 3, 6, 8]), InputSpec(size=(6, 9)))


@pytest.mark.parametrize('spec', [None, RGB])
def test_a_free_size_needs_the_cards(spec):
    with pytest.raises(CardError, match=r'any size.*input.size'):
        network_from_model(network_of([1, 3, 'h', 'w']), spec)


def test_a_card_of_other_colors_than_the_networks_is_refused():
    with pytest.raises(CardError, match=r'\[1, 1, 6, 8\].*input.color rgb.*3 channels'):
        network_from_model(network_of([1, 1, 6, 8]), RGB)


@pytest.mark.parametrize('shape', [[1, 4, 6, 8], [1, 'c', 6, 8]])
def test_other_numbers_of_channels_are_refused(shape):
    with pytest.raises(ModelError, match='1 or 3 channels'):
        network_from_model(network_of(shape), None)


@pytest.mark.parametrize('shape', [[3, 6, 8], [1, 3, 6, 8, 1]])
def test_an_input_of_other_than_four_axes_is_refused(shape):
    with pytest.raises(ModelError, match=r'x float \[.*one image'):
        network_from_model(network_of(shape))


def test_torchvisions_detectors_are_refused_with_what_exports_them():
    nodes = [
        helper.make_node('Unsqueeze', ['x', 'zero'], ['maps']),
        helper.make_node('RoiAlign', ['maps', 'boxes', 'zero'], ['y']),
    ]
    weights = {'zero': np.array([0]), 'boxes': np.float32([[0, 0, 4, 4]])}
    model = model_of(nodes, [('x', 1, [3, 6, 8])], ['y'], weights)
    with pytest.raises(ModelError, match=r'x float \[3, 6, 8\].*seg_ros export mask_rcnn'):
        network_from_model(model)


def test_an_input_of_another_type_is_refused():
    with pytest.raises(ModelError, match=r'x int32 .*one image'):
        network_from_model(network_of([1, 3, 6, 8], TensorProto.INT32))


def test_two_inputs_are_refused_by_name():
    image = [1, 3, 6, 8]
    model = model_of(
        [helper.make_node('Add', ['x', 'scale'], ['y'])], [('x', 1, image), ('scale', 1, [1])],
        ['y'],
    )
    with pytest.raises(ModelError, match=r'x float .*scale float.*all else that it needs'):
        network_from_model(model)


@pytest.mark.parametrize('opset', [7, 9, 11, 13, 16, 17, 18, 20, 21, 23, 25])
def test_opsets_from_7_to_25_are_read(opset):
    axes = {'axes': [2, 3]} if opset < 18 else {}
    reads = ['x'] if opset < 18 else ['x', 'spatial']
    weights = {'spatial': np.array([2, 3])} if opset >= 18 else {}
    model = model_of(
        [helper.make_node('ReduceMean', reads, ['y'], **axes)], [('x', 1, [1, 3, 6, 8])], ['y'],
        weights, opset,
    )
    network = network_from_model(model)
    assert network.opset == min(20, max(17, opset))
    image = np.random.default_rng(0).random((1, 3, 6, 8), np.float32)
    result = run_model(network.part(network.outputs, 1), {'x': image})['y']
    np.testing.assert_allclose(result, image.mean((2, 3), keepdims=True), rtol=1e-5)


@pytest.mark.parametrize('opset', [6, 26])
def test_other_opsets_are_refused(opset):
    with pytest.raises(ModelError, match=f'opset {opset}; expected 7 to 25.*opset 17'):
        network_from_model(network_of([1, 3, 6, 8], opset=opset))


@pytest.mark.parametrize('mode', ['linear', 'nearest'])
@pytest.mark.parametrize(('opset', 'operator'), [(8, 'Upsample'), (9, 'Upsample'), (10, 'Resize')])
def test_enlargements_of_old_opsets_stay_what_onnx_runtime_makes_of_them(opset, operator, mode):
    scales = [1, 1, 2, 2.5]
    by_attribute = {'scales': scales} if opset < 9 else {}
    node = helper.make_node(
        operator, ['x'] if by_attribute else ['x', 'scales'], ['y'], mode=mode, **by_attribute
    )
    weights = {} if by_attribute else {'scales': np.float32(scales)}
    model = model_of([node], [('x', 1, [1, 3, 6, 8])], ['y'], weights, opset)
    image = np.random.default_rng(0).random((1, 3, 6, 8), np.float32)
    found = network_from_model(model).run(['y'], image)['y']
    np.testing.assert_allclose(found, run_model(model, {'x': image})['y'], rtol=1e-5)


def test_old_files_may_list_their_weights_among_the_inputs():
    shape = [1, 3, 6, 8]
    model = model_of(
        [helper.make_node('Add', ['x', 'weight'], ['y'])],
        [('x', 1, shape), ('weight', 1, [1])], ['y'], {'weight': np.ones(1, np.float32)},
        opset=11, ir_version=3,
    )
    network = network_from_model(model)
    assert network.input_name == 'x'
    result = run_model(network.part(network.outputs, 1), {'x': np.zeros(shape, np.float32)})
    np.testing.assert_array_equal(result['y'], np.ones(shape))


def test_functions_are_written_out():
    opsets = [helper.make_opsetid('', 17)]
    twice = helper.make_function(
        'mine', 'Twice', ['a'], ['b'], [helper.make_node('Add', ['a', 'a'], ['b'])], opsets
    )
    model = model_of(
        [helper.make_node('Twice', ['x'], ['y'], domain='mine')], [('x', 1, [1, 3, 6, 8])], ['y']
    )
    model.functions.append(twice)
    model.opset_import.append(helper.make_opsetid('mine', 1))
    network = network_from_model(model)
    assert [node.op_type for node in network.model.graph.node] == ['Add']


def test_a_network_that_does_not_run_at_its_size_is_refused():
    model = model_of(
        [helper.make_node('Reshape', ['x', 'shape'], ['y'])], [('x', 1, [1, 3, 'h', 'w'])], ['y'],
        {'shape': np.array([1, 3, 64])},
    )
    network = network_from_model(model, InputSpec(size=(6, 8)))
    with pytest.raises(ModelError, match='does not run'):
        assert network.outputs


def test_nodes_out_of_order_are_put_in_order():
    nodes = [
        helper.make_node('Neg', ['b'], ['y'], 'last'),
        helper.make_node('Abs', ['a'], ['b'], 'mid'),
        helper.make_node('Relu', ['x'], ['a'], 'first'),
    ]
    network = network_from_model(model_of(nodes, [('x', 1, [1, 3, 6, 8])], ['y']))
    assert [node.name for node in network.model.graph.node] == ['first', 'mid', 'last']


def test_nodes_that_wait_for_each_other_are_refused_by_name():
    nodes = [
        helper.make_node('Add', ['x', 'b'], ['a'], 'one'),
        helper.make_node('Abs', ['a'], ['b'], 'two'),
    ]
    with pytest.raises(ModelError, match='depend on each other: one, two'):
        network_from_model(model_of(nodes, [('x', 1, [1, 3, 6, 8])], ['b']))


def test_the_card_decides_where_every_axis_is_open():
    shape = ['batch_size', 'num_channels', 'height', 'width']
    network = network_from_model(network_of(shape), InputSpec(size=(6, 8)))
    assert (network.layout, network.channels, network.size_hw) == ('nchw', 3, (6, 8))


@pytest.mark.parametrize('shape', [[1, 3, 6, 8], [1, 6, 8, 3]])
def test_a_network_of_bytes_gets_the_bytes_as_floats(shape):
    model = model_of(
        [helper.make_node('Cast', ['x'], ['y'], to=1)], [('x', TensorProto.UINT8, shape)], ['y']
    )
    network = network_from_model(model, RGB)
    assert (network.dtype, network.spec.scale) == (np.float32, 1)
    image = np.full(shape, 200, np.float32)
    result = run_model(network.part(network.outputs, 1), {'x': image})['y']
    np.testing.assert_array_equal(result, image)
    with pytest.raises(CardError, match='normalises by itself'):
        network_from_model(model, InputSpec(mean=(0.5,)))


def test_a_fixed_batch_is_refused_where_one_image_does_not_go_through():
    assert network_from_model(network_of([4, 3, 6, 8]), RGB).input_shape(1) == (1, 3, 6, 8)
    fixed = model_of(
        [helper.make_node('Reshape', ['x', 'shape'], ['y'])], [('x', 1, [4, 3, 6, 8])], ['y'],
        {'shape': np.array([4, 3, 48])},
    )
    with pytest.raises(ModelError, match=r'fixed batch: x float \[4, 3.*batch of 1, or with a'):
        network_from_model(fixed, RGB)


@pytest.mark.parametrize('kind', ['QuantizeLinear', 'QLinearConv', 'DynamicQuantizeLinear'])
def test_a_quantised_network_is_refused_with_what_to_do(kind):
    node = helper.make_node(kind, ['x'], ['y'])
    message = f'{kind}; expected the network in fp32.*--precision int8'
    with pytest.raises(ModelError, match=message):
        network_from_model(model_of([node], [('x', 1, [1, 3, 6, 8])], ['y']))


def test_a_quantised_branch_is_refused_too():
    branches = {
        f'{name}_branch': helper.make_graph(
            [helper.make_node(kind, ['x'], ['z'])], name, [],
            [helper.make_tensor_value_info('z', 1, None)],
        )
        for name, kind in (('then', 'DynamicQuantizeLinear'), ('else', 'Identity'))
    }
    model = model_of(
        [
            helper.make_node('ReduceMax', ['x'], ['most'], keepdims=0),
            helper.make_node('Greater', ['most', 'limit'], ['is_high']),
            helper.make_node('If', ['is_high'], ['y'], **branches),
        ],
        [('x', 1, [1, 3, 6, 8])], ['y'], {'limit': np.float32(0.5)},
    )
    with pytest.raises(ModelError, match='a quantised network, with DynamicQuantizeLinear'):
        network_from_model(model)


def test_an_input_that_nothing_reads_does_not_matter():
    model = network_of([1, 3, 6, 8])
    model.graph.input.append(helper.make_tensor_value_info('unused', 1, [1]))
    network = network_from_model(model, RGB)
    assert network.input_name == 'x'
    assert len(network.outputs) == 1


def test_a_size_that_the_network_cannot_take_is_named_as_the_likely_cause(tmp_path):
    model = model_of(
        [
            helper.make_node('MaxPool', ['images'], ['half'], kernel_shape=[2, 2], strides=[2, 2]),
            helper.make_node('Resize', ['half', '', 'scales'], ['whole']),
            helper.make_node('Add', ['images', 'whole'], ['out']),
        ],
        [('images', 1, ['N', 3, 'H', 'W'])], [('out', 1)],
        {'scales': np.array([1, 1, 2, 2], np.float32)},
    )
    with pytest.raises(ModelError, match=r'input\.size in the card'):
        compile_model(saved(model, tmp_path), make_card(3, input={'size': [33, 47]}))

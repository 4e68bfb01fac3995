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
from seg_ros.compile.operators import check_operators, FORBIDDEN, forbidden_nodes
from tiny_networks import model_of

IMAGE = ('x', TensorProto.FLOAT, [1, 3, 8, 8])
INDEXES = ('i', TensorProto.INT64, [1, 8])


def faults(*nodes, inputs=(IMAGE,), outputs=('y',), weights=(), opset=17):
    model = model_of(list(nodes), list(inputs), list(outputs), weights, opset)
    return [str(violation) for violation in check_operators(model)]


def node(kind, reads, writes='y', **facts):
    return helper.make_node(kind, reads.split(), writes.split(), name=f'my_{kind}', **facts)


def test_a_plain_network_has_no_faults():
    assert faults(node('Relu', 'x')) == []


@pytest.mark.parametrize('kind', FORBIDDEN)
def test_every_forbidden_operator_is_reported_by_name_with_what_to_do(kind):
    (fault,) = forbidden_nodes(model_of([node(kind, 'x')], [IMAGE], ['y'], opset=20))
    assert fault.subject == f'{kind} my_{kind}'
    assert len(fault.reason) > 10


def test_operators_of_other_sets_are_forbidden():
    model = model_of([node('FusedConv', 'x', domain='com.microsoft')], [IMAGE], ['y'])
    (fault,) = forbidden_nodes(model)
    assert str(fault) == (
        'FusedConv my_FusedConv: operator set com.microsoft; '
        'give the file from before ONNX Runtime optimised it'
    )


def test_a_forbidden_operator_inside_a_branch_is_found():
    def branch(kind):
        return helper.make_graph(
            [helper.make_node(kind, ['x'], [f'{kind}_out'], name=f'inner_{kind}')], kind, [],
            [helper.make_tensor_value_info(f'{kind}_out', TensorProto.INT64, None)],
        )

    choice = node('If', 'c', then_branch=branch('NonZero'), else_branch=branch('Shape'))
    condition = ('c', TensorProto.BOOL, [])
    model = model_of([choice], [IMAGE, condition], [('y', TensorProto.INT64)])
    assert [fault.subject for fault in forbidden_nodes(model)] == ['NonZero inner_NonZero']


@pytest.mark.parametrize('opset', [16, 21])
def test_opsets_beyond_17_to_20_are_reported(opset):
    assert faults(node('Relu', 'x'), opset=opset) == [f'opset {opset}: TensorRT 10 reads 17 to 20']


BYTES = [('x', TensorProto.UINT8, [1, 8, 8, 3])]


def test_bytes_may_enter_and_leave_through_floats():
    assert faults(
        node('Cast', 'x', 'f', to=TensorProto.FLOAT), node('Round', 'f', 'r'),
        node('Cast', 'r', to=TensorProto.UINT8), inputs=BYTES, outputs=[('y', TensorProto.UINT8)],
    ) == []


@pytest.mark.parametrize('kind', ['Transpose', 'Identity'])
def test_bytes_may_not_be_computed_with(kind):
    (fault,) = faults(node(kind, 'x'), inputs=BYTES, outputs=[('y', TensorProto.UINT8)])
    assert fault.startswith(f'{kind} my_{kind}: uint8 outside a Cast')


@pytest.mark.parametrize('kind', [TensorProto.INT64, TensorProto.INT32, TensorProto.BOOL])
def test_bytes_may_not_be_made_from_other_types_than_floats(kind):
    given = ('x', kind, [1, 8])
    (fault,) = faults(
        node('Cast', 'x', to=TensorProto.UINT8), inputs=[given],
        outputs=[('y', TensorProto.UINT8)],
    )
    assert 'between uint8 and another type' in fault


@pytest.mark.parametrize('kind', [TensorProto.INT16, TensorProto.UINT16])
def test_sixteen_bit_integers_are_reported(kind):
    (fault,) = faults(node('Cast', 'x', to=kind), outputs=[('y', kind)])
    assert fault.endswith('; use int32')


@pytest.mark.parametrize(('count', 'faulty'), [(3840, 0), (3841, 1)])
@pytest.mark.parametrize('constant', [False, True])
def test_more_than_3840_best_are_reported(count, faulty, constant):
    k = np.array([count])
    value = helper.make_tensor('k', TensorProto.INT64, [1], k)
    nodes = [helper.make_node('Constant', [], ['k'], value=value)] if constant else []
    found = faults(
        *nodes, node('TopK', 'x k', 'v y'), inputs=[('x', TensorProto.FLOAT, [1, 5000])],
        outputs=[('y', TensorProto.INT64)], weights={} if constant else {'k': k},
    )
    assert len(found) == faulty
    assert all('k = 3841; at most 3840' in fault for fault in found)


SIZES = {'sizes': np.array([1, 3, 16, 16])}


@pytest.mark.parametrize(
    ('opset', 'facts', 'words'),
    [
        (17, {'mode': 'linear'}, None),
        (17, {'mode': 'nearest'}, None),
        *((17, {'mode': mode, 'coordinate_transformation_mode': rule}, None)
          for mode in ('nearest', 'linear', 'cubic')
          for rule in ('half_pixel', 'pytorch_half_pixel', 'align_corners', 'asymmetric')),
        *((17, {'mode': mode, 'coordinate_transformation_mode': 'tf_crop_and_resize'},
           'coordinates tf_crop_and_resize') for mode in ('nearest', 'linear', 'cubic')),
        (19, {'mode': 'cubic', 'coordinate_transformation_mode': 'half_pixel_symmetric'},
         'coordinates half_pixel_symmetric'),
        (17, {'mode': 'cubic', 'cubic_coeff_a': -0.5}, None),
        (17, {'mode': 'cubic', 'exclude_outside': 1}, 'exclude_outside, which OpenVINO'),
        (18, {'mode': 'linear', 'antialias': 1}, 'antialias'),
        (18, {'mode': 'cubic', 'antialias': 1}, 'antialias'),
        (18, {'mode': 'linear', 'keep_aspect_ratio_policy': 'not_larger'}, 'keep_aspect'),
    ],
)
def test_only_plain_resizes_pass(opset, facts, words):
    resize = helper.make_node('Resize', ['x', '', '', 'sizes'], ['y'], **facts)
    found = faults(resize, weights=SIZES, opset=opset)
    assert len(found) == (0 if words is None else 1)
    assert all(words in fault for fault in found)


def test_a_resize_of_integers_is_reported():
    resize = helper.make_node('Resize', ['x', '', '', 'sizes'], ['y'], name='r', mode='nearest')
    (fault,) = faults(
        resize, inputs=[('x', TensorProto.INT32, [1, 3, 8, 8])],
        outputs=[('y', TensorProto.INT32)], weights=SIZES,
    )
    assert fault == 'Resize r: on another type than float; cast before it'


@pytest.mark.parametrize(('reduction', 'faulty'), [('none', 0), ('add', 1)])
def test_scatters_that_reduce_are_reported(reduction, faulty):
    scatter = node('ScatterElements', 'x i u', axis=1, reduction=reduction)
    inputs = [('x', 1, [1, 8]), INDEXES, ('u', 1, [1, 8])]
    assert len(faults(scatter, inputs=inputs, opset=18)) == faulty


def test_a_running_sum_of_integers_is_reported():
    found = faults(
        node('CumSum', 'i axis'), inputs=[INDEXES], outputs=[('y', TensorProto.INT64)],
        weights={'axis': np.array(1)},
    )
    assert len(found) == 1


SCALE = {'scale': np.array(0.1, np.float32)}


@pytest.mark.parametrize(('zero', 'fault'), [
    (np.array(0, np.int8), ''),
    (np.array(3, np.int8), 'a zero point other than 0'),
    (np.array(0, np.uint8), 'uint8; quantise to int8'),
])
def test_integers_are_symmetric_and_signed(zero, fault):
    quantise = node('QuantizeLinear', 'x scale zero', 'q')
    restore = node('DequantizeLinear', 'q scale zero')
    found = faults(quantise, restore, weights={**SCALE, 'zero': zero})
    assert bool(found) == bool(fault)
    assert all(fault in line for line in found if 'uint8 outside' not in line)


def test_a_quantised_bias_is_reported():
    restore = node('DequantizeLinear', 'bias scale', 'y')
    found = faults(restore, weights={**SCALE, 'bias': np.arange(4, dtype=np.int32)})
    assert found == ['DequantizeLinear my_DequantizeLinear: int32; quantise to int8, no biases']


def test_a_pooling_gives_no_indices():
    outputs = ['y', ('i', TensorProto.INT64)]
    pooling = node('MaxPool', 'x', 'y i', kernel_shape=[2, 2])
    (fault,) = faults(pooling, outputs=outputs)
    assert fault.startswith('MaxPool my_MaxPool: indices')
    assert faults(node('MaxPool', 'x', 'y', kernel_shape=[2, 2])) == []

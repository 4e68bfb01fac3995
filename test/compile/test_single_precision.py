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
from onnx import helper, numpy_helper, TensorProto
import pytest
from seg_ros.compile.import_onnx import network_from_model
from tiny_networks import model_of, run_model


def test_doubles_are_computed_in_32_bits_in_branches_too():
    node, double = helper.make_node, TensorProto.DOUBLE
    halved = helper.make_graph(
        [node('Mul', ['wide', 'half'], ['product'])], 'halved', [],
        [helper.make_tensor_value_info('product', double, None)],
        [numpy_helper.from_array(np.array(0.5), 'half')],
    )
    same = helper.make_graph(
        [node('Identity', ['wide'], ['copy'])], 'same', [],
        [helper.make_tensor_value_info('copy', double, None)],
    )
    model = model_of(
        [
            node('Cast', ['x'], ['wide'], to=double),
            node('ReduceMax', ['x'], ['most'], keepdims=0),
            node('Greater', ['most', 'limit'], ['is_high']),
            node('If', ['is_high'], ['chosen'], then_branch=halved, else_branch=same),
            node('Constant', [], ['third'], value=numpy_helper.from_array(np.array(1 / 3))),
            node('Add', ['chosen', 'third'], ['y']),
        ],
        [('x', 1, [1, 3, 6, 8])], [('y', double)], {'limit': np.float32(0.5)},
    )
    network = network_from_model(model)
    (output,) = network.outputs
    assert output.dtype == np.float32
    image = np.random.default_rng(0).random((1, 3, 6, 8), np.float32)
    expected = run_model(model, {'x': image})['y']
    assert expected.dtype == np.float64
    found = run_model(network.part(network.outputs, 1), {'x': image})['y']
    np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.parametrize('inside', [False, True])
def test_a_network_in_bfloat16_is_computed_in_32_bits(inside):
    narrow = TensorProto.BFLOAT16
    kernel = np.array([[0.5, -0.25, 3], [1, 2, -1.5]], np.float32)     # exact in 16 bits
    nodes = [helper.make_node('Conv', ['x', 'kernel'], ['y'])]
    if inside:
        nodes = [
            helper.make_node('Cast', ['x'], ['few'], to=narrow),
            helper.make_node('Conv', ['few', 'kernel'], ['many']),
            helper.make_node('Cast', ['many'], ['y'], to=TensorProto.FLOAT),
        ]
    kind = TensorProto.FLOAT if inside else narrow
    model = model_of(nodes, [('x', kind, [1, 3, 6, 8])], [('y', kind)])
    model.graph.initializer.append(
        helper.make_tensor('kernel', narrow, [2, 3, 1, 1], kernel.ravel())
    )
    image = np.random.default_rng(0).random((1, 3, 6, 8), np.float32)
    found = network_from_model(model).run(['y'], image)['y']
    np.testing.assert_allclose(found, np.einsum('oi,nihw->nohw', kernel, image), rtol=1e-5)

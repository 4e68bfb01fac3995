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

"""A file cut down to some of its outputs computes what onnx's own extraction computes."""

import numpy as np
import onnx
from onnx import helper, numpy_helper, TensorProto
import onnxruntime as ort
import pytest
from seg_ros.core.errors import ModelError
from seg_ros.core.onnx_subgraph import onnx_subgraph

FLOAT = TensorProto.FLOAT


def value(name, shape=(4,), kind=FLOAT):
    return helper.make_tensor_value_info(name, kind, shape)


def branch(name, operator, captured):
    return helper.make_graph(
        [helper.make_node(operator, [captured], [name])], name, [], [value(name)]
    )


@pytest.fixture
def model():
    """Write four outputs: a sum, one that captures it in a branch, a product and the input."""
    nodes = [
        helper.make_node('Add', ['x', 'w'], ['sum'], 'first'),
        helper.make_node('Mul', ['x', 'w'], ['product'], 'second'),
        helper.make_node('Neg', ['sum'], ['less'], 'third'),
        helper.make_node(
            'If', ['yes'], ['chosen'], 'fourth', then_branch=branch('then', 'Abs', 'less'),
            else_branch=branch('else', 'Relu', 'product'),
        ),
        helper.make_node('Identity', ['x'], ['same'], 'fifth'),
    ]
    graph = helper.make_graph(
        nodes, 'whole', [value('x')],
        [value(name) for name in ('sum', 'chosen', 'product', 'same')],
        [numpy_helper.from_array(np.arange(4, dtype=np.float32), 'w'),
         numpy_helper.from_array(np.array(True), 'yes')],
    )
    whole = helper.make_model(graph, opset_imports=[helper.make_opsetid('', 17)], ir_version=8)
    helper.set_model_props(whole, {'key': 'word'})
    return whole


def run(data, names):
    session = ort.InferenceSession(data, providers=['CPUExecutionProvider'])
    return session.run(names, {'x': np.array([1, -2, 3, -4], np.float32)})


@pytest.mark.parametrize(('outputs', 'nodes'), [
    (['sum'], ['first']), (['same'], ['fifth']), (['product', 'same'], ['second', 'fifth']),
    (['chosen'], ['first', 'second', 'third', 'fourth']),
    (['same', 'chosen', 'product', 'sum'], ['first', 'second', 'third', 'fourth', 'fifth']),
])
def test_only_the_nodes_that_the_outputs_need_are_left(model, outputs, nodes):
    data = onnx_subgraph(model.SerializeToString(), outputs, 'm')
    cut = onnx.load_from_string(data)
    onnx.checker.check_model(cut, full_check=True)
    assert [node.name for node in cut.graph.node] == nodes
    assert {item.name for item in cut.graph.output} == set(outputs)
    assert cut.metadata_props == model.metadata_props
    pairs = zip(run(data, outputs), run(model.SerializeToString(), outputs), strict=True)
    for one, other in pairs:
        np.testing.assert_array_equal(one, other)


def test_an_output_that_is_not_there_is_refused_by_its_name(model):
    with pytest.raises(ModelError, match='depth'):
        onnx_subgraph(model.SerializeToString(), ['sum', 'depth'], 'm')


def test_graphs_nested_deeper_than_python_recurses_are_followed(model):
    inner = branch('deepest', 'Abs', 'less')
    data = inner.SerializeToString()
    for _ in range(2000):   # written by hand: onnx itself gives up at 100
        attribute = helper.make_attribute('then_branch', 0)
        attribute.type = onnx.AttributeProto.GRAPH
        attribute.ClearField('i')
        data = wrapped(1, wrapped(5, attribute.SerializeToString() + wrapped(6, data)))
    inside = wrapped(5, attribute.SerializeToString() + wrapped(6, data))
    node = helper.make_node('If', ['yes'], ['deep']).SerializeToString() + inside
    graph = model.graph.SerializeToString() + wrapped(1, node) + wrapped(12, b'\x0a\x04deep')
    cut = onnx_subgraph(wrapped(7, graph), ['deep'], 'm')
    assert b'third' in cut
    assert b'second' not in cut


def wrapped(number, content):
    from seg_ros.core.wire import varint_bytes

    return bytes([number << 3 | 2]) + varint_bytes(len(content)) + content


@pytest.mark.parametrize('end', range(0, 400, 23))
def test_half_a_file_is_refused(model, end):
    with pytest.raises(ModelError, match='not a complete ONNX file'):
        onnx_subgraph(model.SerializeToString()[:end], ['sum'], 'm')

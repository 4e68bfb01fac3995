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

"""Nodes that decide before the last weights are found, and stay in 32 bits."""

import numpy as np
from onnx import helper, TensorProto
import pytest
from seg_ros.compile.compile_model import compile_model
from seg_ros.compile.compiled import compiled_from_model
from seg_ros.compile.operators import element_types
from seg_ros.compile.precision import convert_precision
from tiny_networks import make_card, model_of, saved

SIZE_HW, CLASSES = (32, 48), 3


def network(gate, last='Conv'):
    """
    Write two convolutions; between them a gate that compares or makes an index, or none.

    :param last: operator of the second: Conv, or Einsum as a convolution of 1 x 1.
    """
    random = np.random.default_rng(0)
    weights = {
        'first': random.normal(0, 0.2, (4, 3, 3, 3)).astype('f'),
        'last': random.normal(0, 0.2, (CLASSES, 4, 3, 3)).astype('f'),
        'half': np.array(0.5, 'f'),
    }
    node = helper.make_node
    nodes = [node('Conv', ['images', 'first'], ['a'], pads=[1] * 4, name='first_conv')]
    if gate:
        nodes += [
            node('Abs', ['a'], ['size'], name='size'),
            node('Greater', ['size', 'a'], ['decided'], name='decides') if gate == 'compares' else
            node('Cast', ['size'], ['decided'], to=TensorProto.INT64, name='decides'),
            node('Cast', ['decided'], ['gate'], to=TensorProto.FLOAT, name='gate'),
            node('Mul', ['a', 'gate'], ['b'], name='gated'),
        ]
    facts = {'pads': [1] * 4}
    if last == 'Einsum':
        weights['last'] = weights['last'][..., 1, 1]
        facts = {'equation': 'nihw,oi->nohw'}
    nodes += [
        node(last, ['b' if gate else 'a', 'last'], ['c'], name='last_conv', **facts),
        node('Greater', ['c', 'half'], ['after'], name='after'),
        node('Cast', ['after'], ['scores'], to=TensorProto.FLOAT, name='scores'),
    ]
    return model_of(nodes, [('images', TensorProto.FLOAT, [1, 3, *SIZE_HW])], ['scores'], weights)


def compiled_network(folder, gate, last='Conv'):
    path = saved(network(gate, last), folder)
    return compiled_from_model(compile_model(path, make_card(CLASSES)), path.name)


@pytest.mark.parametrize('last', ['Conv', 'Einsum'])
@pytest.mark.parametrize(('gate', 'arithmetic'), [
    ('compares', 'f32'), ('indexes', 'f32'), ('', 'any'),
])
def test_a_decision_counts_before_the_last_weights_alone(gate, arithmetic, last, tmp_path):
    assert compiled_network(tmp_path, gate, last).signature.arithmetic == arithmetic


@pytest.mark.parametrize('last', ['Conv', 'Einsum'])
@pytest.mark.parametrize('gate', ['compares', 'indexes'])
def test_what_decides_stays_wide_in_half_precision(gate, last, tmp_path):
    model = convert_precision(compiled_network(tmp_path, gate, last), 'fp16').model
    types = element_types(model)
    by_name = {node.name.removeprefix('network/'): node for node in model.graph.node}
    assert types[by_name['decides'].input[0]] == TensorProto.FLOAT
    assert types[by_name['size'].output[0]] == TensorProto.FLOAT
    for name in ('first_conv', 'last_conv'):
        assert types[by_name[name].input[1]] == TensorProto.FLOAT16


def test_openvino_computes_such_a_file_in_32_bits(tmp_path):
    pytest.importorskip('openvino', reason='openvino is not installed')
    from seg_ros.core.settings import Settings
    from seg_ros.engines import open_engine

    path = saved(compiled_network(tmp_path, 'compares').model, tmp_path, 'model.onnx')
    engine = open_engine(Settings(model=str(path), engine='openvino'))
    try:
        assert engine.facts.precision == 'f32'
    finally:
        engine.close()

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

"""A reduced model answers as fp32 does, as nearly as its bits allow, and TensorRT can read it."""

from collections import Counter

from conv_networks import blotches, conv_compiled
import numpy as np
import onnx
from onnx import numpy_helper, TensorProto
import pytest
from seg_ros.compile.compiled import compiled_from_model
from seg_ros.compile.operators import check_operators, element_types
from seg_ros.compile.precision import convert_precision, PRECISIONS, with_parity
from seg_ros.core.errors import ImageError, ModelError, SettingError
from tiny_networks import run_model

REDUCED = PRECISIONS[1:]
IMAGES = blotches(8)


@pytest.fixture(scope='module')
def compiled(tmp_path_factory):
    return conv_compiled(tmp_path_factory.mktemp('compiled'))


@pytest.fixture(scope='module')
def models(compiled):
    batches = [IMAGES[index:index + 1] for index in range(4)]
    return {precision: convert_precision(compiled, precision, batches) for precision in PRECISIONS}


def scores(compiled, batch):
    return run_model(compiled.model, {'image': batch})['logits']


@pytest.mark.parametrize(('precision', 'bits'), [('fp16', 10), ('int8', 5)])
def test_scores_differ_from_fp32_by_the_bits_that_are_missing(models, precision, bits):
    exact = scores(models['fp32'], IMAGES)
    tried = scores(models[precision], IMAGES)
    error = np.abs(tried - exact).max() / np.abs(exact).max()
    assert 0 < error < 2.0 ** (1 - bits)


@pytest.mark.parametrize('precision', REDUCED)
def test_inputs_and_outputs_keep_their_names_and_types(models, precision):
    for part in ('input', 'output'):
        first, second = (
            [
                (item.name, item.type.tensor_type.elem_type)
                for item in getattr(models[name].model.graph, part)
            ]
            for name in ('fp32', precision)
        )
        assert first == second


@pytest.mark.parametrize('precision', REDUCED)
def test_the_file_says_what_it_computes_in_and_keeps_the_rest(models, precision):
    again = compiled_from_model(
        onnx.ModelProto.FromString(models[precision].model.SerializeToString()), 'again'
    )
    assert again.precision == precision
    assert again.card == models['fp32'].card
    assert again.notes == models['fp32'].notes


@pytest.mark.parametrize('precision', REDUCED)
def test_tensorrt_would_take_every_operator(models, precision):
    assert check_operators(models[precision].model) == []


def test_sixteen_bits_halve_the_weights_and_end_with_the_last_of_them(models):
    model = models['fp16'].model
    weights = {item.name: item for item in model.graph.initializer}
    halved = {name for name, item in weights.items() if item.data_type == TensorProto.FLOAT16}
    assert {name.partition('/fp16')[0] for name in halved} == {
        f'network/{name}' for name in ('w1', 'b1', 'w2', 'w3', 'b3')
    }
    types = element_types(onnx.shape_inference.infer_shapes(model))
    for node in model.graph.node:
        kind = types[node.output[0]]
        if node.name.startswith('preprocess/') or node.name == 'network/decoded':
            assert kind != TensorProto.FLOAT16
    casts = [node for node in model.graph.node if node.name.startswith('precision/')]
    assert len(casts) == 2


def test_weights_beyond_sixteen_bits_are_clipped_to_the_largest(compiled):
    model = onnx.ModelProto()
    model.CopyFrom(compiled.model)
    for item in model.graph.initializer:
        if item.name == 'network/b1':
            item.CopyFrom(numpy_helper.from_array(np.full(8, 1e6, np.float32), item.name))
    tried = convert_precision(compiled_from_model(model, 'large'), 'fp16')
    (bias,) = (item for item in tried.model.graph.initializer if 'b1' in item.name)
    np.testing.assert_array_equal(numpy_helper.to_array(bias), np.full(8, 65504, np.float16))


def test_eight_bits_are_symmetric_per_channel_and_leave_biases_and_the_last_layer(models):
    model = models['int8'].model
    weights = {item.name: numpy_helper.to_array(item) for item in model.graph.initializer}
    kinds = Counter(node.op_type for node in model.graph.node)
    assert kinds['QuantizeLinear'] == 2
    assert kinds['DequantizeLinear'] == 4
    for node in model.graph.node:
        if node.op_type in ('QuantizeLinear', 'DequantizeLinear'):
            assert not weights[node.input[2]].any()
            assert weights[node.input[2]].dtype == np.int8
    few = {name: values for name, values in weights.items() if values.dtype == np.int8
           and values.ndim == 4}
    assert sorted(values.shape for values in few.values()) == [(8, 3, 3, 3), (8, 8, 3, 3)]
    assert max(abs(values.astype(int)).max() for values in few.values()) <= 64
    for name in ('network/b1', 'network/w3', 'network/b3'):
        assert weights[name].dtype == np.float32


@pytest.mark.parametrize('precision', REDUCED)
def test_layers_that_are_kept_stay_in_fp32(compiled, precision):
    model = convert_precision(compiled, precision, [IMAGES[:1]], keep=['deep']).model
    weights = {item.name: item.data_type for item in model.graph.initializer}
    assert weights['network/w2'] == TensorProto.FLOAT
    assert weights.get('network/w1') != TensorProto.FLOAT


def test_the_latest_parity_is_kept_in_the_file_and_not_in_the_model_it_is_of(models):
    earlier = with_parity(models['fp16'], {'pixels': 0.4, 'images': 1})
    noted = with_parity(earlier, {'pixels': 0.5, 'images': 3})
    assert earlier.parity['images'] == 1
    for model in (models['fp16'], earlier):
        assert compiled_from_model(model.model, 'it').parity == model.parity
    keys = [item.key for item in noted.model.metadata_props]
    assert len(keys) == len({*keys})
    again = compiled_from_model(
        onnx.ModelProto.FromString(noted.model.SerializeToString()), 'again'
    )
    assert again.parity == noted.parity == {'pixels': 0.5, 'images': 3}


def test_what_cannot_be_reduced_is_refused(compiled, models):
    with pytest.raises(SettingError, match=r"'fp8'.*fp32, fp16, int8"):
        convert_precision(compiled, 'fp8')
    with pytest.raises(ModelError, match='a model in fp16; expected one in fp32'):
        convert_precision(models['fp16'], 'int8')
    assert convert_precision(compiled, 'fp32') is compiled


def test_int8_without_images_is_refused(compiled):
    with pytest.raises(ImageError, match='no image to calibrate'):
        convert_precision(compiled, 'int8', iter(()))


def test_int8_that_keeps_every_convolution_in_fp32_is_refused(compiled):
    with pytest.raises(SettingError, match='without any convolution'):
        convert_precision(compiled, 'int8', [IMAGES[:1]], keep=['*'])

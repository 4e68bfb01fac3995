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
from onnx import helper
import pytest
from seg_ros.compile.import_onnx import network_from_model
from seg_ros.compile.preprocessing import make_preprocessing
from seg_ros.core.card import InputSpec
from tiny_networks import colorful_images, model_of, run_model

SIZE_HW = (6, 8)
IMAGENET = {'mean': (0.485, 0.456, 0.406), 'std': (0.229, 0.224, 0.225)}
SPECS = {
    'from 0 to 1': InputSpec(),
    'bytes': InputSpec(scale=1.0),
    'from -1 to 1': InputSpec(scale=1 / 127.5, mean=(1.0,)),
    'by channel': InputSpec(**IMAGENET),
    'by channel, in bytes': InputSpec(scale=1.0, mean=(123.7, 116.3, 103.5), std=(58.4, 57, 57.4)),
    'grey': InputSpec(color='gray', mean=(0.4,), std=(0.2,)),
}


def network_for(spec, layout, kind):
    shape = [1, spec.channels, *SIZE_HW] if layout == 'nchw' else [1, *SIZE_HW, spec.channels]
    code = helper.np_dtype_to_tensor_dtype(np.dtype(kind))
    node = helper.make_node('Neg', ['x'], ['y'])
    return network_from_model(model_of([node], [('x', code, shape)], [('y', code)]), spec)


@pytest.mark.parametrize('name', SPECS)
@pytest.mark.parametrize('layout', ['nchw', 'nhwc'])
@pytest.mark.parametrize('kind', [np.float32, np.float16])
def test_the_head_normalises_as_the_card_says(name, layout, kind):
    spec = SPECS[name]
    network = network_for(spec, layout, kind)
    images = colorful_images(2, SIZE_HW, spec.channels)
    (seen,) = run_model(make_preprocessing(network, spec, 'N'), {'image': images}).values()
    expected = (images.astype(np.float64) * spec.scale - spec.mean) / spec.std
    expected = expected if layout == 'nhwc' else expected.transpose(0, 3, 1, 2)
    assert seen.dtype == kind
    tolerance = {np.float32: 1e-5, np.float16: 2e-3}[kind]
    np.testing.assert_allclose(seen, expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize(
    ('name', 'operators'),
    [
        ('bytes', ['Cast', 'Transpose']),
        ('from 0 to 1', ['Cast', 'Mul', 'Transpose']),
        ('by channel', ['Cast', 'Transpose', 'Mul', 'Add']),
    ],
)
def test_the_head_computes_no_more_than_it_must(name, operators):
    head = make_preprocessing(network_for(SPECS[name], 'nchw', np.float32), SPECS[name], 1)
    assert [node.op_type for node in head.graph.node if node.op_type != 'Constant'] == operators

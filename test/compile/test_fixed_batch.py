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
from seg_ros.core.errors import ModelError
from tiny_networks import make_card, model_of, saved

SIZE_HW, BATCH = (32, 48), 2


def network_of(ending, channels=4, outputs=('other', 'fixed')):
    """Write two heads for a batch of two images, of which `ending` makes the second."""
    random = np.random.default_rng(0)
    return model_of(
        [
            helper.make_node('Conv', ['images', 'first'], ['other'], strides=[4, 4]),
            helper.make_node('Conv', ['images', 'second'], ['scores'], strides=[4, 4]),
            ending,
        ],
        [('images', TensorProto.FLOAT, [BATCH, 3, *SIZE_HW])], outputs,
        {
            'first': random.normal(0, 1, (5, 3, 4, 4)).astype(np.float32),
            'second': random.normal(0, 1, (channels, 3, 4, 4)).astype(np.float32),
            'shape': np.array([BATCH, channels, 8, 12]), 'loose': np.array([BATCH, -1, 8, 12]),
            'zero': np.array([[0.0]], np.float32), 'index': np.array(0), 'last': np.array(1),
            'queries': random.normal(0, 1, (BATCH, 1, 8, 12)).astype(np.float32),
        },
    )


FIXED = {
    'a shape': helper.make_node('Reshape', ['scores', 'shape'], ['fixed']),
    'a shape that one image fits with fewer channels': helper.make_node(
        'Reshape', ['scores', 'loose'], ['fixed']
    ),
    'weights for each image': helper.make_node('Add', ['scores', 'queries'], ['fixed']),
    'an image by its number': helper.make_node('Gather', ['scores', 'last'], ['fixed'], axis=0),
}


@pytest.mark.parametrize('count', [2, 4, 5])
@pytest.mark.parametrize('ending', FIXED)
def test_any_output_that_its_exporter_fixed_to_a_batch_is_accused(ending, count, tmp_path):
    message = r'fixed batch: images float \[2, 3, 32, 48\], required by fixed.*batch of 1, or with'
    with pytest.raises(ModelError, match=message):
        compile_model(saved(network_of(FIXED[ending]), tmp_path), make_card(count))


def test_the_card_may_choose_an_output_that_takes_one_image(tmp_path):
    path = saved(network_of(FIXED['a shape']), tmp_path)
    assert compile_model(path, make_card(5, outputs=['other'])).graph.node


def test_a_map_whose_channels_are_as_many_as_the_images_is_not_accused(tmp_path):
    first = helper.make_node('Gather', ['scores', 'index'], ['fixed'], axis=0)
    path = saved(network_of(first, channels=BATCH), tmp_path)
    assert compile_model(path, make_card(5)).graph.node

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

"""Every engine takes prompts with the image, and returns the same as ONNX Runtime."""

from contextlib import closing
from importlib import import_module

from fakes.promptable_network import bright_near, image_of, saved_promptable
import numpy as np
import onnxruntime as ort
import pytest
from seg_ros.core.errors import ContractError
from seg_ros.core.settings import Settings

BOX = (9, 9, 19, 19)
IMAGES = [image_of((10, 10, 20, 20)), image_of((12, 14, 22, 26), (40, 30, 50, 40))]


@pytest.fixture(scope='module')
def model(tmp_path_factory):
    return saved_promptable(tmp_path_factory.mktemp('promptable'), 'points')


@pytest.fixture(params=['onnxruntime', 'openvino', 'tensorrt'])
def engine(request, model, tmp_path):
    if request.param == 'tensorrt':
        request.getfixturevalue('fake_gpu')
        module = 'tensorrt.engine'
    else:
        pytest.importorskip(request.param, reason=f'{request.param} is not installed')
        module = request.param
    opener = getattr(import_module(f'seg_ros.engines.{module}'), f'open_{request.param}')
    settings = Settings(inference_precision='f32', threads=1, cache_dir=str(tmp_path), max_batch=3)
    with closing(opener(model, settings)) as opened:
        yield opened


def asked(*places):
    prompts = np.zeros((1, 4, 4), np.float32)
    for slot, place in enumerate(places):
        prompts[0, slot] = place
    return prompts


def test_answers_follow_the_prompts_of_each_call(engine, model):
    session = ort.InferenceSession(model, providers=['CPUExecutionProvider'])
    names = [item.name for item in session.get_outputs()]
    feeds = [
        {'image': image[None], 'prompts': asked(*places)}
        for image in IMAGES for places in ([BOX], [(45, 35, 45, 35), BOX])
    ]
    futures = [engine.submit(feed['image'], feed['prompts']) for feed in feeds]
    for feed, future in zip(feeds, futures, strict=True):
        expected = dict(zip(names, session.run(names, feed), strict=True))
        found = future.result().present()
        assert found.keys() == expected.keys()
        for name, array in expected.items():
            np.testing.assert_allclose(found[name], array, atol=1 if name == 'masks' else 1e-4)
        near = bright_near(feed['image'][0], feed['prompts'][0, 0])
        if near.any():
            np.testing.assert_array_equal(found['masks'][0, 0] > 128, near)
        else:
            assert found['scores'][0, 0] == 0


def test_a_call_without_prompts_asks_for_nothing(engine):
    found = [
        engine.submit(IMAGES[0][None], prompts).result()
        for prompts in (asked(BOX), None, asked(), asked(BOX))
    ]
    box, without, zeros, again = (outputs.masks for outputs in found)
    np.testing.assert_array_equal(without, zeros)
    np.testing.assert_array_equal(box, again)
    assert (without != box).any()


@pytest.mark.parametrize('prompts', [
    np.zeros((1, 3, 4), np.float32), np.zeros((2, 4, 4), np.float32), np.zeros((1, 4, 4)),
])
def test_prompts_of_another_shape_or_type_are_refused(engine, prompts):
    with pytest.raises(ContractError, match=r'prompts of type .* expected float32 \(1, 4, 4\)'):
        engine.submit(IMAGES[0][None], prompts)

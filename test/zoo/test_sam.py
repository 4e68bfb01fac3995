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

"""SAM for boxes and points in one graph, against transformers' own forward for either."""

from dataclasses import replace

import numpy as np
import onnx
import pytest

torch = pytest.importorskip('torch', reason='torch is not installed')
pytest.importorskip('transformers', reason='transformers is not installed')
from seg_ros.compile.compile_model import compile_model  # noqa: E402
from seg_ros.compile.compiled import compiled_from_model  # noqa: E402
from seg_ros.compile.prompt_inputs import trial_boxes  # noqa: E402
from seg_ros.compile.run_onnx import run_onnx  # noqa: E402
from seg_ros.core.errors import SettingError  # noqa: E402
from seg_ros.zoo.export import build_network, export_network, make_card  # noqa: E402
from seg_ros.zoo.networks.sam import prompts_from_boxes  # noqa: E402
from seg_ros.zoo.random_weights import scale_random_weights  # noqa: E402
from seg_ros.zoo.small import small_request  # noqa: E402

REQUEST = small_request('sam')
SIDE = REQUEST.size_hw[0]
BOXES = torch.tensor([[10., 20, 60, 80], [100, 100, 200, 220], [5, 5, 50, 50], [30, 60, 240, 200]])


@pytest.fixture(name='network')
def seeded_network():
    torch.manual_seed(1)
    return build_network(REQUEST)


@pytest.fixture
def images():
    return torch.randn(1, 3, SIDE, SIDE)


def test_boxes_are_embedded_as_the_library_does(network, images):
    with torch.no_grad():
        masks, scores = network(images, *prompts_from_boxes(BOXES))
        expected = network.network(
            pixel_values=images, input_boxes=BOXES[None], multimask_output=True
        )
    torch.testing.assert_close(masks, expected.pred_masks)
    torch.testing.assert_close(scores, expected.iou_scores)


def test_points_are_embedded_as_the_library_does(network, images):
    points = BOXES[:, :2].reshape(1, 4, 1, 2)
    with torch.no_grad():
        masks, scores = network(
            images, points.repeat(1, 1, 2, 1), torch.tensor([1.0, -1]).expand(1, 4, 2)
        )
        expected = network.network(
            pixel_values=images, input_points=points, input_labels=torch.ones(1, 4, 1),
            multimask_output=True,
        )
    torch.testing.assert_close(masks, expected.pred_masks)
    torch.testing.assert_close(scores, expected.iou_scores)


@pytest.mark.parametrize('prompts', [0, -1, 257])
def test_a_number_of_prompts_that_cannot_be_is_refused(prompts):
    options = {**REQUEST.options, 'prompts': prompts}
    with pytest.raises(SettingError, match=f'prompts={prompts}; expected 1 to 256'):
        build_network(replace(REQUEST, options=options))


def test_a_checkpoint_of_the_library_loads(network, tmp_path):
    path = tmp_path / 'sam.pt'
    torch.save(network.network.state_dict(), path)
    loaded = build_network(replace(REQUEST, weights=path))
    for name, weight in network.state_dict().items():
        torch.testing.assert_close(loaded.state_dict()[name], weight)


@pytest.mark.slow
def test_the_compiled_network_answers_boxes_as_the_library_does(network, images, tmp_path):
    scaled = scale_random_weights(network, REQUEST, images)
    raw = tmp_path / 'raw.onnx'
    onnx.save(export_network(scaled, REQUEST).model, raw)
    card = make_card(REQUEST, [{'id': 1, 'name': 'object'}])
    compiled = compiled_from_model(compile_model(raw, card), 'sam')
    assert (compiled.signature.max_prompts, compiled.signature.arithmetic) == (4, 'f32')
    pixels = np.random.default_rng(2).integers(0, 256, (1, SIDE, SIDE, 3), np.uint8)
    prompts = trial_boxes(4, REQUEST.size_hw)
    found = run_onnx(compiled.model)({'image': pixels, 'prompts': prompts})
    spec = card.input
    inputs = (pixels * spec.scale - np.array(spec.mean)) / np.array(spec.std)
    with torch.no_grad():
        masks, scores = scaled(
            torch.from_numpy(inputs.astype(np.float32).transpose(0, 3, 1, 2).copy()),
            *prompts_from_boxes(torch.from_numpy(prompts[0])),
        )
    best = scores[0].argmax(1)
    chosen = masks[0][range(4), best].numpy()
    assert 0.01 < (chosen > 0).mean() < 0.99
    levels = np.clip(np.rint(128 + 4 * chosen), 0, 255)
    assert (abs(found['masks'][0] - levels) <= 1).mean() > 0.995
    np.testing.assert_allclose(found['scores'][0], scores[0].max(1).values, atol=1e-3)

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
from onnx import helper, numpy_helper
import pytest
from seg_ros.compile.compile_model import compile_model
from seg_ros.compile.compiled import compiled_from_model
from seg_ros.core.errors import SettingError
from tiny_networks import images_of, make_card, network_of_answers, run_chosen, saved

SIZE_HW, MAP_HW = (32, 48), (8, 12)


@pytest.fixture(scope='module', params=[5, 300])
def scored(request, tmp_path_factory):
    answers = np.random.default_rng(0).normal(0, 3, (3, request.param, *MAP_HW))
    model = network_of_answers({'out': answers.astype(np.float32)}, SIZE_HW)
    path = saved(model, tmp_path_factory.mktemp('scored'))
    compiled = compiled_from_model(compile_model(path, make_card(request.param)), path.name)
    return answers.astype(np.float32), compiled


def probabilities(logits):
    exponents = np.exp(logits.astype(np.float64))
    return exponents / exponents.sum(1, keepdims=True)


def assert_labels(outputs, logits):
    kind = np.uint8 if logits.shape[1] <= 254 else np.int32
    assert outputs['labels'].dtype == kind
    np.testing.assert_array_equal(outputs['labels'], logits.argmax(1))
    assert outputs['confidence'].dtype == np.uint8
    np.testing.assert_allclose(
        outputs['confidence'], 255 * probabilities(logits).max(1), atol=0.51
    )


@pytest.mark.parametrize('upsample', ['edges', 'nearest'])
def test_labels_and_confidence_are_argmax_and_softmax_of_the_scores(scored, upsample):
    answers, compiled = scored
    outputs = run_chosen(compiled, images_of([2, 0], SIZE_HW), upsample)
    assert_labels(outputs, answers[[2, 0]])
    assert ('logits' in outputs) == (upsample == 'edges')
    if upsample == 'edges':
        np.testing.assert_array_equal(outputs['logits'], answers[[2, 0]])


def bilinear(plane, size_hw):
    """Enlarge (…, h, w) with half-pixel centres and repeated borders, axis by axis."""
    for axis, side in ((-2, size_hw[0]), (-1, size_hw[1])):
        small = plane.shape[axis]
        at = np.clip((np.arange(side) + 0.5) * small / side - 0.5, 0, small - 1)
        low = np.minimum(at.astype(int), small - 2)
        weight = (at - low).reshape((-1, 1) if axis == -2 else (-1,))
        plane = plane.take(low, axis) * (1 - weight) + plane.take(low + 1, axis) * weight
    return plane


def test_the_graph_enlarges_scores_to_the_network_size(scored):
    answers, compiled = scored
    outputs = run_chosen(compiled, images_of([2, 0], SIZE_HW), 'graph')
    large = bilinear(answers[[2, 0]].astype(np.float64), SIZE_HW)
    assert sorted(outputs) == ['confidence', 'labels']
    assert outputs['labels'].shape == (2, *SIZE_HW)
    assert np.mean(outputs['labels'] == large.argmax(1)) > 0.999
    np.testing.assert_allclose(outputs['confidence'], 255 * probabilities(large).max(1), atol=1)


def sampled(plane, size_hw, at_yx):
    """Interpolate (…, h, w) at network positions, 0 being the first network pixel's centre."""
    for axis, (side, at) in enumerate(zip(size_hw, at_yx, strict=True), start=-2):
        small = plane.shape[axis]
        at = np.clip((at + 0.5) * small / side - 0.5, 0, small - 1)
        low = np.minimum(at.astype(int), small - 2)
        weight = (at - low).reshape((-1, 1) if axis == -2 else (-1,))
        plane = plane.take(low, axis) * (1 - weight) + plane.take(low + 1, axis) * weight
    return plane


# Where an image's pixel centres lie in a network of 32x48: its size, scale and offset.
IMAGES = {
    'stretch': ((50, 60), (32 / 50, 48 / 60), (0, 0)),
    'letterbox': ((64, 64), (0.5, 0.5), (0, 8)),
    'shortest_side': ((64, 64), (0.75, 0.75), (-8, 0)),
}


@pytest.mark.parametrize('fit', IMAGES)
@pytest.mark.parametrize('enlarged', [False, True])
def test_an_image_size_that_was_asked_for_gets_its_own_labels(fit, enlarged, tmp_path):
    answers = np.random.default_rng(0).normal(0, 3, (3, 5, *MAP_HW)).astype(np.float32)
    source_hw, scale, offset = IMAGES[fit]
    model = network_of_answers({'out': answers}, SIZE_HW)
    if enlarged:
        model = with_enlargement(model, SIZE_HW)
    path = saved(model, tmp_path)
    card = make_card(5, input={'fit': fit})
    compiled = compiled_from_model(
        compile_model(path, card, source_sizes=((70, 90), source_hw)), path.name
    )
    assert compiled.signature.enlarged == enlarged
    size = f'{source_hw[1]}x{source_hw[0]}'
    outputs = run_chosen(compiled, images_of([1], SIZE_HW), 'graph', source_size=size)
    at_yx = [
        (np.arange(side) + 0.5) * ratio + start - 0.5
        for side, ratio, start in zip(source_hw, scale, offset, strict=True)
    ]
    scores = answers[[1]].astype(np.float64)
    if enlarged:
        scores = bilinear(scores, SIZE_HW)
    scores = sampled(scores, SIZE_HW, at_yx)
    assert sorted(outputs) == ['confidence', 'labels']
    assert outputs['labels'].shape == (1, *source_hw)
    assert np.mean(outputs['labels'] == scores.argmax(1)) > 0.999
    np.testing.assert_allclose(outputs['confidence'], 255 * probabilities(scores).max(1), atol=1)


def with_enlargement(model, size_hw):
    """Let a network resize its own scores."""
    graph = model.graph
    for node in graph.node:
        node.output[:] = ['small' if name == 'out' else name for name in node.output]
    scales = np.array([1, 1, *(side / small for side, small in zip(size_hw, MAP_HW, strict=True))])
    graph.initializer.append(numpy_helper.from_array(scales.astype(np.float32), 'scales'))
    graph.node.append(helper.make_node('Resize', ['small', '', 'scales'], ['out'], mode='linear'))
    return model


def test_scores_of_the_networks_size_have_their_labels_once(tmp_path):
    answers = np.random.default_rng(0).normal(0, 3, (2, 5, *SIZE_HW)).astype(np.float32)
    path = saved(network_of_answers({'out': answers}, SIZE_HW), tmp_path)
    compiled = compiled_from_model(compile_model(path, make_card(5)), path.name)
    assert compiled.signature.tensors == ('logits', 'labels', 'confidence')
    outputs = run_chosen(compiled, images_of([1], SIZE_HW), 'graph')
    np.testing.assert_array_equal(outputs['labels'], answers[[1]].argmax(1))


def test_an_image_size_for_labels_without_scores_is_refused(tmp_path):
    labels = np.arange(2 * MAP_HW[0] * MAP_HW[1]).reshape(2, *MAP_HW) % 5
    path = saved(network_of_answers({'out': labels}, SIZE_HW), tmp_path)
    with pytest.raises(SettingError, match='--source-size'):
        compile_model(path, make_card(5), source_sizes=((50, 60),))

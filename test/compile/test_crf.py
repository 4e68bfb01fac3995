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

"""The dense field in the graph, against sums over all pairs of pixels."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from seg_ros.compile.crf import affordable_cell, CrfParameters, refined_logits
from seg_ros.compile.operators import check_operators
from seg_ros.compile.subgraph import build_subgraph
from spox import argument, Tensor
from tiny_networks import run_model

CHANNELS, MAP_HW = 4, (22, 30)
STRONG = CrfParameters(place=0.12, color=10, appearance=4, cell=4)


def scene(seed, map_hw=MAP_HW):
    """Return noisy scores of coloured discs, float32 (C, h, w), and the image, (3, h, w)."""
    random = np.random.default_rng(seed)
    labels = np.zeros(map_hw, np.uint8)
    for channel in range(1, CHANNELS):
        center = [int(random.uniform(0, side)) for side in map_hw[::-1]]
        cv2.circle(labels, center, int(random.uniform(4, 9)), channel, -1)
    colors = random.uniform(30, 220, (CHANNELS, 3))
    image = colors[labels] + random.normal(0, 6, (*map_hw, 3))
    scores = 2 * (labels == np.arange(CHANNELS)[:, None, None])
    noise = random.normal(0, 1.5, (CHANNELS, map_hw[0] // 3 + 1, map_hw[1] // 3 + 1))
    scores = scores + noise.repeat(3, 1).repeat(3, 2)[:, :map_hw[0], :map_hw[1]]
    return scores.astype(np.float32), image.transpose(2, 0, 1).astype(np.float32)


def brute_force(scores, image, parameters):
    """Run mean field with every pair of pixels, as the paper's equation 4 has it, in float64."""
    channels, height, width = scores.shape
    places = np.indices((height, width)).reshape(2, -1).astype(np.float64)
    near = np.concatenate([
        places / (parameters.place * width), image.reshape(3, -1) / parameters.color
    ])

    squares = (near**2).sum(0)
    weights = np.exp(near.T @ near - squares[:, None] / 2 - squares / 2)
    root = 1 / np.sqrt(weights.sum(1))
    messages = parameters.appearance * weights * root[:, None] * root
    unary = scores.reshape(channels, -1).astype(np.float64)
    total = unary
    for _ in range(parameters.steps):
        odds = np.exp(total - total.max(0))
        total = unary + (odds / odds.sum(0)) @ messages
    return total.reshape(scores.shape)


def field_model(parameters, map_hw=MAP_HW):
    logits = argument(Tensor(np.float32, ('N', CHANNELS, *map_hw)))
    image = argument(Tensor(np.float32, ('N', 3, *map_hw)))
    refined = refined_logits(logits, image, map_hw, CHANNELS, parameters)
    inputs = {'logits': logits, 'image': image}
    return build_subgraph('field', inputs, {'refined': refined}, 17)


def test_with_cells_of_one_pixel_the_field_is_exact():
    parameters = replace(STRONG, cell=1)
    pairs = [scene(seed) for seed in range(2)]
    feeds = {
        'logits': np.stack([scores for scores, _ in pairs]),
        'image': np.stack([image for _, image in pairs]),
    }
    refined = run_model(field_model(parameters), feeds)['refined']
    for index, (scores, image) in enumerate(pairs):
        expected = brute_force(scores, image, parameters)
        np.testing.assert_allclose(refined[index], expected, atol=2e-3)
        assert (expected.argmax(0) != scores.argmax(0)).mean() > 0.05


def test_cells_of_four_pixels_give_nearly_the_same_labels():
    parameters, map_hw = STRONG, (61, 83)
    model = field_model(parameters, map_hw)
    assert check_operators(model) == []
    for seed in range(2):
        scores, image = scene(seed, map_hw)
        refined = run_model(model, {'logits': scores[None], 'image': image[None]})['refined'][0]
        expected = brute_force(scores, image, parameters).argmax(0)
        assert (refined.argmax(0) == expected).mean() > 0.96
        assert (scores.argmax(0) == expected).mean() < 0.93


def test_cells_are_as_small_as_the_field_can_afford():
    assert [affordable_cell(size_hw) for size_hw in ((40, 56), (72, 96), (120, 160))] == [1, 2, 4]


def test_pydensecrf_gives_nearly_the_same_labels():
    densecrf = pytest.importorskip('pydensecrf.densecrf', reason='pydensecrf is not installed')
    parameters, map_hw = replace(STRONG, cell=1), (48, 64)
    scores, image = scene(3, map_hw)
    refined = run_model(
        field_model(parameters, map_hw), {'logits': scores[None], 'image': image[None]}
    )['refined'][0]
    odds = np.exp(scores - scores.max(0))
    field = densecrf.DenseCRF2D(map_hw[1], map_hw[0], CHANNELS)
    field.setUnaryEnergy(-np.log(odds / odds.sum(0)).reshape(CHANNELS, -1).astype(np.float32))
    rgb = np.ascontiguousarray(np.rint(image.clip(0, 255)).transpose(1, 2, 0).astype(np.uint8))
    field.addPairwiseBilateral(
        sxy=parameters.place * map_hw[1], srgb=parameters.color, compat=parameters.appearance,
        rgbim=rgb,
    )
    theirs = np.argmax(field.inference(parameters.steps), 0).reshape(map_hw)
    assert (refined.argmax(0) == theirs).mean() > 0.97

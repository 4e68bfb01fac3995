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

"""The last convolutions of YOLO as outputs, as tools for neural processors want them."""

import numpy as np
import pytest
from seg_ros.core.errors import ModelError
from tiny_networks import images_of, run_model
from yolo_scenes import assert_same, compiled_scene, MASK_HW, plain_answer, raw_head, SIZE_HW


def rockchip(maps, protos):
    """Sides, probabilities, their sum and coefficients, stride by stride."""
    found = []
    for sides, scores, coefficients in maps.values():
        chances = 1 / (1 + np.exp(-scores))
        total = np.clip(chances.sum(1, keepdims=True), 0, 1)
        found += [sides, chances, total, coefficients]
    return [*found, protos]


def without_sums(maps, protos):
    found = rockchip(maps, protos)
    return [array for index, array in enumerate(found) if index % 4 != 2 or index == 12]


def d_robotics(maps, protos):
    """Coefficients of all strides, then sides, then scores before the sigmoid; channels last."""
    found = [level[part] for part in (2, 0, 1) for level in maps.values()]
    return [array.transpose(0, 2, 3, 1) for array in (*found, protos)]


def prototypes_first(maps, protos):
    return [protos, *(part for level in maps.values() for part in level)]


def sides_beside_scores(maps, protos):
    found = [
        part for sides, scores, coefficients in maps.values()
        for part in (np.concatenate([sides, scores], axis=1), coefficients)
    ]
    return [*found, protos]


def yolo26(maps, protos):
    """Scores, sides as four distances, and coefficients; channels last."""
    found = []
    for sides, scores, coefficients in maps.values():
        bins = np.exp(sides.reshape(len(sides), 4, 16, *sides.shape[2:]).astype(np.float64))
        shares = bins / bins.sum(2, keepdims=True)
        found += [scores, np.einsum('nsbhw,b->nshw', shares, np.arange(16)), coefficients]
    return [array.transpose(0, 2, 3, 1) for array in (*found, protos)]


LAYOUTS = [
    rockchip, without_sums, d_robotics, prototypes_first, sides_beside_scores, yolo26,
]


# As many classes as there are coefficients or channels of box distances, and other numbers.
@pytest.mark.parametrize('classes', [1, 4, 6, 64])
@pytest.mark.parametrize('layout', LAYOUTS)
def test_maps_give_what_plain_post_processing_gives(layout, classes, tmp_path):
    maps, protos = raw_head(classes)
    arrays = layout(maps, protos)
    answers = {f'output{index}': array.astype('f') for index, array in enumerate(arrays)}
    compiled = compiled_scene(tmp_path, answers, classes)
    assert (compiled.card.family, compiled.signature.max_batch) == ('yolo_seg', 0)
    outputs = run_model(compiled.model, {'image': images_of([2, 0], SIZE_HW)})
    for index, answer in enumerate([2, 0]):
        assert_same(outputs, index, plain_answer(maps, protos, answer))


def test_as_many_coefficients_as_sides_could_be_either_and_are_refused(tmp_path):
    maps, protos = raw_head(3, depth=64)
    arrays = prototypes_first(maps, protos)
    answers = {f'output{index}': array for index, array in enumerate(arrays)}
    with pytest.raises(ModelError, match=r'no outputs of box distances'):
        compiled_scene(tmp_path, answers, 3)


def test_an_objectness_that_scores_would_have_to_be_multiplied_by_is_refused(tmp_path):
    maps, protos = raw_head(4)
    arrays = rockchip(maps, protos)
    answers = {f'output{index}': array.astype('f') for index, array in enumerate(arrays)}
    answers['output2'] = np.random.default_rng(0).uniform(0, 1, arrays[2].shape).astype('f')
    with pytest.raises(ModelError, match=r'no outputs of box distances'):
        compiled_scene(tmp_path, answers, 4)


def test_maps_of_anchors_whose_sizes_the_file_lacks_are_refused_with_what_to_export(tmp_path):
    random = np.random.default_rng(0)
    answers = {'protos': random.normal(0, 1, (1, 6, *MASK_HW)).astype('f')}
    for stride in (8, 16, 32):
        shape = SIZE_HW[0] // stride, SIZE_HW[1] // stride
        answers[f'boxes{stride}'] = random.normal(0, 1, (1, 3 * (5 + 4), *shape)).astype('f')
        answers[f'masks{stride}'] = random.normal(0, 1, (1, 3 * 6, *shape)).astype('f')
    with pytest.raises(ModelError, match=r'YOLOv5 and v7 .* sizes of anchors: export the rows'):
        compiled_scene(tmp_path, answers, 4)

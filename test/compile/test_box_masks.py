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

"""Boxes with masks of their own, passed on as the network gives them."""

import numpy as np
import pytest
from seg_ros.compile.compile_model import compile_model
from seg_ros.compile.compiled import compiled_from_model
from seg_ros.compile.operators import check_operators
from tiny_networks import images_of, make_card, network_of_answers, run_model, saved

SIZE_HW, SLOTS, CELLS, CLASSES = (64, 96), 7, 28, 3


def answers(seed=0, column=False):
    random = np.random.default_rng(seed)
    corners = np.sort(random.uniform(0, 64, (2, SLOTS, 2, 2)), axis=2).reshape(2, SLOTS, 4)
    scores = random.uniform(0, 0.99, (2, SLOTS))
    found = {'boxes': corners, 'scores': scores} if not column else {
        'boxes': np.concatenate([corners, scores[:, :, None]], axis=2)
    }
    found['masks'] = random.uniform(0, 1, (2, SLOTS, CELLS, CELLS))
    labels = random.integers(0, CLASSES, (2, SLOTS))
    return {name: values.astype(np.float32) for name, values in found.items()} | {'labels': labels}


@pytest.mark.parametrize('column', [False, True])
@pytest.mark.parametrize('snap', ['none', 'whole_pixels'])
def test_slots_are_the_networks_own_best_first(column, snap, tmp_path):
    found = answers(1, column)
    path = saved(network_of_answers(found, SIZE_HW), tmp_path)
    card = make_card(CLASSES, 'instance', snap=snap)
    compiled = compiled_from_model(compile_model(path, card, score_floor=0.2), path.name)
    assert compiled.card.family == 'box_masks'
    assert (compiled.signature.mask_frame, compiled.signature.snap) == ('box', snap)
    assert check_operators(compiled.model) == []
    outputs = run_model(compiled.model, {'image': images_of([1], SIZE_HW)})
    boxes = found['boxes'][1]
    scores = boxes[:, 4] if column else found['scores'][1]
    order = [slot for slot in np.argsort(-scores) if scores[slot] >= 0.2]
    assert 2 <= len(order) == np.count_nonzero(outputs['scores'])
    for slot, source in enumerate(order):
        assert outputs['scores'][0, slot] == scores[source]
        assert outputs['classes'][0, slot] == found['labels'][1, source]
        np.testing.assert_array_equal(outputs['boxes'][0, slot], boxes[source, :4])
        np.testing.assert_array_equal(
            outputs['masks'][0, slot], np.rint(found['masks'][1, source] * np.float32(255))
        )

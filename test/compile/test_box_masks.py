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
from onnx import helper, TensorProto
import pytest
from seg_ros.compile.compile_model import compile_model
from seg_ros.compile.compiled import compiled_from_model
from seg_ros.compile.operators import check_operators
from seg_ros.core.errors import CardError
from tiny_networks import (
    images_of,
    make_card,
    model_of,
    network_of_answers,
    run_model,
    saved,
)

# On trial images the last answer is seen.
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


@pytest.mark.parametrize('column', [False, True])
def test_boxes_in_shares_of_the_image_become_pixels(column, tmp_path):
    found = answers(2, column)
    shares = {**found, 'boxes': found['boxes'].copy()}
    shares['boxes'][..., :4] /= np.float32([96, 64, 96, 64])
    path = saved(network_of_answers(shares, SIZE_HW), tmp_path)
    compiled = compile_model(path, make_card(CLASSES, 'instance'), score_floor=0.2)
    outputs = run_model(compiled, {'image': images_of([0], SIZE_HW)})
    boxes = found['boxes'][0]
    order = np.argsort(-(boxes[:, 4] if column else found['scores'][0]))
    for slot in range(np.count_nonzero(outputs['scores'])):
        np.testing.assert_allclose(
            outputs['boxes'][0, slot], boxes[order[slot], :4], rtol=1e-5
        )
    assert any('boxes from 0 to 1' in note for note in compiled_notes(compiled))


def test_where_plain_images_show_no_box_it_is_taken_to_be_in_pixels_and_said(tmp_path):
    found = answers(6)
    found['labels'] = found['labels'].astype(np.uint32)
    for name in ('boxes', 'scores', 'labels'):
        found[name][1] = 0
    path = saved(network_of_answers(found, SIZE_HW), tmp_path)
    compiled = compile_model(path, make_card(CLASSES, 'instance'), score_floor=0.2)
    outputs = run_model(compiled, {'image': images_of([0], SIZE_HW)})
    best = found['scores'][0].argmax()
    np.testing.assert_array_equal(outputs['boxes'][0, 0], found['boxes'][0, best])
    assert any('none on trial images' in note for note in compiled_notes(compiled))


@pytest.mark.parametrize('ending', ['Identity', 'Cast', 'Mul'])
def test_labels_that_are_the_same_for_every_image_are_read(ending, tmp_path):
    rest = {'Cast': {'to': TensorProto.INT64}}.get(ending, {})
    nodes = [
        helper.make_node('ReduceMax', ['images'], ['scores'], axes=[2, 3], keepdims=0),
        helper.make_node('Identity', ['all boxes'], ['boxes']),
        helper.make_node(ending, ['fixed', *['one'] * (ending == 'Mul')], ['labels'], **rest),
        helper.make_node('Identity', ['all masks'], ['masks']),
    ]
    model = model_of(
        nodes, [('images', TensorProto.FLOAT, [1, 3, *SIZE_HW])],
        ['boxes', 'scores', ('labels', TensorProto.INT64), 'masks'],
        {
            'all boxes': np.tile(np.float32([1, 2, 9, 8]), (1, 3, 1)),
            'fixed': np.array([[2, 0, 1]]), 'one': np.array(1),
            'all masks': np.ones((1, 3, 14, 14), np.float32),
        },
    )
    path = saved(model, tmp_path)
    compiled = compile_model(
        path, make_card(CLASSES, 'instance', input={'scale': 1 / 255}), score_floor=0.2
    )
    image = np.zeros((1, *SIZE_HW, 3), np.uint8)
    image[..., 1] = 255     # the second slot has the only score
    outputs = run_model(compiled, {'image': image})
    assert outputs['scores'][0, 0] > 0.9
    assert outputs['classes'][0, 0] == 0


def test_masks_before_their_sigmoid_become_probabilities(tmp_path):
    found = answers(5)
    found['masks'] = (8 * found['masks'] - 4).astype(np.float32)
    path = saved(network_of_answers(found, SIZE_HW), tmp_path)
    compiled = compile_model(path, make_card(CLASSES, 'instance'), score_floor=0.2)
    outputs = run_model(compiled, {'image': images_of([0], SIZE_HW)})
    best = found['scores'][0].argmax()
    expected = 255 / (1 + np.exp(-found['masks'][0, best].astype(np.float64)))
    np.testing.assert_allclose(outputs['masks'][0, 0], expected, atol=0.6)
    assert any('masks before the sigmoid' in note for note in compiled_notes(compiled))


def compiled_notes(model):
    return compiled_from_model(model, 'model.onnx').notes


def test_labels_that_count_a_background_are_refused_by_a_card_without_it(tmp_path):
    found = answers(3)
    found['labels'] = found['labels'] % CLASSES + 1
    found['labels'][1, 0] = CLASSES
    path = saved(network_of_answers(found, SIZE_HW), tmp_path)
    with pytest.raises(CardError, match=r'3 classes.* 4 classes or more.*background'):
        compile_model(path, make_card(CLASSES, 'instance'))
    compiled = compile_model(path, make_card(CLASSES + 1, 'instance'), score_floor=0.2)
    outputs = run_model(compiled, {'image': images_of([1], SIZE_HW)})
    order = np.argsort(-found['scores'][1])
    count = np.count_nonzero(outputs['scores'])
    np.testing.assert_array_equal(
        outputs['classes'][0, :count], found['labels'][1, order[:count]]
    )


@pytest.mark.parametrize('label', [-1, CLASSES])
def test_a_label_beyond_the_card_leaves_its_slot_empty(label, tmp_path):
    found = answers(4)
    best = found['scores'][0].argmax()
    found['labels'][0, best] = label    # of the answer that no trial image sees
    path = saved(network_of_answers(found, SIZE_HW), tmp_path)
    compiled = compile_model(path, make_card(CLASSES, 'instance'), score_floor=0.2)
    outputs = run_model(compiled, {'image': images_of([0], SIZE_HW)})
    kept = sorted(np.delete(found['scores'][0], best), reverse=True)
    count = sum(score >= 0.2 for score in kept)
    np.testing.assert_array_equal(outputs['scores'][0, :count], kept[:count])
    assert not outputs['scores'][0, count:].any()

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

from dataclasses import replace

import numpy as np
import pytest
from seg_ros.compile.compile_model import compile_model
from seg_ros.core.errors import CardError, FamilyError, ModelError
from seg_ros.core.output_choice import CANDIDATES
from tiny_networks import images_of, make_card, network_of_answers, run_model, saved
from yolo_scenes import (
    anchors,
    assert_same,
    compiled_scene,
    MASKS,
    plain_anchors,
    plain_answer,
    plain_choice,
    plain_detections,
    random_end_to_end,
    random_rows,
    raw_head,
    scene,
    SIZE_HW,
)

FORMS = [
    ('v5', 3, 0.45), ('v5', 1, 0.45), ('v8', 3, 0.7), ('v8', 1, 0.7),
    ('end-to-end', 3, 0), ('end-to-end', 1, 0),
]


@pytest.mark.parametrize(('form', 'classes', 'iou'), FORMS)
def test_each_layout_gives_what_plain_post_processing_gives(form, classes, iou, tmp_path):
    answers = scene(form, classes)
    compiled = compiled_scene(tmp_path, answers, classes)
    slots = min(100, 40 if form == 'end-to-end' else 100)
    assert compiled.signature.max_batch == 0
    assert compiled.signature.mask_code == ('probability' if form == 'v5' else 'logit16')
    outputs = run_model(compiled.model, {'image': images_of([2, 0, 1], SIZE_HW)})
    for index, answer in enumerate([2, 0, 1]):
        rows, protos = answers['output0'][answer], answers['output1'][answer]
        expected = plain_detections(form, classes, rows, protos, iou)
        assert_same(outputs, index, expected, slots)


def whole_image(rows):
    """Let the rows' boxes lie all over the image, as those of every anchor do."""
    rows = rows.copy()
    rows[:, :2] = rows[:, :2] % 8 + np.random.default_rng(8).uniform(0, 1, (len(rows), 2)) * (
        SIZE_HW[1] - 20, SIZE_HW[0] - 20
    ) + 6
    rows[:, 2:4] = np.minimum(rows[:, 2:4], 2 * rows[:, :2])
    return rows


def rewritten(rows, form, change):
    """Write rows as `change` names it, the values staying what they are."""
    rows = rows.astype(np.float64)
    first = {'v5': 5, 'v8': 4, 'end-to-end': 4}[form]
    if change == 'shares':
        rows[:, :4] /= (*SIZE_HW[::-1], *SIZE_HW[::-1])
    if change == 'corners':
        rows[:, :4] = np.concatenate(
            [rows[:, :2] - rows[:, 2:4] / 2, rows[:, :2] + rows[:, 2:4] / 2], axis=1
        )
    if change == 'centres':
        rows[:, :4] = np.concatenate(
            [(rows[:, :2] + rows[:, 2:4]) / 2, rows[:, 2:4] - rows[:, :2]], axis=1
        )
    if change == 'logits':
        end = 5 if form == 'end-to-end' else first + 3
        chances = np.clip(rows[:, 4:end], 1e-6, 1 - 1e-6)
        rows[:, 4:end] = np.log(chances / (1 - chances))
    if change == 'class first':
        rows[:, [4, 5]] = rows[:, [5, 4]]
    return rows.astype(np.float32)


WRITTEN = [
    *((form, change) for form in ('v5', 'v8') for change in ('shares', 'corners', 'logits')),
    *(('end-to-end', change) for change in ('shares', 'class first', 'centres', 'logits')),
]


@pytest.mark.parametrize(('form', 'change'), WRITTEN)
def test_rows_that_are_written_otherwise_mean_the_same(form, change, tmp_path):
    answers = scene(form, 3)
    rows = [one.T if form == 'v8' else one for one in answers['output0']]
    rows = rows if form == 'end-to-end' else list(map(whole_image, rows))
    wide = np.stack([rewritten(one, form, change) for one in rows])
    given = {**answers, 'output0': wide.transpose(0, 2, 1) if form == 'v8' else wide}
    compiled = compiled_scene(tmp_path, given, 3)
    outputs = run_model(compiled.model, {'image': images_of([1], SIZE_HW)})
    own = rows[1].T if form == 'v8' else rows[1]
    iou = {'v5': 0.45, 'v8': 0.7, 'end-to-end': 0}[form]
    expected = plain_detections(form, 3, own, answers['output1'][1], iou)
    assert_same(outputs, 0, expected, min(100, 40 if form == 'end-to-end' else 100))


@pytest.mark.parametrize('form', ['v5', 'v8', 'end-to-end'])
@pytest.mark.parametrize('name', ['output0', 'output1'])
def test_axes_in_the_order_of_other_frameworks_are_turned(form, name, tmp_path):
    answers = scene(form, 3)
    order = (0, 2, 1) if name == 'output0' else (0, 2, 3, 1)
    compiled = compiled_scene(tmp_path, {**answers, name: answers[name].transpose(order)}, 3)
    outputs = run_model(compiled.model, {'image': images_of([1], SIZE_HW)})
    iou = {'v5': 0.45, 'v8': 0.7, 'end-to-end': 0}[form]
    expected = plain_detections(form, 3, answers['output0'][1], answers['output1'][1], iou)
    assert_same(outputs, 0, expected, min(100, 40 if form == 'end-to-end' else 100))


def test_two_classes_without_objectness_are_no_end_to_end_rows(tmp_path):
    answers = scene('v8', 2)
    turned = {**answers, 'output0': answers['output0'].transpose(0, 2, 1)}
    outputs = run_model(
        compiled_scene(tmp_path, turned, 2).model, {'image': images_of([1], SIZE_HW)}
    )
    expected = plain_detections('v8', 2, answers['output0'][1], answers['output1'][1], 0.7)
    assert_same(outputs, 0, expected)


@pytest.mark.parametrize('classes', [1, 3])
@pytest.mark.parametrize('flat', [False, True])
def test_score_and_class_of_every_place_are_suppressed(classes, flat, tmp_path):
    maps, protos = raw_head(classes)
    boxes, scores, coefficients = plain_anchors(maps)
    best = scores.max(2, keepdims=True), scores.argmax(2)[..., None].astype(np.float32)
    rows = np.concatenate([boxes, *best, coefficients], axis=2)
    planes = protos.reshape(*protos.shape[:2], -1) if flat else protos
    compiled = compiled_scene(tmp_path, {'outputs': rows, 'proto': planes}, classes)
    outputs = run_model(compiled.model, {'image': images_of([1], SIZE_HW)})
    assert_same(outputs, 0, plain_answer(maps, protos, 1))


@pytest.mark.parametrize('form', ['v5', 'v8'])
def test_prototypes_may_have_their_rows_end_to_end(form, tmp_path):
    answers = scene(form, 3)
    flat = {**answers, 'output1': answers['output1'].reshape(3, MASKS, -1)}
    outputs = run_model(
        compiled_scene(tmp_path, flat, 3).model, {'image': images_of([1], SIZE_HW)}
    )
    rows, protos = answers['output0'][1], answers['output1'][1]
    iou = 0.45 if form == 'v5' else 0.7
    assert_same(outputs, 0, plain_detections(form, 3, rows, protos, iou))


def test_sides_of_prototypes_that_could_be_channels_are_found_by_the_coefficients(tmp_path):
    # 32 x 16 of 8 channels and 16 x 8 of 32 both have the image's proportions.
    random = np.random.default_rng(0)
    rows = random_end_to_end(random, 40, 3)[:, :6]
    rows = np.concatenate([rows, random.normal(0, 1, (40, 8)).astype('f')], axis=1)
    protos = random.normal(0, 2, (1, 32, 16, 8)).astype('f')
    model = network_of_answers({'rows': rows[None], 'protos': protos}, (128, 64))
    compiled = compile_model(saved(model, tmp_path), make_card(3, 'instance'))
    outputs = run_model(compiled, {'image': images_of([0], (128, 64))})
    found = rows[:, :4], rows[:, 4], rows[:, 5], rows[:, 6:]
    assert_same(outputs, 0, plain_choice(*found, protos[0].transpose(2, 0, 1), iou=0), 40)


def test_rows_of_scores_in_another_unit_are_refused(tmp_path):
    answers = scene('end-to-end', 3)
    answers['output0'][..., 4] *= 100
    with pytest.raises(ModelError, match=r'\[N, rows, 6 \+ masks\] with scores from 0 to 1'):
        compiled_scene(tmp_path, answers, 3)


def test_a_class_that_the_card_lacks_is_refused_where_it_is_seen(tmp_path):
    with pytest.raises(CardError, match=r'2 classes.* 3 classes or more'):
        compiled_scene(tmp_path, scene('end-to-end', 3), 2)


def test_a_class_that_the_card_lacks_leaves_its_slot_empty(tmp_path):
    answers = scene('end-to-end', 3)
    # An answer that no trial image sees.
    answers['output0'][0, ::2, 5] = 7
    answers['output0'][0, 1, 5] = -1
    compiled = compiled_scene(tmp_path, answers, 3)
    outputs = run_model(compiled.model, {'image': images_of([0], SIZE_HW)})
    known = answers['output0'][0, 3::2]
    expected = plain_detections('end-to-end', 3, known, answers['output1'][0], 0)
    assert_same(outputs, 0, expected, 40)


def test_rows_that_no_plain_image_fills_are_taken_as_usual_and_that_is_said(tmp_path):
    answers = scene('end-to-end', 3)
    answers['output0'][2] = 0
    compiled = compiled_scene(tmp_path, answers, 3)
    assert any('none on trial images' in note for note in compiled.notes)
    outputs = run_model(compiled.model, {'image': images_of([0], SIZE_HW)})
    rows, protos = answers['output0'][0], answers['output1'][0]
    assert_same(outputs, 0, plain_detections('end-to-end', 3, rows, protos, 0), 40)


@pytest.mark.parametrize('form', ['v5', 'v8'])
@pytest.mark.parametrize('strides', [(8, 16, 32, 64), (4, 8, 16, 32)])
def test_pyramids_of_four_maps_are_recognised(form, strides, tmp_path):
    # A height of 64 pixels has one row of stride 64, a width of 96 rounds up to two columns.
    count = sum(-(-64 // stride) * -(-96 // stride) for stride in strides)
    random = np.random.default_rng(1)
    rows = random_rows(random, count * (3 if form == 'v5' else 1), 2, form == 'v5')
    rows = rows.T if form == 'v8' else rows
    answers = {'output0': rows[None], 'output1': scene(form, 2, 1)['output1']}
    outputs = run_model(
        compiled_scene(tmp_path, answers, 2).model, {'image': images_of([0], SIZE_HW)}
    )
    iou = 0.45 if form == 'v5' else 0.7
    assert_same(outputs, 0, plain_detections(form, 2, rows, answers['output1'][0], iou))


def test_a_half_precision_network_is_decoded_in_single_precision(tmp_path):
    answers = scene('v8', 3, kind=np.float16)
    compiled = compiled_scene(tmp_path, answers, 3)
    outputs = run_model(compiled.model, {'image': images_of([1], SIZE_HW)})
    rows, protos = answers['output0'][1], answers['output1'][1]
    assert_same(outputs, 0, plain_detections('v8', 3, rows, protos, 0.7))


@pytest.mark.parametrize('form', ['v5', 'v8'])
def test_what_the_user_bakes_bounds_the_detections(form, tmp_path):
    answers = scene(form, 3)
    options = {'score_floor': 0.2, 'iou': 0.3, 'top_k': 30, 'max_instances': 8}
    compiled = compiled_scene(tmp_path, answers, 3, **options)
    assert {key: getattr(compiled.signature, key) for key in options} == options
    outputs = run_model(compiled.model, {'image': images_of([1], SIZE_HW)})
    expected = plain_detections(
        form, 3, answers['output0'][1], answers['output1'][1], 0.3, 0.2, 30, 8
    )
    assert_same(outputs, 0, expected, slots=8)


def test_the_cards_overlap_comes_before_the_familys(tmp_path):
    answers = scene('v8', 3)
    card = make_card(3, 'instance', thresholds={'iou': 0.2})
    compiled = compiled_scene(tmp_path, answers, 3, card)
    assert compiled.signature.iou == 0.2
    outputs = run_model(compiled.model, {'image': images_of([0], SIZE_HW)})
    rows, protos = answers['output0'][0], answers['output1'][0]
    assert_same(outputs, 0, plain_detections('v8', 3, rows, protos, 0.2))


def test_an_image_without_detections_gives_empty_slots(tmp_path):
    answers = scene('v8', 3)
    answers['output0'][0, 4:7] = 0.01
    outputs = run_model(
        compiled_scene(tmp_path, answers, 3).model, {'image': images_of([0], SIZE_HW)}
    )
    assert not any(outputs[name].any() for name in ('scores', 'boxes', 'classes'))


def test_equal_scores_keep_the_order_of_the_rows(tmp_path):
    answers = scene('v8', 3, answers=1)
    answers['output0'][:, 4:7] = np.where(answers['output0'][:, 4:7] > 0.1, np.float32(0.5), 0)
    outputs = run_model(
        compiled_scene(tmp_path, answers, 3).model, {'image': images_of([0], SIZE_HW)}
    )
    rows, protos = answers['output0'][0], answers['output1'][0]
    assert_same(outputs, 0, plain_detections('v8', 3, rows, protos, 0.7))


def test_training_outputs_beside_the_rows_are_cut_off(tmp_path):
    answers = scene('v5', 3)
    shape = (3, 3, *(side // 8 for side in SIZE_HW), 3 + 5 + MASKS)
    answers = {'output0': answers['output0'], 'grid': np.zeros(shape, np.float32), **answers}
    compiled = compiled_scene(tmp_path, answers, 3)
    assert compiled.signature.tensors == ('boxes', 'scores', 'classes', 'masks', *CANDIDATES)
    assert not any('grid' in item.name for item in compiled.model.graph.initializer)
    assert any('grid' in note for note in compiled.notes)


def test_another_number_of_classes_than_the_cards_is_refused_with_both(tmp_path):
    with pytest.raises(CardError, match=r'instance and 5 classes.*yolo_seg .instance, 3 classes'):
        compiled_scene(tmp_path, scene('v8', 3), 5)


def test_a_card_for_another_task_is_refused_with_both(tmp_path):
    with pytest.raises(CardError, match=r'task semantic.*yolo_seg \(instance, 3 classes\)'):
        compiled_scene(tmp_path, scene('v8', 3), 3, make_card(3))


def test_rows_of_another_size_than_the_networks_fit_no_family(tmp_path):
    answers = scene('v8', 3)
    answers['output0'] = answers['output0'][:, :, :-1]
    card = replace(make_card(3, 'instance'), family='yolo_seg')
    with pytest.raises(FamilyError, match=f'{anchors()}'):
        compiled_scene(tmp_path, answers, 3, card)

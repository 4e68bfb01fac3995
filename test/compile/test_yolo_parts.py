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

"""Boxes, scores and coefficients in outputs of their own, as vendors' tools write them."""

import numpy as np
from onnx import helper, TensorProto
import pytest
from seg_ros.compile.compile_model import compile_model
from seg_ros.core.errors import ModelError
from tiny_networks import images_of, make_card, network_of_answers, run_model, saved
from yolo_scenes import (
    assert_same,
    compiled_scene,
    plain_anchors,
    plain_answer,
    plain_choice,
    raw_head,
    SIZE_HW,
)


def parts_of(maps, protos, labels):
    """Return the anchors' parts by name, with class scores or with score and label."""
    boxes, scores, coefficients = plain_anchors(maps)
    found = {'boxes': boxes, 'scores': scores}
    if labels:
        found = {
            'boxes': boxes, 'scores': scores.max(2), 'class_idx': scores.argmax(2).astype('f')
        }
    return {**found, 'masks': coefficients, 'protos': protos}


def detected(folder, answers, classes, answer=1):
    compiled = compiled_scene(folder, answers, classes)
    assert compiled.card.family == 'yolo_seg'
    return run_model(compiled.model, {'image': images_of([answer], SIZE_HW)})


# As many classes as a box or a row of coefficients has columns, and other numbers.
@pytest.mark.parametrize('classes', [1, 3, 4, 6])
@pytest.mark.parametrize('labels', [False, True])
def test_parts_give_what_plain_post_processing_gives(classes, labels, tmp_path):
    maps, protos = raw_head(classes)
    outputs = detected(tmp_path, parts_of(maps, protos, labels), classes)
    assert_same(outputs, 0, plain_answer(maps, protos, 1))


def turned(parts):
    return {
        name: array.transpose(0, 2, 1) if array.ndim == 3 else
        array[:, None] if array.ndim == 2 else array.transpose(0, 2, 3, 1)
        for name, array in parts.items()
    }


def of_centres(parts):
    first, second = parts['boxes'][..., :2], parts['boxes'][..., 2:]
    return {**parts, 'boxes': np.concatenate([(first + second) / 2, second - first], axis=2)}


def in_shares(parts):
    return {**parts, 'boxes': parts['boxes'] / np.float32([96, 64, 96, 64])}


def before_the_sigmoid(parts):
    return {**parts, 'scores': np.log(parts['scores'] / (1 - parts['scores']))}


def renamed(parts):
    return {f'output_{index}': parts[name] for index, name in enumerate(sorted(parts)[::-1])}


@pytest.mark.parametrize('classes', [3, 4, 6])
@pytest.mark.parametrize('labels', [False, True])
@pytest.mark.parametrize('change', [turned, of_centres, in_shares, before_the_sigmoid, renamed])
def test_parts_that_are_written_otherwise_mean_the_same(change, labels, classes, tmp_path):
    maps, protos = raw_head(classes)
    outputs = detected(tmp_path, change(parts_of(maps, protos, labels)), classes)
    assert_same(outputs, 0, plain_answer(maps, protos, 1))


@pytest.mark.parametrize('kind', [TensorProto.UINT8, TensorProto.INT32])
def test_labels_may_end_in_a_cast_to_another_type(kind, tmp_path):
    maps, protos = raw_head(3)
    parts = parts_of(maps, protos, labels=True)
    parts['whole'] = parts.pop('class_idx').astype(np.int64)
    model = network_of_answers(parts, SIZE_HW)
    model.graph.node.append(helper.make_node('Cast', ['whole'], ['class_idx'], to=kind))
    (output,) = [item for item in model.graph.output if item.name == 'whole']
    output.name, output.type.tensor_type.elem_type = 'class_idx', kind
    compiled = compile_model(saved(model, tmp_path), make_card(3, 'instance'))
    outputs = run_model(compiled, {'image': images_of([1], SIZE_HW)})
    assert_same(outputs, 0, plain_answer(maps, protos, 1))


def kept(parts, count=20):
    """Keep the best anchors alone, as networks do that suppress."""
    order = np.argsort(-parts['scores'], axis=1)[:, :count]
    return {
        name: array if name == 'protos' else np.take_along_axis(
            array, order.reshape(*order.shape, *[1] * (array.ndim - 2)), axis=1
        )
        for name, array in parts.items()
    }


@pytest.mark.parametrize('seen', [True, False])
def test_anchors_that_the_network_has_kept_are_not_suppressed_again(seen, tmp_path):
    maps, protos = raw_head(3)
    parts = kept(parts_of(maps, protos, labels=True))
    if not seen:
        for name in ('boxes', 'scores', 'class_idx'):
            parts[name][2] = 0      # of the answer to trial images
    compiled = compiled_scene(tmp_path, parts, 3)
    assert any('none on trial images' in note for note in compiled.notes) is not seen
    outputs = run_model(compiled.model, {'image': images_of([1], SIZE_HW)})
    found = [parts[name][1] for name in ('boxes', 'scores', 'class_idx', 'masks')]
    assert_same(outputs, 0, plain_choice(*found, protos[1], iou=0), 20)


def test_a_label_that_the_card_lacks_leaves_its_slot_empty(tmp_path):
    maps, protos = raw_head(3)
    parts = kept(parts_of(maps, protos, labels=True))
    parts['class_idx'][0, ::2] = 9      # of an answer that no trial image sees
    outputs = detected(tmp_path, parts, 3, answer=0)
    found = [parts[name][0, 1::2] for name in ('boxes', 'scores', 'class_idx', 'masks')]
    assert_same(outputs, 0, plain_choice(*found, protos[0], iou=0), 20)


def test_what_repeats_the_class_scores_may_stand_beside_them(tmp_path):
    maps, protos = raw_head(3)
    parts = parts_of(maps, protos, labels=False)
    more = {'best': parts['scores'].max(2), 'class': parts['scores'].argmax(2)}
    outputs = detected(tmp_path, {**parts, **more}, 3)
    assert_same(outputs, 0, plain_answer(maps, protos, 1))


def test_an_objectness_that_scores_would_have_to_be_multiplied_by_is_refused(tmp_path):
    maps, protos = raw_head(3)
    parts = parts_of(maps, protos, labels=False)
    parts['objectness'] = np.random.default_rng(0).uniform(0, 1, (3, 126)).astype('f')
    with pytest.raises(ModelError, match=r'no outputs of boxes'):
        compiled_scene(tmp_path, parts, 3)


def test_as_many_coefficients_as_a_box_has_columns_are_refused(tmp_path):
    maps, protos = raw_head(3, depth=4)
    with pytest.raises(ModelError, match=r'no outputs of boxes'):
        compiled_scene(tmp_path, parts_of(maps, protos, labels=True), 3)


def test_class_scores_beside_boxes_are_no_rows_of_fewer_classes(tmp_path):
    maps, protos = raw_head(15)
    parts = parts_of(maps, protos, labels=False)
    parts['boxes'] = np.random.default_rng(0).uniform(0, 15, parts['boxes'].shape).astype('f')
    with pytest.raises(ModelError, match=r'no outputs of boxes'):
        compiled_scene(tmp_path, parts, 15 - 4 - 6)


def test_distances_that_are_no_boxes_yet_are_refused(tmp_path):
    maps, protos = raw_head(3)
    parts = parts_of(maps, protos, labels=True)
    parts['boxes'] = np.random.default_rng(0).uniform(0, 15, parts['boxes'].shape).astype('f')
    with pytest.raises(ModelError, match=r'no outputs of boxes \[N, A, 4\] over the whole image'):
        compiled_scene(tmp_path, parts, 3)


@pytest.mark.parametrize('form', ['v8', 'end-to-end'])
def test_rows_are_read_beside_their_parts_before_those_are_boxes(form, tmp_path):
    maps, protos = raw_head(3)
    boxes, scores, coefficients = plain_anchors(maps)
    rows = np.concatenate([boxes, scores, coefficients], axis=2)
    if form == 'end-to-end':
        best = scores.max(2, keepdims=True), scores.argmax(2)[..., None].astype('f')
        rows = np.concatenate([boxes, *best, coefficients], axis=2)
        order = np.argsort(-best[0], axis=1)[:, :20]
        rows = np.take_along_axis(rows, order, axis=1)
    raw = {
        'boxes': np.random.default_rng(0).uniform(0, 15, boxes.shape).astype('f'),
        'scores': np.log(scores / (1 - scores)), 'coefficients': coefficients,
    }
    raw = {name: array.transpose(0, 2, 1) for name, array in raw.items()}
    answers = {'rows': rows, 'protos': protos, **raw}
    outputs = detected(tmp_path, answers, 3)
    if form == 'end-to-end':
        found = rows[1, :, :4], rows[1, :, 4], rows[1, :, 5], rows[1, :, 6:]
        assert_same(outputs, 0, plain_choice(*found, protos[1], iou=0), 20)
    else:
        assert_same(outputs, 0, plain_answer(maps, protos, 1))


@pytest.mark.parametrize('turn', [False, True])
def test_prototypes_of_masks_are_no_map_of_classes(turn, tmp_path):
    random = np.random.default_rng(0)
    rows = {'loc': 4, 'conf': 3, 'mask': 5, 'proto': None}
    answers = {
        name: random.normal(0, 1, (1, 50, columns) if columns else (1, 5, 16, 24)).astype('f')
        for name, columns in rows.items()
    }
    answers = turned(answers) if turn else answers
    path = saved(network_of_answers(answers, SIZE_HW), tmp_path)
    with pytest.raises(ModelError, match=r'proto .* are mask prototypes, as other outputs'):
        compile_model(path, make_card(5))


def test_a_map_of_classes_beside_boxes_is_read(tmp_path):
    random = np.random.default_rng(0)
    shapes = {
        'regression': (1, 50, 4), 'classification': (1, 50, 3), 'segmentation': (1, 3, 16, 24),
    }
    answers = {name: random.normal(0, 1, shape).astype('f') for name, shape in shapes.items()}
    path = saved(network_of_answers(answers, SIZE_HW), tmp_path)
    outputs = run_model(
        compile_model(path, make_card(3)), {'image': images_of([0], SIZE_HW)}
    )
    np.testing.assert_array_equal(outputs['labels'][0], answers['segmentation'][0].argmax(0))

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

"""Detections are the same however their labels and masks are written."""

import numpy as np
from onnx import helper, TensorProto
import pytest
from seg_ros.compile.compile_model import compile_model
from seg_ros.core.errors import ModelError
from tiny_networks import images_of, make_card, network_of_answers, run_model, saved

SIZE_HW, SLOTS, CLASSES = (64, 96), 7, 3


def answers(map_hw):
    random = np.random.default_rng(1)
    corners = np.sort(random.uniform(0, 64, (2, SLOTS, 2, 2)), axis=2).reshape(2, SLOTS, 4)
    found = {
        'boxes': corners, 'scores': random.uniform(0.2, 0.99, (2, SLOTS)),
        'masks': random.uniform(0, 1, (2, SLOTS, *map_hw)),
    }
    labels = random.integers(0, CLASSES, (2, SLOTS))
    return {name: values.astype(np.float32) for name, values in found.items()} | {'labels': labels}


def detected(model, folder, answer=0):
    compiled = compile_model(saved(model, folder), make_card(CLASSES, 'instance'))
    return run_model(compiled, {'image': images_of([answer], SIZE_HW)})


def of_floats(found):
    return {**found, 'labels': found['labels'].astype(np.float32)}


def of_floats_in_boxes(found):
    whole = np.concatenate([found['boxes'], found['scores'][..., None]], axis=2)
    return {'dets': whole, 'labels': found['labels'].astype(np.float32), 'masks': found['masks']}


def with_an_axis_for_the_channel(found):
    return {**found, 'masks': found['masks'][:, :, None]}


@pytest.mark.parametrize('map_hw', [(28, 28), (32, 48)])
@pytest.mark.parametrize(
    'change', [of_floats, of_floats_in_boxes, with_an_axis_for_the_channel],
)
def test_labels_may_be_floats_and_masks_have_a_channel(change, map_hw, tmp_path):
    found = answers(map_hw)
    outputs = detected(network_of_answers(change(found), SIZE_HW), tmp_path)
    order = np.argsort(-found['scores'][0])
    np.testing.assert_array_equal(outputs['scores'][0], found['scores'][0, order])
    np.testing.assert_array_equal(outputs['classes'][0], found['labels'][0, order])
    np.testing.assert_allclose(outputs['masks'][0], 255 * found['masks'][0, order], atol=0.51)


def test_labels_of_floats_that_no_plain_image_shows_are_found_by_name(tmp_path):
    found = of_floats(answers((28, 28)))
    for name in ('boxes', 'scores', 'labels'):
        found[name][1] = 0      # of the answer to trial images
    outputs = detected(network_of_answers(found, SIZE_HW), tmp_path)
    order = np.argsort(-found['scores'][0])
    np.testing.assert_array_equal(outputs['classes'][0], found['labels'][0, order])


def test_labels_that_end_as_bytes_are_read_from_before(tmp_path):
    found = answers((28, 28))
    model = network_of_answers(found, SIZE_HW)
    model.graph.node.append(
        helper.make_node('Cast', ['labels'], ['classes_of'], to=TensorProto.UINT8)
    )
    (output,) = [item for item in model.graph.output if item.name == 'labels']
    output.name, output.type.tensor_type.elem_type = 'classes_of', TensorProto.UINT8
    outputs = detected(model, tmp_path)
    order = np.argsort(-found['scores'][0])
    np.testing.assert_array_equal(outputs['classes'][0], found['labels'][0, order])


@pytest.mark.parametrize('map_hw', [(28, 28), (32, 48)])
def test_scores_before_their_sigmoid_become_probabilities(map_hw, tmp_path):
    found = answers(map_hw)
    chances = found['scores'].astype(np.float64)
    found['scores'] = np.log(chances / (1 - chances)).astype(np.float32)
    outputs = detected(network_of_answers(found, SIZE_HW), tmp_path)
    np.testing.assert_allclose(outputs['scores'][0], np.sort(chances[0])[::-1], atol=1e-5)


def test_empty_slots_may_have_a_score_below_0(tmp_path):
    found = answers((28, 28))
    found['scores'][:, 3] = -1
    outputs = detected(network_of_answers(found, SIZE_HW), tmp_path)
    expected = np.sort(found['scores'][0])[::-1]
    np.testing.assert_array_equal(outputs['scores'][0], expected.clip(0))


@pytest.mark.parametrize('map_hw', [(28, 28), (32, 48)])
def test_scores_in_another_unit_are_refused(map_hw, tmp_path):
    found = answers(map_hw)
    found['scores'] *= 100
    with pytest.raises(ModelError, match=r'scores \[N, K\] from 0 to 1 or logits'):
        detected(network_of_answers(found, SIZE_HW), tmp_path)


def test_boxes_that_are_no_corners_are_refused_with_what_to_export(tmp_path):
    found = answers((28, 28))
    first, second = found['boxes'][..., :2], found['boxes'][..., 2:]
    found['boxes'] = np.concatenate([(first + second) / 2, second - first], axis=2)
    with pytest.raises(ModelError, match=r'boxes .* are not corners .* export corners'):
        detected(network_of_answers(found, SIZE_HW), tmp_path)

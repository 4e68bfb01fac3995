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

"""Detections whose masks lie over the whole image, passed on as the network gives them."""

import numpy as np
from onnx import helper, TensorProto
import pytest
from seg_ros.compile.compile_model import compile_model
from seg_ros.compile.compiled import compiled_from_model
from seg_ros.compile.operators import check_operators
from seg_ros.core.errors import CardError, FamilyError
from tiny_networks import images_of, make_card, network_of_answers, run_model, saved

SIZE_HW, MAP_HW, SLOTS, CLASSES = (64, 96), (32, 48), 7, 3


def answers(seed=0, column=False, map_hw=MAP_HW):
    random = np.random.default_rng(seed)
    corners = np.sort(random.uniform(0, 64, (2, SLOTS, 2, 2)), axis=2).reshape(2, SLOTS, 4)
    scores = random.uniform(0, 0.99, (2, SLOTS))
    found = {'boxes': corners, 'scores': scores} if not column else {
        'dets': np.concatenate([corners, scores[:, :, None]], axis=2)
    }
    found['masks'] = random.normal(-2, 2, (2, SLOTS, *map_hw))
    labels = random.integers(0, CLASSES, (2, SLOTS))
    labels[1, 0] = CLASSES - 1
    return {name: values.astype(np.float32) for name, values in found.items()} | {'labels': labels}


def sigmoid(values):
    return 1 / (1 + np.exp(-values.astype(np.float64)))


FORMS = {
    'logits': lambda masks: masks,
    'probabilities': lambda masks: sigmoid(masks).astype(np.float32),
    'pixels': lambda masks: masks > 0,
    'levels': lambda masks: (255 * sigmoid(masks)).astype(np.float32),
}


@pytest.mark.parametrize('form', list(FORMS))
@pytest.mark.parametrize('boxes', ['beside scores', 'with scores', 'none'])
@pytest.mark.parametrize('map_hw', [MAP_HW, SIZE_HW])
def test_slots_are_the_networks_own_best_first(form, boxes, map_hw, tmp_path):
    column = boxes == 'with scores'
    found = answers(1, column, map_hw)
    if boxes == 'none':
        del found['boxes']
    scores = found['dets'][1, :, 4] if column else found['scores'][1]
    chances = sigmoid(found['masks'][1])
    chances = chances > 0.5 if form == 'pixels' else chances
    found['masks'] = FORMS[form](found['masks'])
    path = saved(network_of_answers(found, SIZE_HW), tmp_path)
    model = compile_model(path, make_card(CLASSES, 'instance'), score_floor=0.2)
    compiled = compiled_from_model(model, path.name)
    assert (compiled.card.family, compiled.signature.mask_frame) == ('image_masks', 'image')
    assert check_operators(compiled.model) == []
    outputs = run_model(compiled.model, {'image': images_of([1], SIZE_HW)})
    order = [slot for slot in np.argsort(-scores) if scores[slot] >= 0.2]
    assert 2 <= len(order) == np.count_nonzero(outputs['scores'])
    step = SIZE_HW[0] / map_hw[0]
    for slot, source in enumerate(order):
        assert outputs['scores'][0, slot] == scores[source]
        assert outputs['classes'][0, slot] == found['labels'][1, source]
        levels = outputs['masks'][0, slot].astype(float)
        assert abs(levels - 255 * chances[source]).max() <= 0.51
        rows, columns = np.nonzero(chances[source] > 0.5)
        box = np.clip([
            (columns.min() - 1) * step, (rows.min() - 1) * step,
            (columns.max() + 2) * step, (rows.max() + 2) * step,
        ], 0, SIZE_HW[::-1] * 2)
        np.testing.assert_allclose(outputs['boxes'][0, slot], box, atol=1e-3)


@pytest.mark.parametrize(('form', 'most'), [('pixels', 1), ('levels', 255)])
def test_masks_that_end_as_bytes_are_read_from_before(form, most, tmp_path):
    found = answers(1)
    found['masks'] = FORMS[form](found['masks'])
    raw = network_of_answers(found, SIZE_HW)
    next(node for node in raw.graph.node if node.output[0] == 'masks').output[0] = 'before'
    raw.graph.node.append(helper.make_node('Cast', ['before'], ['masks'], to=TensorProto.UINT8))
    next(item for item in raw.graph.output if item.name == 'masks').type.tensor_type.elem_type = 2
    expected = run_model(raw, {'images': np.ones((1, 3, *SIZE_HW), np.float32)})['masks'][0]
    assert expected.dtype == np.uint8
    assert 0.9 * most < expected.max() <= most
    path = saved(raw, tmp_path)
    model = compile_model(path, make_card(CLASSES, 'instance'))
    assert not any('cut off' in note for note in compiled_from_model(model, path.name).notes)
    outputs = run_model(model, {'image': images_of([1], SIZE_HW)})
    order = np.argsort(-found['scores'][1])[:np.count_nonzero(outputs['scores'])]
    levels = outputs['masks'][0, :len(order)].astype(float)
    assert abs(levels - 255 / most * expected[order].astype(float)).max() <= 1


def test_square_masks_of_a_square_image_ask_which_they_are(tmp_path):
    path = saved(network_of_answers(answers(2, map_hw=(64, 64)), (256, 256)), tmp_path)
    with pytest.raises(FamilyError, match='family: box_masks or family: image_masks'):
        compile_model(path, make_card(CLASSES, 'instance'))
    for family, frame in (('box_masks', 'box'), ('image_masks', 'image')):
        model = compile_model(path, make_card(CLASSES, 'instance', family=family))
        assert compiled_from_model(model, path.name).signature.mask_frame == frame


def test_masks_as_small_as_those_over_boxes_are_no_images(tmp_path):
    path = saved(network_of_answers(answers(3, map_hw=(28, 28)), (448, 448)), tmp_path)
    model = compile_model(path, make_card(CLASSES, 'instance'))
    assert compiled_from_model(model, path.name).card.family == 'box_masks'


def test_a_label_beyond_the_card_is_refused_with_how_many_there_are(tmp_path):
    path = saved(network_of_answers(answers(4), SIZE_HW), tmp_path)
    with pytest.raises(CardError, match=r'image_masks .instance, 3 classes or more'):
        compile_model(path, make_card(CLASSES - 1, 'instance'))

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

"""Networks that take prompts, compiled: what they answer, against numpy; what cannot be read."""

from fakes.promptable_network import (
    bright_near,
    CARD,
    CHOICES,
    image_of,
    promptable_network,
    saved_promptable,
    SIZE_HW,
)
import numpy as np
import onnx
from onnx import helper, TensorProto
import pytest
from seg_ros.compile.compile_model import compile_model
from seg_ros.compile.compiled import load_compiled
from seg_ros.compile.families import select_family
from seg_ros.compile.import_onnx import network_from_model
from seg_ros.compile.operators import check_operators
from seg_ros.compile.precision import convert_precision
from seg_ros.compile.trunk import trunk_nodes
from seg_ros.core.errors import CardError, FamilyError, ModelError, SegError
from tiny_networks import make_card, network_of_answers, run_model, saved

BOXES = [(9, 9, 19, 19), (40, 20, 50, 38)]
POINT = (30, 33)


def asked(*places, slots=4):
    prompts = np.zeros((1, slots, 4), np.float32)
    for slot, place in enumerate(places):
        prompts[0, slot] = (*place, *place) if len(place) == 2 else place
    return prompts


@pytest.fixture
def image():
    return image_of((10, 10, 20, 20), (40, 20, 55, 40), (25, 30, 33, 38))


@pytest.mark.parametrize('count', [4, 'P'])
@pytest.mark.parametrize('form', ['boxes', 'points'])
def test_each_prompt_is_answered_in_its_slot_by_its_best_mask(form, count, image, tmp_path):
    compiled = load_compiled(saved_promptable(tmp_path, form, count, max_prompts=5))
    slots = 5 if count == 'P' else 4
    assert compiled.signature.max_prompts == slots
    assert compiled.signature.max_batch == 1
    assert compiled.signature.arithmetic == 'f32'
    assert compiled.card.family == 'promptable'
    assert check_operators(compiled.model) == []
    places = [*BOXES, POINT] if form == 'points' else BOXES
    found = run_model(compiled.model, {
        'image': image[None], 'prompts': asked(*places, slots=slots),
    })
    for slot, place in enumerate(places):
        expected = bright_near(image, (*place, *place) if len(place) == 2 else place)
        np.testing.assert_array_equal(found['masks'][0, slot] > 128, expected)
        assert found['scores'][0, slot] == pytest.approx(0.9)
        rows, columns = np.nonzero(expected)
        box = (columns.min() - 1, rows.min() - 1, columns.max() + 2, rows.max() + 2)
        assert tuple(found['boxes'][0, slot]) == box
    assert not found['classes'].any()


def test_a_mask_without_choices_may_lack_their_axis(image, tmp_path):
    model = promptable_network()
    drop = helper.make_node('Gather', ['masks', 'one'], ['masks_of'], axis=2)
    sure = helper.make_node('Gather', ['scores', 'one'], ['scores_of'], axis=2)
    model.graph.initializer.append(helper.make_tensor('one', TensorProto.INT64, [], [1]))
    model.graph.node.extend([drop, sure])
    for name, item in zip(('masks_of', 'scores_of'), model.graph.output, strict=True):
        item.name = name
    raw = tmp_path / 'raw.onnx'
    onnx.save(model, raw)
    found = run_model(compile_model(raw, CARD), {
        'image': image[None], 'prompts': asked(*BOXES),
    })
    np.testing.assert_array_equal(found['masks'][0, 0] > 128, bright_near(image, BOXES[0]))


def test_masks_that_are_probabilities_already_are_cut_at_one_half(image, tmp_path):
    model = promptable_network()
    model.graph.node.append(helper.make_node('Sigmoid', ['masks'], ['masks_of']))
    model.graph.output[0].name = 'masks_of'
    raw = tmp_path / 'raw.onnx'
    onnx.save(model, raw)
    found = run_model(compile_model(raw, CARD), {'image': image[None], 'prompts': asked(*BOXES)})
    for slot, place in enumerate(BOXES):
        np.testing.assert_array_equal(
            found['masks'][0, slot] > 128, bright_near(image, place)
        )


def enlarging_network(mode, squashed=''):
    """Write a network that halves its masks and enlarges them again, with a sigmoid or none."""
    node, model = helper.make_node, promptable_network()
    height, width = SIZE_HW
    for name, value in {
        'shrunk': [4, CHOICES, height, width], 'few': [4, CHOICES, height // 2, width // 2],
        'wide': [4, CHOICES, height, width], 'five': [1, 4, CHOICES, height, width],
    }.items():
        model.graph.initializer.append(onnx.numpy_helper.from_array(np.array(value), name))
    model.graph.node.extend([
        node('Reshape', ['masks', 'shrunk'], ['flat']),
        node('Resize', ['flat', '', '', 'few'], ['small'], mode='linear'),
        *([node('Sigmoid', ['small'], ['small_p'])] if squashed == 'small' else []),
        node('Resize', ['small_p' if squashed == 'small' else 'small', '', '', 'wide'], ['large'],
             mode=mode, coordinate_transformation_mode='half_pixel'),
        *([node('Sigmoid', ['large'], ['large_p'])] if squashed == 'large' else []),
        node('Reshape', ['large_p' if squashed == 'large' else 'large', 'five'], ['masks_of']),
    ])
    model.graph.output[0].name = 'masks_of'
    return model


@pytest.mark.parametrize('squashed', ['', 'small', 'large'])
@pytest.mark.parametrize('mode', ['linear', 'cubic'])
def test_masks_are_read_from_before_the_network_enlarges_them(mode, squashed, image, tmp_path):
    raw = tmp_path / 'raw.onnx'
    onnx.save(enlarging_network(mode, squashed), raw)
    compiled = compile_model(raw, CARD)
    assert check_operators(compiled) == []
    found = run_model(compiled, {'image': image[None], 'prompts': asked(*BOXES)})
    assert found['masks'].shape == (1, 4, SIZE_HW[0] // 2, SIZE_HW[1] // 2)
    expected = bright_near(image, BOXES[0])     # of even sides, so that cells are whole
    np.testing.assert_array_equal(found['masks'][0, 0] > 128, expected[::2, ::2])


def test_masks_that_the_network_enlarges_without_interpolation_keep_their_size(image, tmp_path):
    raw = tmp_path / 'raw.onnx'
    onnx.save(enlarging_network('nearest'), raw)
    found = run_model(compile_model(raw, CARD), {'image': image[None], 'prompts': asked(*BOXES)})
    cells = bright_near(image, BOXES[0])[::2, ::2]      # of even sides, so that cells are whole
    np.testing.assert_array_equal(found['masks'][0, 0] > 128, np.kron(cells, np.ones((2, 2))))


def test_no_other_family_reads_a_network_with_prompts():
    network = network_from_model(promptable_network(), CARD.input)
    assert network.prompts[0].shape == (1, 4, 4)
    interpretation, others = select_family(network, CARD)
    assert (interpretation.family, interpretation.task) == ('promptable', 'promptable')
    assert not others
    assert interpretation.tensor_infos[1].shape == (1, 4, CHOICES, *SIZE_HW)


def test_a_card_of_another_task_is_refused_with_what_the_network_is(tmp_path):
    raw = tmp_path / 'raw.onnx'
    onnx.save(promptable_network(), raw)
    with pytest.raises(CardError, match=r'task instance.*promptable'):
        compile_model(raw, make_card(2, 'instance', input={'fit': 'stretch'}))


def test_inputs_that_are_no_prompts_are_refused_with_what_prompts_are(tmp_path):
    model = promptable_network()
    model.graph.input[1].type.tensor_type.shape.dim[2].dim_value = 5
    with pytest.raises(ModelError, match=r'boxes float .*expected one image.*boxes \[N, P, 4\]'):
        network_from_model(model, CARD.input)


def test_an_encoder_alone_is_refused_with_what_to_export_and_no_other_families(tmp_path):
    network = network_of_answers(
        {'image_embeddings': np.zeros((1, 8, 16, 16), np.float32)}, (64, 64)
    )
    with pytest.raises(FamilyError) as refused:
        compile_model(saved(network, tmp_path), make_card(1, 'promptable'))
    assert 'export it with its decoder' in str(refused.value)
    assert 'yolo_seg' not in str(refused.value)


def test_a_decoder_alone_is_refused_with_what_to_export(tmp_path):
    shapes = {
        'image_embeddings': [1, 256, 64, 64], 'point_coords': [1, 5, 2], 'point_labels': [1, 5],
        'mask_input': [1, 1, 256, 256], 'has_mask_input': [1],
    }
    graph = helper.make_graph(
        [helper.make_node('Sum', list(shapes), ['masks'])], 'decoder',
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
         for name, shape in shapes.items()],
        [helper.make_tensor_value_info('masks', TensorProto.FLOAT, None)],
    )
    raw = tmp_path / 'raw.onnx'
    onnx.save(helper.make_model(
        graph, opset_imports=[helper.make_opsetid('', 17)], ir_version=8
    ), raw)
    with pytest.raises(ModelError, match='encoder and decoder as one network'):
        compile_model(raw, CARD)


def test_labels_that_are_no_numbers_are_refused(tmp_path):
    model = promptable_network('points')
    labels = next(item for item in model.graph.input if item.name == 'point_labels')
    labels.type.tensor_type.elem_type = TensorProto.BOOL
    node = next(item for item in model.graph.node if 'point_labels' in item.input)
    node.input[0] = 'as_numbers'
    cast = helper.make_node('Cast', ['point_labels'], ['as_numbers'], to=TensorProto.FLOAT)
    model.graph.node.insert(0, cast)
    with pytest.raises(ModelError, match=r'bool.*numeric labels'):
        network_from_model(model)


@pytest.mark.parametrize(('form', 'count', 'most', 'words'), [
    ('boxes', 4, 16, 'max_prompts 16 has no effect: the network was exported for 4'),
    ('points', 4, 4, ''), ('points', 'P', 16, ''), ('boxes', 4, 8, ''),
])
def test_a_number_of_prompts_that_has_no_effect_is_reported(form, count, most, words, tmp_path):
    compiled = load_compiled(saved_promptable(tmp_path, form, count, max_prompts=most))
    assert [note for note in compiled.notes if 'max_prompts' in note] == (
        [f'warning: {words}'] if words else []
    )


@pytest.mark.parametrize('most', [0, 257])
def test_slots_are_limited(most, tmp_path):
    with pytest.raises(SegError, match='max_prompts'):
        saved_promptable(tmp_path, 'boxes', 'P', max_prompts=most)


def positions_network():
    """Write weights behind the boxes and behind the image, so that both could be narrowed."""
    node, rng = helper.make_node, np.random.default_rng(0)
    weights = {
        'kernel': rng.normal(0, 0.3, (2, 3, 4, 4)), 'far': rng.normal(0, 1, (4, 2)),
        'last': rng.normal(0, 1, (2, 2, 1, 1)),
    }
    nodes = [
        node('MatMul', ['boxes', 'far'], ['places'], 'places'),
        node('Sin', ['places'], ['waves'], 'waves'),
        node('Conv', ['images', 'kernel'], ['maps'], 'maps', strides=[4, 4]),
        node('Conv', ['maps', 'last'], ['seen'], 'seen'),
        node('ReduceMean', ['seen'], ['means'], 'means', axes=[2, 3]),
        node('Unsqueeze', ['seen', 'one'], ['masks_'], 'masks_'),
        node('Unsqueeze', ['waves', 'ends'], ['waves_'], 'waves_'),
        node('Mul', ['masks_', 'waves_'], ['masks'], 'masks'),
        node('ReduceMax', ['masks'], ['scores'], 'scores', axes=[3, 4], keepdims=0),
    ]
    graph = helper.make_graph(
        nodes, 'positions',
        [helper.make_tensor_value_info('images', TensorProto.FLOAT, [1, 3, *SIZE_HW]),
         helper.make_tensor_value_info('boxes', TensorProto.FLOAT, [1, 4, 4])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None)
         for name in ('masks', 'scores')],
        [onnx.numpy_helper.from_array(value.astype(np.float32), name)
         for name, value in weights.items()]
        + [onnx.numpy_helper.from_array(np.array(axes), name)
           for name, axes in (('one', [1]), ('ends', [3, 4]))],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid('', 17)], ir_version=8)


@pytest.mark.parametrize('precision', ['fp16', 'int8'])
def test_places_are_computed_in_32_bits_in_every_precision(precision, tmp_path):
    raw = tmp_path / 'raw.onnx'
    onnx.save(positions_network(), raw)
    path = tmp_path / 'compiled.onnx'
    onnx.save(compile_model(raw, CARD), path)
    compiled = load_compiled(path)
    names = {node.name.removeprefix('network/') for node in trunk_nodes(compiled.model)}
    assert 'maps' in names
    assert not {'places', 'waves'} & names
    noise = np.random.default_rng(1).integers(0, 256, (2, 1, *SIZE_HW, 3), np.uint8)
    narrow = convert_precision(compiled, precision, noise)
    feeds = {'image': noise[0], 'prompts': asked(*BOXES)}
    reference, found = run_model(compiled.model, feeds), run_model(narrow.model, feeds)
    difference = abs(reference['masks'].astype(int) - found['masks'])
    assert difference.max() <= (2 if precision == 'fp16' else 40)

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

from contextlib import closing
from dataclasses import replace
import re

import numpy as np
from onnx import helper, TensorProto
import pytest
from seg_ros.compile import families
from seg_ros.compile.compile_model import compile_model
from seg_ros.compile.compiled import compiled_from_model
from seg_ros.compile.families.logits import read_logits
from seg_ros.compile.operators import check_operators
from seg_ros.core.errors import CardError, FamilyError, ModelError
from seg_ros.core.settings import Settings
from seg_ros.engines import open_engine
from tiny_networks import (
    colorful_images,
    images_of,
    make_card,
    model_of,
    network_of_answers,
    run_chosen,
    run_model,
    saved,
)

SIZE_HW, MAP_HW = (32, 48), (8, 12)


def compiled_from(model, folder, card):
    path = saved(model, folder)
    return compiled_from_model(compile_model(path, card), path.name)


def scores_of(count, answers=2, map_hw=MAP_HW):
    random = np.random.default_rng(count)
    return random.normal(0, 2, (answers, count, *map_hw)).astype(np.float32)


def network_with(endings, outputs, classes=5, weights=(), size_hw=SIZE_HW, opset=17):
    """
    Write a strided convolution, whose output is called `scores`, and what follows it.

    :param endings: nodes from `scores` on.
    """
    kernel = np.random.default_rng(3).normal(0, 0.05, (classes, 3, 4, 4)).astype(np.float32)
    weights = {
        'kernel': kernel, 'bias': np.linspace(-1, 1, classes).astype(np.float32),
        'full': np.array([1, classes, *size_hw]), 'half': np.array([1, classes, 16, 24]),
        'axis': np.array([1]), **dict(weights),
    }
    nodes = [
        helper.make_node('Conv', ['images', 'kernel', 'bias'], ['scores'], strides=[4, 4]),
        *endings,
    ]
    return model_of(nodes, [('images', 1, [1, 3, *size_hw])], outputs, weights, opset)


def node(kind, source, target, **facts):
    return helper.make_node(kind, [source], [target], **facts)


def node_of_two(kind, first, second, target):
    return helper.make_node(kind, [first, second], [target])


def resize(source, target, sizes='full', mode='linear', rule='half_pixel', **facts):
    return helper.make_node(
        'Resize', [source, '', '', sizes], [target], mode=mode,
        coordinate_transformation_mode=rule, **facts,
    )


def network_input(images):
    return images.transpose(0, 3, 1, 2).astype(np.float32)


@pytest.mark.parametrize('count', [2, 5, 21])
def test_scores_of_any_stride_come_out_as_they_are(count, tmp_path):
    answers = scores_of(count)
    compiled = compiled_from(
        network_of_answers({'out': answers}, SIZE_HW), tmp_path, make_card(count)
    )
    logits = run_model(compiled.model, {'image': images_of([1, 0], SIZE_HW)})['logits']
    np.testing.assert_array_equal(logits, answers[[1, 0]])
    assert compiled.signature.tensors == (
        'logits', 'labels', 'confidence', 'labels_network_size', 'confidence_network_size'
    )
    assert compiled.signature.upsampling == 'half_pixel'
    assert compiled.signature.max_batch == 0


@pytest.mark.parametrize('kind', ['Softmax', 'LogSoftmax'])
def test_a_softmax_of_an_old_opset_over_all_pixels_at_once_is_cut_off_too(kind, tmp_path):
    model = network_with([node(kind, 'scores', 'out', axis=1)], ['out'], opset=11)
    images = colorful_images(1, SIZE_HW)
    compiled = compiled_from(model, tmp_path, make_card(5))
    found = run_model(compiled.model, {'image': images})['logits']
    bare = network_with([], ['scores'])
    expected = run_model(bare, {'images': network_input(images)})['scores']
    np.testing.assert_allclose(found, expected, atol=1e-3)
    assert compiled.signature.activation == 'softmax'


def test_scores_with_the_channels_last_are_turned(tmp_path):
    answers = scores_of(5)
    model = network_of_answers({'out': answers.transpose(0, 2, 3, 1)}, SIZE_HW, layout='nhwc')
    compiled = compiled_from(model, tmp_path, make_card(5))
    logits = run_model(compiled.model, {'image': images_of([1, 0], SIZE_HW)})['logits']
    np.testing.assert_array_equal(logits, answers[[1, 0]])


@pytest.mark.parametrize('last', [False, True])
def test_one_score_becomes_two_of_the_same_probability(last, tmp_path):
    score = scores_of(1)
    answers = score.transpose(0, 2, 3, 1) if last else score
    compiled = compiled_from(
        network_of_answers({'out': answers}, SIZE_HW), tmp_path, make_card(2)
    )
    logits = run_model(compiled.model, {'image': images_of([0, 1], SIZE_HW)})['logits']
    exponents = np.exp(logits)
    np.testing.assert_allclose(
        (exponents / exponents.sum(1, keepdims=True))[:, 1:], 1 / (1 + np.exp(-score)), rtol=1e-5
    )


def test_half_precision_scores_leave_in_single_precision(tmp_path):
    answers = scores_of(5).astype(np.float16)
    model = network_of_answers({'out': answers}, SIZE_HW, kind=np.float16)
    compiled = compiled_from(model, tmp_path, make_card(5))
    logits = run_model(compiled.model, {'image': images_of([0], SIZE_HW)})['logits']
    assert logits.dtype == np.float32
    np.testing.assert_array_equal(logits, answers[:1].astype(np.float32))


@pytest.mark.parametrize('kind', [np.uint8, np.int32, np.int64])
@pytest.mark.parametrize('axes', [(), (1,), (3,)])
def test_a_label_map_gives_labels_alone(kind, axes, tmp_path):
    labels = np.random.default_rng(0).integers(0, 5, (2, *MAP_HW)).astype(np.int64)
    table = np.expand_dims(labels, axes)
    # Bytes are made from floats at the very end: TensorRT computes with none.
    model = network_of_answers({'table': table.astype(np.float32)}, SIZE_HW)
    code = helper.np_dtype_to_tensor_dtype(np.dtype(kind))
    model.graph.node.append(node('Cast', 'table', 'out', to=code))
    model.graph.output[0].CopyFrom(helper.make_tensor_value_info('out', code, None))
    compiled = compiled_from(model, tmp_path, make_card(5))
    outputs = run_chosen(compiled, images_of([1, 0], SIZE_HW))
    assert list(outputs) == ['labels']
    assert outputs['labels'].dtype == np.uint8
    np.testing.assert_array_equal(outputs['labels'], labels[[1, 0]])


@pytest.mark.parametrize('count', [5, 300])
@pytest.mark.parametrize('none', [-1, 255])
def test_labels_outside_of_the_cards_classes_are_none(none, count, tmp_path):
    if none < count and none > 0:
        pytest.skip('255 is one of 300 classes')
    labels = np.random.default_rng(0).integers(0, 5, (1, *MAP_HW))
    labels[0, :4] = none
    model = network_of_answers({'table': labels.astype(np.float32)}, SIZE_HW)
    model.graph.node.append(node('Cast', 'table', 'out', to=TensorProto.INT64))
    model.graph.output[0].CopyFrom(
        helper.make_tensor_value_info('out', TensorProto.INT64, None)
    )
    compiled = compiled_from(model, tmp_path, make_card(count))
    found = run_chosen(compiled, images_of([0], SIZE_HW))['labels']
    expected = np.where(labels == none, 255 if count < 255 else -1, labels)
    np.testing.assert_array_equal(found, expected)


def test_labels_as_floats_are_labels(tmp_path):
    endings = [
        node('ArgMax', 'scores', 'best', axis=1), node('Cast', 'best', 'floats', to=1),
        resize('floats', 'out', sizes='plane', mode='nearest'),
    ]
    weights = {'plane': np.array([1, 1, *SIZE_HW])}
    model = network_with(endings, ['out'], weights=weights)
    images = colorful_images(1, SIZE_HW)
    labels = run_model(
        compiled_from(model, tmp_path, make_card(5)).model, {'image': images}
    )['labels']
    own = run_model(model, {'images': network_input(images)})['out'][:, 0]
    assert np.mean(labels == own) > 0.998


def test_a_cubic_enlargement_of_a_constant_is_computed_once(tmp_path):
    table = np.random.default_rng(1).normal(0, 1, (1, 5, 4, 6)).astype(np.float32)
    endings = [
        resize('table', 'positions', sizes='map', mode='cubic'),
        node_of_two('Add', 'scores', 'positions', 'out'),
    ]
    weights = {'table': table, 'map': np.array([1, 5, *MAP_HW])}
    model = network_with(endings, ['out'], weights=weights)
    images = colorful_images(1, SIZE_HW)
    compiled = compiled_from(model, tmp_path, make_card(5))
    assert not any(
        fact.name == 'mode' and fact.s == b'cubic'
        for item in compiled.model.graph.node for fact in item.attribute
    )
    found = run_model(compiled.model, {'image': images})['logits']
    own = run_model(model, {'images': network_input(images)})['out']
    np.testing.assert_allclose(found, own, atol=1e-4)


def test_an_input_of_open_axes_that_is_turned_at_once_has_its_channels_last(tmp_path):
    model = network_with([node('Identity', 'scores', 'out')], ['out'])
    turned = helper.make_node('Transpose', ['rows'], ['images'], perm=[0, 3, 1, 2])
    model.graph.node.insert(0, turned)
    model.graph.input[0].CopyFrom(
        helper.make_tensor_value_info('rows', 1, ['n', 'h', 'w', 'c'])
    )
    compiled = compiled_from(
        model, tmp_path, make_card(5, input={'size': list(SIZE_HW)})
    )
    images = colorful_images(1, SIZE_HW)
    found = run_model(compiled.model, {'image': images})['logits']
    own = run_model(model, {'rows': network_input(images).transpose(0, 2, 3, 1)})['out']
    np.testing.assert_allclose(found, own, atol=1e-4)


def test_labels_above_254_classes_are_int32(tmp_path):
    labels = np.random.default_rng(0).integers(0, 300, (2, *MAP_HW))
    compiled = compiled_from(
        network_of_answers({'out': labels}, SIZE_HW), tmp_path, make_card(300)
    )
    outputs = run_model(compiled.model, {'image': images_of([1], SIZE_HW)})
    assert outputs['labels'].dtype == np.int32
    np.testing.assert_array_equal(outputs['labels'], labels[1:])


ENDINGS = {
    'softmax': [node('Softmax', 'scores', 'out', axis=1)],
    'log softmax': [node('LogSoftmax', 'scores', 'out', axis=1)],
    'argmax': [node('ArgMax', 'scores', 'out', axis=1)],
    'argmax and cast': [
        node('ArgMax', 'scores', 'best', axis=1, keepdims=0), node('Cast', 'best', 'out', to=6),
    ],
    'softmax and argmax, channels last': [
        node('Transpose', 'scores', 'turned', perm=[0, 2, 3, 1]),
        node('Softmax', 'turned', 'shares', axis=3),
        node('ArgMax', 'shares', 'out', axis=3, keepdims=0),
    ],
    'identity': [node('Identity', 'scores', 'out')],
}


@pytest.mark.parametrize('name', ENDINGS)
def test_trailing_activations_are_cut_off(name, tmp_path):
    kind = {'argmax': 7, 'softmax and argmax, channels last': 7, 'argmax and cast': 6}
    model = network_with(ENDINGS[name], [('out', kind.get(name, 1))])
    scores = run_model(
        network_with([], ['scores']), {'images': network_input(colorful_images(1, SIZE_HW))}
    )['scores']
    compiled = compiled_from(model, tmp_path, make_card(5))
    logits = run_model(compiled.model, {'image': colorful_images(1, SIZE_HW)})['logits']
    np.testing.assert_allclose(logits, scores, rtol=1e-4, atol=1e-3)
    own = [item for item in compiled.model.graph.node if item.name.startswith('network/')]
    assert not {'Softmax', 'ArgMax'} & {item.op_type for item in own}


@pytest.mark.parametrize(
    ('rule', 'upsampling'),
    [
        ('half_pixel', 'half_pixel'), ('pytorch_half_pixel', 'half_pixel'),
        ('align_corners', 'align_corners'), ('asymmetric', 'asymmetric'),
    ],
)
@pytest.mark.parametrize('ends_in_labels', [False, True])
def test_the_last_enlargement_is_cut_off_and_can_be_done_by_the_tail(
    rule, upsampling, ends_in_labels, tmp_path
):
    endings = [resize('scores', 'large', rule=rule)]
    endings += [node('ArgMax', 'large', 'out', axis=1, keepdims=0)] if ends_in_labels else []
    model = network_with(endings, [('out', 7) if ends_in_labels else 'large'])
    compiled = compiled_from(model, tmp_path, make_card(5))
    assert compiled.signature.upsampling == upsampling
    images = colorful_images(1, SIZE_HW)
    assert run_model(compiled.model, {'image': images})['logits'].shape == (1, 5, *MAP_HW)
    own = next(iter(run_model(model, {'images': network_input(images)}).values()))
    own = own if ends_in_labels else own.argmax(1)
    labels = run_chosen(compiled, images, 'graph')['labels']
    # Scores that are equal but for rounding may change places in a pixel or two.
    assert np.mean(labels == own) > 0.998


def test_an_enlargement_to_less_than_the_network_size_stays(tmp_path):
    model = network_with([resize('scores', 'out', sizes='half')], ['out'])
    compiled = compiled_from(model, tmp_path, make_card(5))
    images = colorful_images(1, SIZE_HW)
    logits = run_model(compiled.model, {'image': images})['logits']
    np.testing.assert_allclose(
        logits, run_model(model, {'images': network_input(images)})['out'], rtol=1e-4, atol=1e-3
    )


def test_only_the_last_of_two_enlargements_is_cut_off(tmp_path):
    endings = [
        resize('scores', 'half_size', sizes='half', rule='align_corners'),
        resize('half_size', 'out', rule='asymmetric'),
    ]
    compiled = compiled_from(network_with(endings, ['out']), tmp_path, make_card(5))
    assert compiled.signature.upsampling == 'asymmetric'
    outputs = run_model(compiled.model, {'image': colorful_images(1, SIZE_HW)})
    assert outputs['logits'].shape == (1, 5, 16, 24)


def test_labels_enlarged_by_the_nearest_stay_labels(tmp_path):
    endings = [
        node('ArgMax', 'scores', 'best', axis=1), node('Cast', 'best', 'floats', to=1),
        resize('floats', 'large', sizes='plane', mode='nearest'),
        node('Cast', 'large', 'out', to=TensorProto.INT64),
    ]
    weights = {'plane': np.array([1, 1, *SIZE_HW])}
    model = network_with(endings, [('out', 7)], weights=weights)
    compiled = compiled_from(model, tmp_path, make_card(5))
    assert compiled.signature.tensors == ('labels',)
    images = colorful_images(1, SIZE_HW)
    labels = run_model(compiled.model, {'image': images})['labels']
    own = run_model(model, {'images': network_input(images)})['out'][:, 0]
    assert np.mean(labels == own) > 0.998


@pytest.mark.parametrize('rows', [False, True])
@pytest.mark.parametrize('activation', ['Identity', 'Softmax'])
def test_scores_whose_map_is_one_axis_are_read_in_either_order(activation, rows, tmp_path):
    facts = {'axis': 1} if activation == 'Softmax' else {}
    endings = [
        node_of_two('Reshape', 'scores', 'columns', 'flat'),
        node(activation, 'flat', 'p', **facts),
        node('Transpose', 'p', 'out', perm=[0, 2, 1] if rows else [0, 1, 2]),
    ]
    columns = np.array([0, 5, MAP_HW[0] * MAP_HW[1]])
    model = network_with(endings, ['out'], weights={'columns': columns})
    images = colorful_images(1, SIZE_HW)
    logits = run_model(
        compiled_from(model, tmp_path, make_card(5)).model, {'image': images}
    )['logits']
    own = run_model(model, {'images': network_input(images)})['out']
    own = own.transpose(0, 2, 1) if rows else own
    np.testing.assert_array_equal(logits.argmax(1), own.reshape(1, 5, *MAP_HW).argmax(1))


@pytest.mark.parametrize('rule', ['half_pixel', 'align_corners'])
def test_a_cubic_enlargement_is_computed_by_every_engine_as_the_network_has_it(rule, tmp_path):
    model = network_with([resize('scores', 'out', mode='cubic', rule=rule)], ['out'])
    compiled = compiled_from(model, tmp_path, make_card(5))
    assert check_operators(compiled.model) == []
    images = colorful_images(1, SIZE_HW)
    own = run_model(model, {'images': network_input(images)})['out']
    assert own.shape[2:] == SIZE_HW
    path = saved(compiled.model, tmp_path, 'compiled.onnx')
    for kind in ('onnxruntime', 'openvino'):
        settings = Settings(
            engine=kind, model=str(path), inference_precision='f32', upsample='graph'
        )
        with closing(open_engine(settings)) as engine:
            labels = engine.submit(images).result().labels
        assert np.mean(labels == own.argmax(1)) > 0.999, kind


def test_an_enlargement_that_engines_compute_differently_is_refused_by_name(tmp_path):
    model = network_with([resize('scores', 'out', mode='cubic', exclude_outside=1)], ['out'])
    with pytest.raises(ModelError, match=r'not every engine takes Resize .*exclude_outside'):
        compiled_from(model, tmp_path, make_card(5))


def test_the_first_output_that_fits_is_taken_and_the_rest_cut_off(tmp_path):
    answers = {'out': scores_of(5), 'aux': -scores_of(5)}
    compiled = compiled_from(network_of_answers(answers, SIZE_HW), tmp_path, make_card(5))
    logits = run_model(compiled.model, {'image': images_of([0], SIZE_HW)})['logits']
    np.testing.assert_array_equal(logits, answers['out'][:1])
    assert any(note == 'outputs cut off: aux' for note in compiled.notes)


def test_labels_of_enlarged_scores_are_read_as_scores(tmp_path):
    endings = [
        resize('scores', 'large', rule='align_corners'), node('ArgMax', 'large', 'best', axis=1),
    ]
    model = network_with(endings, [('best', 7)])
    assert compiled_from(model, tmp_path, make_card(5)).signature.upsampling == 'align_corners'


def test_another_number_of_classes_than_the_cards_is_refused_with_both(tmp_path):
    model = network_of_answers({'out': scores_of(21)}, SIZE_HW)
    with pytest.raises(CardError, match=r'semantic and 19 classes.*logits .semantic, 21 classes'):
        compiled_from(model, tmp_path, make_card(19))


def test_the_number_of_classes_decides_between_two_layouts(tmp_path):
    answers = scores_of(24, map_hw=(24, 36))
    compiled = compiled_from(
        network_of_answers({'out': answers}, SIZE_HW), tmp_path, make_card(24)
    )
    logits = run_model(compiled.model, {'image': images_of([0], SIZE_HW)})['logits']
    np.testing.assert_array_equal(logits, answers[:1])


def test_scores_that_read_in_two_ways_are_refused_with_both(tmp_path):
    answers = scores_of(8, map_hw=(8, 8))
    with pytest.raises(FamilyError, match=r'reads in 2 ways.*NCHW.*NHWC.*in another layout'):
        compiled_from(network_of_answers({'out': answers}, (32, 32)), tmp_path, make_card(8))


def test_where_two_families_read_the_same_scores_the_card_is_to_say_which(tmp_path, monkeypatch):
    def read_alike(network):
        return [replace(item, family='alike') for item in read_logits(network)]

    monkeypatch.setattr(families, 'FAMILIES', {'alike': read_alike, 'logits': read_logits})
    model = network_of_answers({'out': scores_of(5)}, SIZE_HW)
    with pytest.raises(FamilyError, match=r'set family: alike or family: logits in the card$'):
        compiled_from(model, tmp_path, make_card(5))
    compiled_from(model, tmp_path, make_card(5, family='alike'))


@pytest.mark.parametrize('stride', [2, 14, 16])
def test_scores_of_the_patches_of_a_transformer_are_its_map(stride, tmp_path):
    size_hw, scores = (4 * stride, 6 * stride), scores_of(5, map_hw=(4, 6))
    tokens = scores.reshape(2, 5, 24).transpose(0, 2, 1)
    compiled = compiled_from(network_of_answers({'out': tokens}, size_hw), tmp_path, make_card(5))
    found = run_model(compiled.model, {'image': images_of([0], size_hw)})['logits']
    np.testing.assert_array_equal(found, scores[:1])


@pytest.mark.parametrize(('size_hw', 'map_hw', 'warned'), [
    ((32, 48), (8, 12), False),
    ((40, 50), (3, 4), False),      # strides of 16 with padding, as torchvision's at 520x520
    ((45, 50), (2, 3), True),       # without padding
    ((40, 50), (26, 33), True),
    ((96, 128), (90, 120), True),
])
def test_a_map_that_may_lack_the_images_margin_is_warned_of(tmp_path, size_hw, map_hw, warned):
    model = network_of_answers({'out': scores_of(5, map_hw=map_hw)}, size_hw)
    notes = compiled_from(model, tmp_path, make_card(5)).notes
    assert any('without padding' in note for note in notes) == warned


@pytest.mark.parametrize(('task', 'families', 'export'), [
    ('semantic', ['query_masks', 'logits'], 'export class scores [N, C, h, w]'),
    ('panoptic', ['panoptic_centers', 'query_masks'], 'centres and offsets'),
    ('instance', ['yolo_seg', 'box_masks', 'image_masks', 'query_masks'],
     "export what the network's own post-processing selects"),
])
def test_outputs_of_no_family_are_refused_with_what_to_export_for_the_task(
    task, families, export, tmp_path
):
    model = network_of_answers({'out': np.zeros((2, 7), np.float32)}, SIZE_HW)
    with pytest.raises(FamilyError, match=r'out float32 \[1, 7\]') as error:
        compiled_from(model, tmp_path, make_card(5, task))
    assert export in str(error.value)
    assert re.findall(r'; (\w+): ', str(error.value)) == families


def test_an_unknown_family_is_refused_with_the_known_ones(tmp_path):
    model = network_of_answers({'out': scores_of(5)}, SIZE_HW)
    with pytest.raises(FamilyError, match=r"'unet'.*yolo_seg, panoptic_centers, .*logits"):
        compiled_from(model, tmp_path, make_card(5, family='unet'))


def test_the_cards_family_is_the_only_one_asked(tmp_path):
    model = network_of_answers({'out': scores_of(5)}, SIZE_HW)
    with pytest.raises(FamilyError) as error:
        compiled_from(model, tmp_path, make_card(5, family='yolo_seg'))
    assert 'yolo_seg: ' in str(error.value)
    assert 'logits: ' not in str(error.value)


@pytest.mark.parametrize(('highest', 'words'), [(4, 'gives labels'), (1, 'gives a mask')])
def test_what_the_card_says_of_scores_is_warned_of_where_there_are_none(tmp_path, highest, words):
    labels = np.random.default_rng(0).integers(0, highest + 1, (2, *MAP_HW)).astype(np.int64)
    path = saved(network_of_answers({'out': labels}, SIZE_HW), tmp_path)
    card = make_card(highest if highest == 1 else 5, scores='softmax')
    notes = compiled_from_model(compile_model(path, card), path.name).notes
    assert any('scores: softmax has no effect' in note and words in note for note in notes)

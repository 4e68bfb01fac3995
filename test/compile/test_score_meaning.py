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

"""Labels and confidence are those of the network's own output, however it ends."""

import numpy as np
import onnx
from onnx import helper, TensorProto
import pytest
from seg_ros.compile.compile_model import compile_model
from seg_ros.compile.compiled import compiled_from_model
from seg_ros.core.errors import CardError, FamilyError
from tiny_networks import make_card, model_of, run_chosen, run_model, saved

SIZE_HW = (32, 48)
RANDOM = np.random.default_rng(4)
# Cells of smooth colours, so that labels have few edges.
IMAGES = RANDOM.integers(0, 256, (2, 4, 6, 3)).astype(np.uint8).repeat(8, 1).repeat(8, 2)


def node(kind, *tensors, **facts):
    *reads, writes = tensors
    return helper.make_node(kind, reads, [writes], **facts)


def network(classes, *endings, output=('out', TensorProto.FLOAT), gain=6.0, stride=1, **weights):
    """Write scores `z` that depend on the colour alone, and how the network ends."""
    kernel = RANDOM.normal(0, gain / 255, (classes, 3, stride, stride)) / stride**2
    arrays = {
        'kernel': kernel.astype(np.float32),
        'bias': (-kernel.sum((2, 3)) @ np.full(3, 127.5)).astype(np.float32),
        'one': np.float32(1), 'half': np.float32(0.5), 'bytes': np.float32(255),
        'zero': np.float32(0), 'hundred': np.float32(100), **weights,
    }
    start = node('Conv', 'images', 'kernel', 'bias', 'z', strides=[stride, stride])
    shape = ['N', 3, *SIZE_HW]
    return model_of([start, *endings], [('images', 1, shape)], [output], arrays)


def own_output(model):
    pixels = IMAGES.transpose(0, 3, 1, 2).astype(np.float32)
    return next(iter(run_model(model, {'images': pixels}).values()))


def compiled(model, folder, classes, **card):
    path = saved(model, folder)
    return compiled_from_model(compile_model(path, make_card(classes, **card)), path.name)


def outputs_of(model, folder, classes, upsample='nearest', **card):
    """Run one image after another, as a mask that few images change proves no batches."""
    found = compiled(model, folder, classes, **card)
    answers = [run_chosen(found, image[None], upsample) for image in IMAGES]
    return {name: np.concatenate([one[name] for one in answers]) for name in answers[0]}


def integers(*values):
    return np.array(values)


SHAPE = integers(-1, 1, *SIZE_HW)
ONE = {
    'sigmoid': [node('Sigmoid', 'z', 'out')],
    'sigmoid and crop': [node('Sigmoid', 'z', 'p'), node('Reshape', 'p', 'shape', 'out')],
    'sigmoid times 255': [node('Sigmoid', 'z', 'p'), node('Mul', 'p', 'bytes', 'out')],
    'sigmoid as percent': [node('Sigmoid', 'z', 'p'), node('Mul', 'p', 'hundred', 'out')],
    'sigmoid of a sigmoid': [
        node('Sigmoid', 'z', 'p'), node('Sub', 'p', 'half', 'q'), node('Sigmoid', 'q', 'out')
    ],
    'sigmoid without its axis': [
        node('Sigmoid', 'z', 'p'), node('Gather', 'p', 'channel', 'out', axis=1)
    ],
    'hard sigmoid': [node('HardSigmoid', 'z', 'out')],
    'tanh from 0 to 1': [
        node('Tanh', 'z', 't'), node('Add', 't', 'one', 'u'), node('Mul', 'u', 'half', 'out')
    ],
    'clip': [node('Add', 'z', 'half', 's'), node('Clip', 's', 'zero', 'one', 'out')],
    'clip of six, divided': [
        node('Clip', 'z', 'zero', 'six', 'c'), node('Div', 'c', 'six', 'out')
    ],
    'clip to 255': [
        node('Mul', 'z', 'bytes', 'q'), node('Clip', 'q', 'zero', 'bytes', 'out')
    ],
    'tanh from 0 to 255': [
        node('Tanh', 'z', 't'), node('Add', 't', 'one', 'u'), node('Mul', 'u', 'middle', 'out')
    ],
    'stretched from least to most': [
        node('Sigmoid', 'z', 'p'), node('ReduceMax', 'p', 'high', axes=[1, 2, 3]),
        node('ReduceMin', 'p', 'low', axes=[1, 2, 3]), node('Sub', 'p', 'low', 'a'),
        node('Sub', 'high', 'low', 'b'), node('Div', 'a', 'b', 'out'),
    ],
}


@pytest.mark.parametrize('name', ONE)
def test_a_single_probability_is_cut_at_one_half(name, tmp_path):
    model = network(
        1, *ONE[name], shape=SHAPE, channel=integers(0)[0], six=np.float32(6),
        middle=np.float32(127.5),
    )
    p = own_output(model).reshape(-1, *SIZE_HW)
    p /= 255 if '255' in name else 100 if 'percent' in name else 1
    outputs = outputs_of(model, tmp_path, 2)
    sure = abs(p - 0.5) > 1e-5
    np.testing.assert_array_equal(outputs['labels'][sure], (p > 0.5)[sure])
    np.testing.assert_allclose(outputs['confidence'], 255 * np.maximum(p, 1 - p), atol=0.6)


CUT = {
    'relu6': [node('Clip', 'z', 'zero', 'six', 'out')],
    'clip at 0': [node('Clip', 'z', 'zero', 'out')],
    'clip to 20': [node('Clip', 'z', 'zero', 'twenty', 'out')],
    'sigmoid times 3': [node('Sigmoid', 'z', 'p'), node('Mul', 'p', 'three', 'out')],
    'relu6 times 3': [node('Clip', 'z', 'zero', 'six', 'c'), node('Mul', 'c', 'three', 'out')],
}


@pytest.mark.parametrize('name', CUT)
def test_scores_that_are_cut_at_0_compete_as_others_do(name, tmp_path):
    three, six, twenty = np.float32([3, 6, 20])
    model = network(5, *CUT[name], three=three, six=six, twenty=twenty)
    scores = own_output(model)
    assert scores.max() > 1.5
    labels = outputs_of(model, tmp_path, 5)['labels']
    np.testing.assert_array_equal(labels, scores.argmax(1))


def test_one_score_that_is_cut_at_0_is_there_above_it(tmp_path):
    model = network(1, *CUT['relu6'], six=np.float32(6))
    labels = outputs_of(model, tmp_path, 2)['labels']
    np.testing.assert_array_equal(labels, own_output(model)[:, 0] > 0)


def test_the_card_is_asked_of_one_score_that_is_no_known_multiple_of_a_probability(tmp_path):
    model = network(1, *CUT['sigmoid times 3'], three=np.float32(3))
    with pytest.raises(CardError, match=r'scores from 0 to 3 .*scores in the card: sigmoid'):
        compiled(model, tmp_path, 2)
    labels = outputs_of(model, tmp_path, 2, scores='sigmoid')['labels']
    np.testing.assert_array_equal(labels, own_output(model)[:, 0] > 1.5)


def test_a_bound_of_the_length_that_scores_are_divided_by_makes_no_probabilities_of_them(tmp_path):
    model = network(
        4, node('Relu', 'z', 'r'), node('ReduceL2', 'r', 'length', axes=[1]),
        node('Clip', 'length', 'tiny', 'd'), node('Div', 'r', 'd', 'out'), tiny=np.float32(1e-12),
    )
    with pytest.raises(CardError, match='scores in the card'):
        compiled(model, tmp_path, 4)
    labels = outputs_of(model, tmp_path, 4, scores='logits')['labels']
    np.testing.assert_array_equal(labels, own_output(model).argmax(1))


def test_a_card_of_one_class_leaves_the_rest_unlabelled(tmp_path):
    model = network(1, node('Sigmoid', 'z', 'out'))
    p = own_output(model)[:, 0]
    outputs = outputs_of(model, tmp_path, 1)
    np.testing.assert_array_equal(outputs['labels'] == 0, p > 0.5)
    np.testing.assert_allclose(outputs['confidence'][p > 0.5], 255 * p[p > 0.5], atol=0.6)


MANY = {
    'softmax': [node('Softmax', 'z', 'out', axis=1)],
    'softmax and clip': [
        node('Softmax', 'z', 'p', axis=1), node('Clip', 'p', 'least', 'one', 'out')
    ],
    'softmax and factor': [node('Softmax', 'z', 'p', axis=1), node('Mul', 'p', 'one', 'out')],
    'softmax and concat': [
        node('Softmax', 'z', 'p', axis=1),
        helper.make_node('Split', ['p', 'parts'], ['a', 'b'], axis=1),
        node('Concat', 'a', 'b', 'out', axis=1),
    ],
    'softmax as bytes': [node('Softmax', 'z', 'p', axis=1), node('Mul', 'p', 'bytes', 'out')],
    'softmax as percent': [node('Softmax', 'z', 'p', axis=1), node('Mul', 'p', 'hundred', 'out')],
    'softmax of a softmax': [
        node('Softmax', 'z', 'p', axis=1), node('Softmax', 'p', 'out', axis=1)
    ],
    'softmax in steps': [
        node('Softmax', 'z', 'p', axis=1), node('Mul', 'p', 'hundred', 'q'),
        node('Round', 'q', 'r'), node('Div', 'r', 'hundred', 'out'),
    ],
}


@pytest.mark.parametrize('name', MANY)
def test_probabilities_are_not_taken_for_scores(name, tmp_path):
    model = network(5, *MANY[name], least=np.float32(1e-7), parts=integers(2, 3))
    p = own_output(model) / (255 if 'bytes' in name else 100 if 'percent' in name else 1)
    outputs = outputs_of(model, tmp_path, 5)
    assert np.mean(outputs['labels'] == p.argmax(1)) > 0.999
    np.testing.assert_allclose(outputs['confidence'], 255 * p.max(1), atol=0.6)


def test_classes_of_a_softmax_compete_where_another_is_left_out(tmp_path):
    model = network(
        5, node('Softmax', 'z', 'p', axis=1), node('Slice', 'p', 'first', 'last', 'axis', 'q'),
        node('Clip', 'q', 'zero', 'one', 'out'),
        first=integers(1), last=integers(5), axis=integers(1),
    )
    p = own_output(model)
    assert (p.max(1) < 0.5).any()
    labels = outputs_of(model, tmp_path, 4)['labels']
    assert np.mean(labels == p.argmax(1)) > 0.999


@pytest.mark.parametrize('kind', ['Slice', 'Gather', 'Split'])
def test_one_channel_of_two_is_that_classs_probability(kind, tmp_path):
    endings = {
        'Slice': [node('Slice', 'p', 'first', 'last', 'axis', 'out')],
        'Gather': [node('Gather', 'p', 'first', 'out', axis=1)],
        'Split': [helper.make_node('Split', ['p', 'parts'], ['no', 'out'], axis=1)],
    }[kind]
    model = network(
        2, node('Softmax', 'z', 'p', axis=1), *endings, first=integers(1), last=integers(2),
        axis=integers(1), parts=integers(1, 1),
    )
    p = own_output(model)[:, 0]
    np.testing.assert_array_equal(outputs_of(model, tmp_path, 2)['labels'], p > 0.5)


def test_a_class_that_is_never_likely_is_read_in_bytes_too(tmp_path):
    model = network(
        3, node('Softmax', 'z', 'p', axis=1), node('Mul', 'p', 'bytes', 'b'),
        node('Slice', 'b', 'first', 'last', 'axis', 's'), node('Mul', 's', 'half', 'out'),
        first=integers(0), last=integers(1), axis=integers(1),
    )
    p = own_output(model)[:, 0] / 255
    outputs = outputs_of(model, tmp_path, 2)
    np.testing.assert_array_equal(outputs['labels'], p > 0.5)
    np.testing.assert_allclose(outputs['confidence'], 255 * np.maximum(p, 1 - p), atol=0.6)


@pytest.mark.parametrize('endings', [
    [node('Sub', 'z', 'two', 's'), node('Sigmoid', 's', 'out')],
    [node('Sub', 'z', 'two', 's'), node('Sigmoid', 's', 'p'), node('Mul', 'p', 'one', 'out')],
], ids=['last', 'inside'])
def test_independent_classes_may_all_be_absent(endings, tmp_path):
    model = network(4, *endings, gain=4.0, two=np.float32(2))
    p = own_output(model)
    outputs = outputs_of(model, tmp_path, 4)
    none = p.max(1) < 0.5
    assert none.any()
    np.testing.assert_array_equal(outputs['labels'], np.where(none, 4, p.argmax(1)))
    np.testing.assert_allclose(
        outputs['confidence'][~none], 255 * p.max(1)[~none], atol=0.6
    )


def test_a_network_that_takes_the_best_of_independent_classes_decides_itself(tmp_path):
    model = network(
        4, node('Sigmoid', 'z', 'p'), node('ArgMax', 'p', 'out', axis=1),
        output=('out', TensorProto.INT64),
    )
    labels = outputs_of(model, tmp_path, 4)['labels']
    np.testing.assert_array_equal(labels, own_output(model)[:, 0])


@pytest.mark.parametrize('classes', [1, 5])
def test_probabilities_are_interpolated_where_the_network_interpolates_them(classes, tmp_path):
    activation = node('Softmax', 'z', 'p', axis=1) if classes > 1 else node('Sigmoid', 'z', 'p')
    model = network(
        classes, activation,
        helper.make_node('Resize', ['p', '', 'scales'], ['out'], mode='linear'),
        stride=4, gain=40.0, scales=np.array([1, 1, 4, 4], np.float32),
    )
    p = own_output(model)
    expected = p.argmax(1) if classes > 1 else p[:, 0] > 0.5
    labels = outputs_of(model, tmp_path, max(2, classes), 'graph')['labels']
    assert np.mean(labels == expected) > 0.999


@pytest.mark.parametrize(('kind', 'level'), [
    (TensorProto.UINT8, 255), (TensorProto.INT32, 255), (TensorProto.INT64, 1),
    (TensorProto.UINT8, 1), (TensorProto.FLOAT, 255), (TensorProto.FLOAT, 1),
])
@pytest.mark.parametrize('classes', [1, 2])
def test_a_mask_of_one_class_is_read_in_whatever_numbers(kind, level, classes, tmp_path):
    model = network(
        1, node('Greater', 'z', 'zero', 'yes'), node('Cast', 'yes', 'one_or_zero', to=1),
        node('Mul', 'one_or_zero', 'level', 'values'), node('Cast', 'values', 'out', to=kind),
        output=('out', kind), level=np.float32(level),
    )
    there = own_output(model)[:, 0] > 0
    labels = outputs_of(model, tmp_path, classes)['labels']
    np.testing.assert_array_equal(labels == classes - 1, there)


WHOLE = {
    'one-hot': [
        node('ArgMax', 'z', 'best', axis=1, keepdims=0),
        node('OneHot', 'best', 'depth', 'ends', 'out', axis=1),
    ],
    'one-hot, channels last': [
        node('ArgMax', 'z', 'best', axis=1, keepdims=0),
        node('OneHot', 'best', 'depth', 'ends', 'out', axis=-1),
    ],
    'the best, compared': [
        node('ArgMax', 'z', 'best', axis=1), node('Equal', 'best', 'channels', 'is'),
        node('Cast', 'is', 'out', to=TensorProto.INT64),
    ],
}


@pytest.mark.parametrize('kind', [
    TensorProto.FLOAT, TensorProto.BOOL, TensorProto.UINT8, TensorProto.INT64
])
@pytest.mark.parametrize('name', WHOLE)
def test_a_one_hot_map_is_its_labels(name, kind, tmp_path):
    model = network(
        5, *WHOLE[name], node('Cast', 'out', 'cast', to=kind), output=('cast', kind),
        depth=np.array(5), ends=integers(0, 1), channels=np.arange(5).reshape(1, 5, 1, 1),
    )
    hot = own_output(model)
    expected = hot.argmax(3 if 'last' in name else 1)
    np.testing.assert_array_equal(outputs_of(model, tmp_path, 5)['labels'], expected)


@pytest.mark.parametrize('kind', [
    TensorProto.BOOL, TensorProto.UINT8, TensorProto.INT32, TensorProto.FLOAT
])
@pytest.mark.parametrize('activation', ['Sigmoid', 'Softmax'])
def test_yes_and_no_for_each_class_leave_pixels_without_any_unlabelled(
    activation, kind, tmp_path
):
    axis = {'axis': 1} if activation == 'Softmax' else {}
    model = network(
        4, node('Sub', 'z', 'two', 's'), node(activation, 's', 'p', **axis),
        node('Greater', 'p', 'half', 'yes'), node('Cast', 'yes', 'out', to=kind),
        output=('out', kind), gain=4.0, two=np.float32(2),
    )
    yes = own_output(model).astype(bool)
    assert not yes.any(1).all()
    labels = outputs_of(model, tmp_path, 4)['labels']
    np.testing.assert_array_equal(labels, np.where(yes.any(1), yes.argmax(1), 4))


def test_bytes_of_probabilities_are_read_from_before_they_are_rounded(tmp_path):
    model = network(
        5, node('Softmax', 'z', 'p', axis=1), node('Mul', 'p', 'bytes', 'b'),
        node('Cast', 'b', 'out', to=TensorProto.UINT8), output=('out', TensorProto.UINT8),
    )
    rounded = own_output(model)
    outputs = outputs_of(model, tmp_path, 5)
    best = np.take_along_axis(rounded, outputs['labels'][:, None].astype(int), axis=1)[:, 0]
    np.testing.assert_array_equal(best, rounded.max(1))
    np.testing.assert_allclose(outputs['confidence'], rounded.max(1), atol=1)


@pytest.mark.parametrize('activation', ['Softmax', 'Identity'])
def test_colours_of_classes_are_refused_as_what_they_are(activation, tmp_path):
    axis = {'axis': 1} if activation == 'Softmax' else {}
    model = network(
        3, node(activation, 'z', 'p', **axis), node('ArgMax', 'p', 'best', axis=1, keepdims=0),
        node('Gather', 'palette', 'best', 'out', axis=0), output=('out', TensorProto.UINT8),
        palette=np.array([[0, 0, 255], [255, 0, 0], [0, 255, 0]], np.uint8),
    )
    with pytest.raises(FamilyError, match=r'whole numbers in 3 channels that are neither one-hot'):
        compiled(model, tmp_path, 3)


def test_a_map_of_more_labels_than_the_card_has_classes_is_refused(tmp_path):
    model = network(
        6, node('ArgMax', 'z', 'best', axis=1), node('Cast', 'best', 'floats', to=1),
        node('Add', 'floats', 'zero', 'sum'), node('Cast', 'sum', 'out', to=TensorProto.INT32),
        output=('out', TensorProto.INT32),
    )
    with pytest.raises(CardError, match=r'3 classes.* 6 classes or more'):
        compiled(model, tmp_path, 3)


def test_the_card_decides_where_the_graph_does_not_say(tmp_path):
    model = network(1, node('Mul', 'z', 'tiny', 'out'), tiny=np.float32(0.02))
    path = saved(model, tmp_path)
    shifted = network(
        1, node('Mul', 'z', 'tiny', 's'), node('Add', 's', 'half', 'out'), tiny=np.float32(0.02)
    )
    with pytest.raises(CardError, match='scores in the card: sigmoid'):
        compiled(shifted, tmp_path, 2)
    p = own_output(shifted)[:, 0]
    labels = outputs_of(shifted, tmp_path, 2, scores='sigmoid')['labels']
    np.testing.assert_array_equal(labels, p > 0.5)
    labels = outputs_of(shifted, tmp_path, 2, scores='logits')['labels']
    np.testing.assert_array_equal(labels, p > 0)
    assert path.exists()


def test_the_card_is_asked_of_several_probabilities_that_nothing_explains(tmp_path):
    model = network(
        4, node('Neg', 'z', 'n'), node('Exp', 'n', 'e'), node('Add', 'e', 'one', 'd'),
        node('Reciprocal', 'd', 'out'),
    )
    with pytest.raises(CardError, match='multilabel'):
        compiled(model, tmp_path, 4)
    p = own_output(model)
    labels = outputs_of(model, tmp_path, 4, scores='multilabel')['labels']
    np.testing.assert_array_equal(labels, np.where(p.max(1) < 0.5, 4, p.argmax(1)))


def test_scores_taken_out_of_their_batch_are_read(tmp_path):
    model = network(4, node('Gather', 'z', 'image', 'out', axis=0), image=integers(0)[0])
    fixed = onnx.ModelProto()
    fixed.CopyFrom(model)
    fixed.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1
    z = run_chosen_alone(model)
    labels = outputs_of(fixed, tmp_path, 4)['labels']
    np.testing.assert_array_equal(labels, z.argmax(1))


def run_chosen_alone(model):
    """Run one image after the other, as a network without a batch takes them."""
    pixels = IMAGES.transpose(0, 3, 1, 2).astype(np.float32)
    return np.stack([next(iter(run_model(model, {'images': one[None]}).values()))
                     for one in pixels])


@pytest.mark.parametrize('axis', [2, 3])
def test_a_softmax_along_a_side_of_the_image_keeps_its_order(axis, tmp_path):
    model = network(5, node('Softmax', 'z', 'out', axis=axis))
    labels = outputs_of(model, tmp_path, 5)['labels']
    np.testing.assert_array_equal(labels, own_output(model).argmax(1))


def test_values_that_are_no_numbers_are_warned_of(tmp_path):
    model = network(3, node('Sqrt', 'z', 'out'))
    notes = compiled(model, tmp_path, 3).notes
    assert any('NaN or infinite' in note for note in notes)


@pytest.mark.parametrize(('scale', 'warned'), [(1 / 255, True), (1, False)])
def test_a_normalisation_inside_the_network_applied_twice_is_warned_of(scale, warned, tmp_path):
    model = network(3, node('Identity', 'z', 'out'))
    divided = helper.make_node('Div', ['pixels', 'bytes'], ['images'])
    model.graph.node.insert(0, divided)
    model.graph.input[0].name = 'pixels'
    notes = compiled(model, tmp_path, 3, input={'scale': scale}).notes
    assert any('its own normalisation' in note for note in notes) == warned


def test_the_card_overrules_what_was_found(tmp_path):
    model = network(3, node('Identity', 'z', 'out'))
    z = own_output(model)
    labels = outputs_of(model, tmp_path, 3, scores='multilabel')['labels']
    np.testing.assert_array_equal(labels, np.where(z.max(1) > 0, z.argmax(1), 3))


def test_of_two_heads_the_first_is_taken_and_reported_and_the_card_may_choose(tmp_path):
    model = network(4, node('Neg', 'z', 'second'), node('Identity', 'z', 'first'), output='first')
    model.graph.output.append(helper.make_tensor_value_info('second', 1, None))
    answers = run_model(model, {'images': IMAGES.transpose(0, 3, 1, 2).astype(np.float32)})
    found = compiled(model, tmp_path, 4)
    assert any('second could be meant' in note for note in found.notes)
    chosen = compiled(model, tmp_path, 4, outputs=['second'])
    for one, name in ((found, 'first'), (chosen, 'second')):
        labels = run_chosen(one, IMAGES, 'nearest')['labels']
        np.testing.assert_array_equal(labels, answers[name].argmax(1))
    with pytest.raises(CardError, match=r"outputs: \['third'\]; expected some of first, second"):
        compiled(model, tmp_path, 4, outputs=['third'])


@pytest.mark.parametrize(('spec', 'warns'), [
    ({'scale': 1 / 255, 'mean': [123.7, 116.3, 103.5], 'std': [58.4, 57.1, 57.4]}, 'scale: 1'),
    ({'scale': 1, 'mean': [0.485, 0.456, 0.406], 'std': [0.229, 0.224, 0.225]}, 'scale 1/255'),
    ({'scale': 1, 'mean': [123.7, 116.3, 103.5], 'std': [58.4, 57.1, 57.4]}, ''),
    ({'scale': 1 / 255, 'mean': [0.485, 0.456, 0.406], 'std': [0.229, 0.224, 0.225]}, ''),
    ({'scale': 1 / 255, 'mean': [104, 117, 123]}, 'scale: 1'),
    ({'mean': 0.5, 'scale': 1}, 'scale 1/255'),
    ({'mean': -0.5}, 'no image has a mean below 0'),
    ({'scale': 255}, 'too large'), ({'scale': 1 / 65535}, 'too small'),
    ({'scale': 1, 'mean': [104, 117, 123]}, ''),
    ({'scale': 1}, ''), ({}, ''), ({'scale': 1 / 127.5, 'mean': 1}, ''),
])
def test_means_in_other_units_than_the_scale_are_warned_of(spec, warns, tmp_path):
    notes = compiled(network(3, node('Identity', 'z', 'out')), tmp_path, 3, input=spec).notes
    found = [note for note in notes if 'reach the network as' in note]
    assert len(found) == bool(warns)
    assert all(warns in note for note in found)


@pytest.mark.parametrize('last', ['Identity', 'Floor'])
def test_low_bytes_of_one_probability_are_no_labels(last, tmp_path):
    model = network(
        1, node('Sigmoid', 'z', 'p'), node('Mul', 'p', 'bytes', 'b'), node(last, 'b', 'f'),
        node('Cast', 'f', 'out', to=TensorProto.UINT8), output=('out', TensorProto.UINT8),
        kernel=np.full((1, 3, 1, 1), 0.4 / 255, np.float32), bias=np.float32([-0.6]),
    )
    p = own_output(model)[:, 0]
    assert 127 < p.max() < 190     # as of a class that is nowhere on plain images
    labels = outputs_of(model, tmp_path, 2)['labels']
    clear = p != 127    # as bytes below one half, which they need not have been before
    np.testing.assert_array_equal(labels[clear], (p > 127)[clear])


@pytest.mark.parametrize('endings', [
    [node('Cast', 'is_in', 'c', to=TensorProto.FLOAT), node('Mul', 'c', 'bytes', 'b')],
    [node('Where', 'is_in', 'bytes', 'zero', 'b')],
    [node('Cast', 'is_in', 'c', to=TensorProto.UINT8), node('Mul', 'c', 'byte', 'b')],
], ids=['product', 'choice', 'product of bytes'])
@pytest.mark.parametrize('classes', [1, 2])
def test_a_mask_of_bytes_that_is_empty_on_plain_images_is_no_label_map(
    classes, endings, tmp_path
):
    model = network(
        1, node('ReduceMean', 'z', 'mean', axes=[2, 3]), node('Greater', 'mean', 'high', 'all'),
        node('Greater', 'z', 'zero', 'some'), node('And', 'all', 'some', 'is_in'), *endings,
        node('Cast', 'b', 'out', to=TensorProto.UINT8), output=('out', TensorProto.UINT8),
        kernel=np.full((1, 3, 1, 1), 1 / 765, np.float32), bias=np.float32([0]),
        high=np.float32(0.9), byte=np.uint8(255),
    )
    white = np.full((1, *SIZE_HW, 3), 255, np.uint8)
    white[0, :2] = 0
    labels = run_chosen(compiled(model, tmp_path, classes), white, 'nearest')['labels'][0]
    assert (labels[2:] == classes - 1).all()
    assert not np.isin(labels[:2], classes - 1).any()


def test_bytes_that_are_hardly_likely_anywhere_are_no_shares(tmp_path):
    model = network(
        1, node('Sub', 'z', 'six', 's'), node('Sigmoid', 's', 'p'),
        node('Mul', 'p', 'bytes', 'out'), gain=0.3, six=np.float32(6),
    )
    assert 0.5 < own_output(model).max() < 1
    assert not outputs_of(model, tmp_path, 2)['labels'].any()

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

from itertools import permutations

import numpy as np
from onnx import helper, TensorProto
import pytest
from seg_ros.commands.model_files.first_card import first_card
from seg_ros.compile.compile_model import compile_model
from seg_ros.compile.compiled import compiled_from_model
from seg_ros.core.card_reading import card_from_dict
from seg_ros.core.errors import FamilyError
from tiny_networks import colorful_images, make_card, model_of, run_model, saved
import yaml

SIZE_HW = (32, 48)
IMAGES = colorful_images(2, SIZE_HW)
FED = {'images': IMAGES.transpose(0, 3, 1, 2).astype(np.float32)}


def node(kind, reads, target, **facts):
    return helper.make_node(kind, reads.split(), target.split(), **facts)


def network_of(nodes, outputs, channels=4, **weights):
    """Write a convolution, whose output is called `scores`, and what is computed from it."""
    random = np.random.default_rng(3)
    kernel = random.normal(0, 0.01, (channels, 3, 3, 3)).astype(np.float32)
    kernel -= kernel.mean((1, 2, 3), keepdims=True)
    first = node('Conv', 'images kernel', 'scores', pads=[1, 1, 1, 1])
    return model_of(
        [first, *nodes], [('images', TensorProto.FLOAT, ['N', 3, *SIZE_HW])], outputs,
        {'kernel': kernel, 'half': np.float32(0.5), 'one': np.array([1]), **weights},
    )


def compiled_of(model, folder, count, **card):
    compiled = compile_model(saved(model, folder), make_card(count, **card))
    return compiled_from_model(compiled, 'm.onnx')


def labels_of(compiled):
    return run_model(compiled.model, {'image': IMAGES})['labels']


SOFTMAX = node('Softmax', 'scores', 'shares', axis=1)
LABELS = ('labels', TensorProto.INT64)


def argmax(source):
    return node('ArgMax', source, 'labels', axis=1, keepdims=0)


@pytest.mark.parametrize('outputs', [
    *permutations(['scores', 'shares', LABELS]), ['scores', LABELS], [LABELS, 'scores'],
    ['scores', 'shares'], ['shares', LABELS], [LABELS, 'shares'],
])
@pytest.mark.parametrize('source', ['scores', 'shares'])
def test_scores_what_is_made_of_them_and_the_best_class_are_one_reading(
    source, outputs, tmp_path
):
    model = network_of([SOFTMAX, argmax(source)], outputs)
    compiled = compiled_of(model, tmp_path, 4)
    scores = run_model(network_of([], ['scores']), FED)['scores']
    np.testing.assert_array_equal(labels_of(compiled), scores.argmax(1))
    found = run_model(compiled.model, {'image': IMAGES})['confidence']
    shares = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
    np.testing.assert_allclose(found, 255 * shares.max(1), atol=1)
    names = {item if isinstance(item, str) else item[0] for item in outputs}
    most = next(name for name in ('scores', 'shares', 'labels') if name in names)
    cut = ', '.join(sorted(names - {most}))
    assert f'outputs cut off: {cut}' in compiled.notes
    assert not any('warning' in note for note in compiled.notes)


def test_the_card_that_inspect_writes_of_such_a_network_compiles_it(tmp_path):
    model = network_of([SOFTMAX, argmax('shares')], [LABELS, 'shares'])
    card = card_from_dict(yaml.safe_load(first_card(model, 'tiny')))
    assert len(card.classes) == 4
    assert compile_model(saved(model, tmp_path), card).graph.node


@pytest.mark.parametrize('outputs', list(permutations(['share', ('mask', TensorProto.BOOL)])))
@pytest.mark.parametrize('count', [1, 2])
def test_one_channel_says_more_than_where_it_passes_a_threshold(count, outputs, tmp_path):
    model = network_of(
        [node('Sigmoid', 'scores', 'share'), node('Greater', 'share half', 'mask')], outputs, 1
    )
    compiled = compiled_of(model, tmp_path, count)
    inside = run_model(network_of([], ['scores'], 1), FED)['scores'][:, 0] > 0
    np.testing.assert_array_equal(labels_of(compiled) == count - 1, inside)
    assert compiled.signature.activation != 'none'
    assert 'outputs cut off: mask' in compiled.notes
    assert not any('warning' in note for note in compiled.notes)


def test_an_output_that_shows_other_classes_than_its_source_is_warned_of(tmp_path):
    model = network_of(
        [node('Sigmoid', 'scores', 'share'), node('Greater', 'share half', 'mask')],
        ['share', ('mask', TensorProto.BOOL)], 1, half=np.float32(0.3),
    )
    notes = compiled_of(model, tmp_path, 2).notes
    share = run_model(model, FED)['share']
    assert np.mean((share > 0.3) != (share > 0.5)) > 0.05
    assert any(
        'warning: mask' in note and 'outputs: [mask] in the card' in note for note in notes
    )


@pytest.mark.parametrize('nodes', [
    [node('ReduceMax', 'shares', 'sure', axes=[1], keepdims=0), argmax('shares')],
    [node('TopK', 'shares one', 'sure labels', axis=1)],
])
def test_a_confidence_beside_labels_is_not_taken_for_scores(nodes, tmp_path):
    model = network_of([SOFTMAX, *nodes], ['sure', LABELS], 2)
    compiled = compiled_of(model, tmp_path, 2)
    labels = run_model(model, FED)['labels'].reshape(2, *SIZE_HW)
    np.testing.assert_array_equal(labels_of(compiled), labels)
    assert not any('warning' in note for note in compiled.notes)


def test_sigmoids_whose_best_class_the_network_takes_itself_leave_no_pixel_unlabelled(tmp_path):
    model = network_of([node('Sigmoid', 'scores', 'shares'), argmax('scores')], ['shares', LABELS])
    labels = run_model(model, FED)['labels']
    np.testing.assert_array_equal(labels_of(compiled_of(model, tmp_path, 4)), labels)


def test_labels_show_how_scores_of_a_smaller_map_are_enlarged(tmp_path):
    model = network_of([
        node('AveragePool', 'scores', 'low', kernel_shape=[4, 4], strides=[4, 4]),
        helper.make_node(
            'Resize', ['low', '', 'scales'], ['large'], mode='linear',
            coordinate_transformation_mode='align_corners',
        ),
        argmax('large'),
    ], ['low', LABELS], scales=np.array([1, 1, 4, 4], np.float32))
    compiled = compiled_of(model, tmp_path, 4)
    assert (compiled.signature.upsampling, compiled.signature.enlarged) == ('align_corners', True)
    found = run_model(compiled.model, {'image': IMAGES})['labels_network_size']
    assert np.mean(found == run_model(model, FED)['labels']) > 0.999


def test_activations_that_contradict_one_another_are_refused_with_both_outputs(tmp_path):
    model = network_of([SOFTMAX, node('Sigmoid', 'scores', 'chances')], ['shares', 'chances'])
    message = r'from shares.*from chances.*outputs: \[shares\] or outputs: \[chances\]'
    with pytest.raises(FamilyError, match=message):
        compiled_of(model, tmp_path, 4)
    compiled = compiled_of(model, tmp_path, 4, outputs=['shares'])
    assert compiled.signature.activation == 'softmax'


def queries_of(outputs, tail=(), **more):
    """Write class scores and masks of five queries, and the class map that they add up to."""
    random = np.random.default_rng(0)
    return network_of([
        node('ReduceMean', 'scores', 'level', axes=[1, 2, 3], keepdims=1),
        node('Reshape', 'level column', 'mean'), node('Mul', 'mean rows', 'classes'),
        node('Softmax', 'classes', 'all_shares', axis=2),
        node('Slice', 'all_shares from to along', 'shares'),
        node('Sigmoid', 'scores', 'chances'), node('Reshape', 'chances flat', 'cells'),
        node('Transpose', 'shares', 'turned', perm=[0, 2, 1]),
        node('MatMul', 'turned cells', 'sums'), node('Reshape', 'sums square', 'map'), *tail,
    ], outputs, 5, **{
        'column': np.array([-1, 1, 1]), 'rows': random.normal(0, 9, (1, 5, 4)).astype(np.float32),
        'from': np.array([0]), 'to': np.array([3]), 'along': np.array([2]),
        'flat': np.array([0, 5, -1]), 'square': np.array([-1, 3, *SIZE_HW]), **more,
    })


@pytest.mark.parametrize(('outputs', 'tail'), [
    (['map', 'all_shares', 'classes', 'scores'], ()),
    (['scores', 'all_shares', 'classes', 'map'], ()),
    (['all_shares', 'classes', LABELS, 'scores'], [argmax('map')]),
])
def test_queries_are_taken_before_the_class_map_that_they_add_up_to(outputs, tail, tmp_path):
    model = queries_of(outputs, tail)
    compiled = compiled_of(model, tmp_path, 3)
    assert compiled.card.family == 'query_masks'
    found = run_model(queries_of(['map']), FED)['map'].argmax(1)
    assert np.mean(labels_of(compiled) == found) > 0.999
    cut = next(note for note in compiled.notes if note.startswith('outputs cut off'))
    assert 'all_shares' in cut
    assert 'classes' not in cut
    assert not any('warning' in note for note in compiled.notes)


def test_a_class_map_with_weights_of_its_own_competes_with_queries(tmp_path):
    head = node('Conv', 'images other_kernel', 'map_of_its_own', pads=[1, 1, 1, 1])
    model = queries_of(
        ['classes', 'scores', 'map_of_its_own'], [head],
        other_kernel=np.ones((3, 3, 3, 3), np.float32),
    )
    notes = compiled_of(model, tmp_path, 3).notes
    assert any('map_of_its_own could be meant as well as classes, scores' in note
               for note in notes)


@pytest.mark.parametrize('is_early_first', [True, False])
@pytest.mark.parametrize(('early', 'late'), [('early', 'late'), ('aux', 'out'), ('out', 'aux')])
def test_a_head_that_leaves_the_network_early_is_not_taken_but_reported(
    early, late, is_early_first, tmp_path
):
    random = np.random.default_rng(0)
    model = network_of(
        [node('Conv', 'scores early_kernel', early), node('Relu', 'scores', 'features'),
         node('Conv', 'features middle_kernel', 'middle'),
         node('Conv', 'middle late_kernel', late)],
        [early, late] if is_early_first else [late, early], **{
            f'{name}_kernel': random.normal(0, 1, (4, 4, 1, 1)).astype(np.float32)
            for name in ('early', 'middle', 'late')
        },
    )
    compiled = compiled_of(model, tmp_path, 4)
    np.testing.assert_array_equal(labels_of(compiled), run_model(model, FED)[late].argmax(1))
    assert any(f'{early} could be meant as well as {late}' in note for note in compiled.notes)


@pytest.mark.parametrize('outputs', [['aux', 'out'], ['out', 'aux']])
def test_of_heads_with_as_many_layers_the_auxiliary_one_is_not_taken(outputs, tmp_path):
    random = np.random.default_rng(0)
    model = network_of(
        [node('Conv', f'scores {name}_kernel', name) for name in outputs], outputs, **{
            f'{name}_kernel': random.normal(0, 1, (4, 4, 1, 1)).astype(np.float32)
            for name in outputs
        },
    )
    compiled = compiled_of(model, tmp_path, 4)
    np.testing.assert_array_equal(labels_of(compiled), run_model(model, FED)['out'].argmax(1))
    assert any('aux could be meant as well as out' in note for note in compiled.notes)


@pytest.mark.parametrize('classes', [['aux_classes', 'classes'], ['classes', 'aux_classes']])
def test_of_class_scores_of_queries_with_as_many_layers_the_auxiliary_ones_are_not_taken(
    classes, tmp_path
):
    random = np.random.default_rng(0)
    model = network_of(
        [node('ReduceMean', 'scores', 'level', axes=[1, 2, 3], keepdims=1),
         node('Reshape', 'level column', 'mean'), node('Mul', 'mean rows', 'hidden'),
         *(node('MatMul', f'hidden {name}_heads', name) for name in classes)],
        [*classes, 'scores'], 5, column=np.array([-1, 1, 1]),
        rows=random.normal(0, 1, (1, 5, 4)).astype(np.float32), **{
            f'{name}_heads': random.normal(0, 1, (4, 6)).astype(np.float32) for name in classes
        },
    )
    assert 'outputs cut off: aux_classes' in compiled_of(model, tmp_path, 5).notes


def test_scores_and_masks_of_queries_are_those_of_the_last_layer(tmp_path):
    random = np.random.default_rng(0)
    model = network_of(
        [node('Conv', 'scores mixing', 'late_masks'),
         node('ReduceMean', 'late_masks', 'level', axes=[1, 2, 3], keepdims=1),
         node('Reshape', 'level column', 'mean'), node('Mul', 'mean rows', 'hidden'),
         node('MatMul', 'hidden heads', 'early_classes'),
         node('MatMul', 'hidden inner', 'deeper'), node('MatMul', 'deeper heads', 'late_classes')],
        ['early_classes', 'scores', 'late_classes', 'late_masks'], 5, **{
            name: random.normal(0, 1, shape).astype(np.float32) for name, shape in {
                'mixing': (5, 5, 1, 1), 'rows': (1, 5, 4), 'inner': (4, 4), 'heads': (4, 6),
            }.items()
        }, column=np.array([-1, 1, 1]),
    )
    notes = compiled_of(model, tmp_path, 5).notes
    assert 'outputs cut off: early_classes, scores' in notes

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

"""Networks of queries decoded in the graph, against numpy and, for masks, dense arithmetic."""

import numpy as np
from onnx import helper
import pytest
from seg_ros.compile.compile_model import compile_model
from seg_ros.compile.compiled import compiled_from_model
from seg_ros.compile.families import interpretations
from seg_ros.compile.import_onnx import network_from_model
from seg_ros.compile.operators import check_operators
from seg_ros.core.errors import CardError, FamilyError
from tiny_networks import images_of, make_card, network_of_answers, run_model, saved

SIZE_HW, MAP_HW, QUERIES, CLASSES = (64, 96), (16, 24), 9, 4


def answers(seed=0, columns=CLASSES + 1, boxes=''):
    random = np.random.default_rng(seed)
    found = {
        'class_scores': random.normal(0, 2, (3, QUERIES, columns)),
        'masks': random.normal(-0.5, 3, (3, QUERIES, *MAP_HW)),
    }
    if boxes:
        table = {'boxes': random.uniform(0, 1, (3, QUERIES, 4))}
        found = {**table, **found} if boxes == 'first' else {**found, **table}
    return {name: values.astype(np.float32) for name, values in found.items()}


def compiled_answers(folder, found, task, classes=CLASSES, scores='', **options):
    path = saved(network_of_answers(found, SIZE_HW), folder)
    things = [{'id': index, 'name': f'class {index}', 'thing': index > 1}
              for index in range(classes)]
    card = make_card(classes, task, classes=things, scores=scores)
    return compiled_from_model(compile_model(path, card, **options), path.name)


def sigmoid(values):
    return 1 / (1 + np.exp(-values.astype(np.float64)))


def softmax(values):
    odds = np.exp(values.astype(np.float64))
    return odds / odds.sum(-1, keepdims=True)


def activated(found):
    """Return what a network gives that has its activations inside."""
    scores = found['class_scores']
    chances = softmax(scores) if scores.shape[-1] > CLASSES else sigmoid(scores)
    inside = {'class_scores': chances, 'masks': sigmoid(found['masks'])}
    return {**found, **{name: values.astype(np.float32) for name, values in inside.items()}}


INSIDE = pytest.mark.parametrize('export', [dict, activated], ids=['bare', 'activated'])


@INSIDE
def test_semantic_scores_are_sums_of_masks_by_class(export, tmp_path):
    found = answers()
    compiled = compiled_answers(tmp_path, export(found), 'semantic')
    assert compiled.card.family == 'query_masks'
    outputs = run_model(compiled.model, {'image': images_of([2, 0], SIZE_HW)})
    for index, answer in enumerate((2, 0)):
        sums = np.einsum(
            'qc,qhw->chw', softmax(found['class_scores'][answer])[:, :-1],
            sigmoid(found['masks'][answer]),
        )
        labels = outputs['logits'][index].argmax(0)
        assert (labels == sums.argmax(0)).mean() > 0.999
        share = sums.max(0) / np.maximum(sums.sum(0), 1)
        assert abs(outputs['confidence'][index] - 255 * share).max() < 1


@INSIDE
@pytest.mark.parametrize('boxes', ['', 'first', 'last'])
@pytest.mark.parametrize('columns', [CLASSES, CLASSES + 1])
def test_instances_are_the_best_pairs_of_query_and_class(boxes, columns, export, tmp_path):
    found = answers(1, columns, boxes)
    compiled = compiled_answers(tmp_path, export(found), 'instance', score_floor=0.1)
    outputs = run_model(compiled.model, {'image': images_of([1], SIZE_HW)})
    scores, masks = found['class_scores'][1], found['masks'][1]
    chances = sigmoid(scores) if columns == CLASSES else softmax(scores)[:, :-1]
    pairs = sorted(np.ndindex(chances.shape), key=lambda pair: -chances[pair])
    expected = []
    for query, channel in pairs[:QUERIES] if columns > CLASSES else pairs:
        inside = masks[query] > 0
        mean = 1 if boxes else sigmoid(masks[query])[inside].mean()
        expected.append((chances[query, channel] * mean, query, channel))
    expected = sorted((item for item in expected if item[0] >= 0.1), reverse=True)
    filled = np.count_nonzero(outputs['scores'][0])
    assert filled == len(expected)
    for slot, (score, query, channel) in enumerate(expected):
        assert outputs['scores'][0, slot] == pytest.approx(score, rel=1e-4)
        assert outputs['classes'][0, slot] == channel
        levels = np.clip(np.rint(128 + 16 * masks[query].astype(np.float64)), 0, 255)
        assert abs(outputs['masks'][0, slot] - levels).max() <= 1
        rows, columns_ = np.nonzero(masks[query] > 0)
        step = SIZE_HW[0] / MAP_HW[0]
        box = np.clip([
            (columns_.min() - 1) * step, (rows.min() - 1) * step,
            (columns_.max() + 2) * step, (rows.max() + 2) * step,
        ], 0, SIZE_HW[::-1] * 2)
        np.testing.assert_allclose(outputs['boxes'][0, slot], box, atol=1e-3)


@pytest.mark.parametrize('kind', ['sigmoid', 'softmax'])
def test_the_card_says_what_scores_of_a_class_more_than_its_own_are(kind, tmp_path):
    found = answers(4, boxes='first')
    found['class_scores'][..., -1] -= 9     # hardly ever the likeliest, as nothing would be
    compiled = compiled_answers(tmp_path, found, 'instance', scores=kind)
    outputs = run_model(compiled.model, {'image': images_of([1], SIZE_HW)})
    activation = {'sigmoid': sigmoid, 'softmax': softmax}[kind]
    chances = activation(found['class_scores'][1])[:, :-1]
    best = np.sort(chances.ravel())[::-1][:np.count_nonzero(outputs['scores'])]
    np.testing.assert_allclose(outputs['scores'][0, :best.size], best, rtol=1e-4)
    assert not any('warning' in note for note in compiled.notes)
    (warning,) = (
        note for note in compiled_answers(tmp_path, found, 'instance').notes if 'warning' in note
    )
    assert 'scores: sigmoid' in warning


def test_what_values_do_not_show_the_columns_and_the_card_do(tmp_path):
    random = np.random.default_rng(7)
    found = answers(7)
    found['others'] = random.normal(-9, 5, (3, QUERIES, 4)).astype(np.float32)
    (note,) = (
        note for note in compiled_answers(tmp_path, found, 'instance').notes if 'read as' in note
    )
    assert note.endswith('masks of 16x24, boxes')
    found = answers(8, columns=4)
    found['hidden'] = random.normal(0, 2, (3, QUERIES, 32)).astype(np.float32)
    plain = {name: found[name] for name in ('class_scores', 'masks')}
    with_hidden, without = (
        run_model(
            compiled_answers(tmp_path, network, 'instance', classes=3).model,
            {'image': images_of([0], SIZE_HW)},
        ) for network in (found, plain)
    )
    assert np.count_nonzero(without['scores'])
    np.testing.assert_array_equal(with_hidden['scores'], without['scores'])
    np.testing.assert_array_equal(with_hidden['classes'], without['classes'])


@pytest.mark.parametrize(('boxes', 'task'), [('', 'semantic'), ('last', 'instance')])
def test_a_network_with_boxes_is_read_as_one_of_instances_first(boxes, task):
    network = network_from_model(network_of_answers(answers(6, boxes=boxes), SIZE_HW))
    assert interpretations(network)[0][0].task == task


@pytest.mark.parametrize('columns', [4, 5, 6])
def test_boxes_alone_are_no_class_scores(columns, tmp_path):
    found = answers(5)
    corners = np.sort(np.random.default_rng(5).uniform(0, 64, (3, QUERIES, 2, 2)), axis=2)
    rows = np.concatenate(
        [corners.reshape(3, QUERIES, 4), found['class_scores'][..., :columns - 4]], axis=2
    )
    network = {'dets': rows.astype(np.float32), 'masks': found['masks']}
    with pytest.raises(CardError, match='query_masks: no outputs of class scores'):
        compiled_answers(tmp_path, network, 'instance', columns)


@pytest.mark.parametrize(('size_hw', 'side'), [((64, 96), 28), ((64, 96), 56), ((256, 256), 28)])
def test_masks_over_boxes_are_not_read_as_masks_over_the_image(size_hw, side, tmp_path):
    found = answers(6, boxes='first')
    found['masks'] = np.zeros((3, QUERIES, side, side), np.float32)
    path = saved(network_of_answers(found, size_hw), tmp_path)
    with pytest.raises((CardError, FamilyError), match=r'masks \[N, Q, h, w\] over the image'):
        compile_model(path, make_card(CLASSES, 'instance'))


@INSIDE
def test_queries_whose_likeliest_class_is_nothing_do_not_compete(export, tmp_path):
    found = answers(2)
    found['class_scores'][0, :3, -1] = 9
    compiled = compiled_answers(tmp_path, export(found), 'panoptic', score_floor=0.05)
    assert compiled.signature.tensors == ('scores', 'classes', 'rivals')
    outputs = run_model(compiled.model, {'image': images_of([0], SIZE_HW)})
    chances = softmax(found['class_scores'][0])
    speaking = [query for query in range(QUERIES) if chances[query].argmax() < CLASSES]
    speaking.sort(key=lambda query: -chances[query].max())
    filled = np.count_nonzero(outputs['scores'][0])
    assert filled == len(speaking) < QUERIES
    for slot, query in enumerate(speaking):
        assert outputs['scores'][0, slot] == pytest.approx(chances[query].max(), rel=1e-4)
        assert outputs['classes'][0, slot] == chances[query].argmax()
        np.testing.assert_allclose(
            outputs['rivals'][0, slot], sigmoid(found['masks'][0, query]), atol=1e-5
        )


@INSIDE
@pytest.mark.parametrize('task', ['semantic', 'instance', 'panoptic'])
def test_the_graph_holds_only_what_tensorrt_takes(task, export, tmp_path):
    compiled = compiled_answers(tmp_path, export(answers(3)), task)
    assert check_operators(compiled.model) == []


def test_what_has_been_through_its_activation_is_reported(tmp_path):
    (note,) = (
        note for note in compiled_answers(tmp_path, activated(answers()), 'semantic').notes
        if note.startswith('read as')
    )
    assert note.endswith('class scores from 0 to 1, masks from 0 to 1')


@INSIDE
@pytest.mark.parametrize('task', ['semantic', 'instance', 'panoptic'])
def test_masks_with_queries_transposed_to_the_last_axis_are_read(task, export, tmp_path):
    found = export(answers(4))
    model = network_of_answers(found, SIZE_HW)
    model.graph.node.append(helper.make_node('Transpose', ['masks'], ['last'], perm=[0, 2, 3, 1]))
    model.graph.output[1].name = 'last'
    card = compiled_answers(tmp_path, found, task).card
    image = {'image': images_of([1], SIZE_HW)}
    first = run_model(compiled_answers(tmp_path, found, task).model, image)
    second = run_model(compile_model(saved(model, tmp_path), card), image)
    assert first.keys() == second.keys()
    for name, values in first.items():
        np.testing.assert_array_equal(second[name], values)


def test_masks_with_queries_last_that_no_transpose_makes_are_refused(tmp_path):
    found = answers()
    found['masks'] = found['masks'].transpose(0, 2, 3, 1)
    with pytest.raises(CardError, match=r'masks \[N, h, w, Q\] can be read if a Transpose'):
        compiled_answers(tmp_path, found, 'instance')


def test_another_number_of_classes_than_the_cards_is_refused(tmp_path):
    with pytest.raises((CardError, FamilyError)):
        compiled_answers(tmp_path, answers(), 'instance', classes=9)


@pytest.mark.parametrize('task', ['panoptic', 'semantic'])
def test_what_the_card_says_of_scores_that_are_probabilities_is_warned_of(tmp_path, task):
    compiled = compiled_answers(tmp_path, activated(answers()), task, scores='softmax')
    assert any('scores: softmax has no effect' in note for note in compiled.notes)
    asked = compiled_answers(tmp_path, answers(), task, scores='softmax')
    assert not any('has no effect' in note for note in asked.notes)

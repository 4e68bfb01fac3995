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

"""Pixels grouped around centres in the graph, against the same written with loops."""

import numpy as np
import onnx
from onnx import helper, numpy_helper
import pytest
from seg_ros.compile.compile_model import compile_model
from seg_ros.compile.compiled import compiled_from_model
from seg_ros.compile.operators import check_operators
from seg_ros.core.errors import CardError, FamilyError
from seg_ros.core.settings import Settings
from seg_ros.engines import open_engine
from tiny_networks import (
    centers_network,
    centers_scene,
    images_of,
    make_card,
    network_of_answers,
    run_model,
    saved,
)

MAP_HW, CLASSES = (24, 36), 5
SIZE_HW = (96, 144)
THINGS = (2, 3, 4)
WINDOW = 5


def panoptic_card(count=CLASSES, things=THINGS, **rest):
    classes = [
        {'id': 10 + index, 'name': f'class {index}', 'thing': index in things}
        for index in range(count)
    ]
    return make_card(count, 'panoptic', classes=classes, **rest)


def sigmoid(values):
    return 1 / (1 + np.exp(-values.astype(np.float64)))


def plain_peaks(heat, floor, slots):
    """Return (row, column) and score of the cells that no cell of the window exceeds."""
    reach = WINDOW // 2
    found = []
    for y, x in np.ndindex(heat.shape):
        window = heat[max(0, y - reach):y + reach + 1, max(0, x - reach):x + reach + 1]
        if heat[y, x] >= window.max() and sigmoid(heat[y, x]) >= floor:
            found.append(((y, x), sigmoid(heat[y, x])))
    return sorted(found, key=lambda peak: -peak[1])[:slots]


def reaches_higher(heat, start, prominence, steps=8):
    """Return whether a walk of a few steps, none far below its start, ends on a higher cell."""
    least, seen, edge = heat[start] - np.float32(prominence), {start}, [start]
    for _ in range(steps):
        around = {
            (y + down, x + right) for y, x in edge for down in (-1, 0, 1) for right in (-1, 0, 1)
        }
        edge = [
            (y, x) for y, x in around - seen
            if 0 <= y < heat.shape[0] and 0 <= x < heat.shape[1] and heat[y, x] > least
        ]
        if any(heat[cell] > heat[start] for cell in edge):
            return True
        seen.update(edge)
    return False


def plain_maxima(heat, floor, slots, prominence):
    """Return (row, column) and score of the cells from which every way up leads down first."""
    found = [
        (cell, sigmoid(heat[cell])) for cell in np.ndindex(heat.shape)
        if sigmoid(heat[cell]) >= floor and not reaches_higher(heat, cell, prominence)
    ]
    return sorted(found, key=lambda peak: -peak[1])[:slots]


def plain_score(heat, own_best, own_chances, small):
    """
    Score one segment and choose its class.

    :param own_best: class of each of its cells.
    :param own_chances: probabilities of the classes in each, (CLASSES, cells).
    """
    if not small:
        winner = int(np.bincount(own_best, minlength=CLASSES).argmax())
        return heat * own_chances[winner].mean(), winner
    sums = [own_chances[thing].sum() for thing in THINGS]
    share = max(sums) / (own_best.size + small)
    return (heat * share) ** 0.5, THINGS[int(np.argmax(sums))]


def plain_grouping(scene, floor=0.05, slots=100, prominence=0.0, small=0.0):
    """
    Group one image's cells as the paper describes it, one after the other.

    :param small: cells at which probabilities count half; 0 scores as the paper does.
    :returns: slot + 1 of each cell, and score and class of each slot.
    """
    semantic, heat, offset = scene['semantic'], scene['center'][0], scene['offset']
    peaks = (
        plain_maxima(heat, floor, slots, prominence) if prominence
        else plain_peaks(heat, floor, slots)
    )
    best = semantic.argmax(0)
    instances = np.zeros(heat.shape, int)
    for y, x in np.ndindex(heat.shape):
        if best[y, x] in THINGS and peaks:
            aim = np.array([y, x]) + offset[:, y, x].astype(np.float64)
            distances = [np.hypot(*(aim - peak)) for peak, _ in peaks]
            instances[y, x] = 1 + int(np.argmin(distances))
    odds = np.exp(semantic.astype(np.float64))
    chances = odds / odds.sum(0)
    scores, classes = np.zeros(slots), np.zeros(slots, int)
    for slot, (_, score) in enumerate(peaks):
        mine = instances == slot + 1
        if mine.any():
            score, winner = plain_score(score, best[mine], chances[:, mine], small)
            if score >= floor:
                scores[slot], classes[slot] = score, winner
    return instances, scores, classes


def compiled_scenes(folder, model, card=None, **options):
    path = saved(model, folder)
    return compiled_from_model(
        compile_model(path, card or panoptic_card(), **options), path.name
    )


def assert_grouped(outputs, index, scene, **limits):
    instances, scores, classes = plain_grouping(scene, **limits)
    np.testing.assert_array_equal(outputs['instances'][index], instances)
    np.testing.assert_allclose(outputs['scores'][index], scores, rtol=2e-5)
    np.testing.assert_array_equal(outputs['classes'][index], classes)


def ridge_scene():
    """Return a long object whose centre is uncertain, two peaks in a ridge, and another object."""
    scene = {name: np.zeros_like(values) for name, values in centers_scene(0).items()}
    scene['semantic'][0] = 1.0
    scene['semantic'][2, 4:8, 4:16] = scene['semantic'][2, 4:8, 24:30] = 5.0
    scene['center'][:] = -9
    scene['center'][0, 6, 6:14] = [0.1, -0.1, -0.2, -0.3, -0.3, -0.2, -0.1, 0.0]
    scene['center'][0, 6, 27] = 0.05
    return scene


@pytest.fixture(scope='module')
def scenes():
    return [centers_scene(seed, 3 + 3 * seed) for seed in range(4)]


def test_a_batch_is_grouped_as_each_image_is_by_loops(scenes, tmp_path):
    compiled = compiled_scenes(tmp_path, centers_network(scenes))
    assert compiled.card.family == 'panoptic_centers'
    assert compiled.signature.max_batch == 0
    assert compiled.signature.tensors == (
        'logits', 'scores', 'classes', 'instances', 'labels', 'confidence', 'labels_network_size',
        'confidence_network_size',
    )
    order = [3, 0, 2, 1]
    outputs = run_model(compiled.model, {'image': images_of(order, SIZE_HW)})
    assert outputs['instances'].dtype == np.uint8
    for index, answer in enumerate(order):
        assert np.count_nonzero(outputs['scores'][index]) >= 3
        assert_grouped(outputs, index, scenes[answer])
        np.testing.assert_array_equal(outputs['logits'][index], scenes[answer]['semantic'])


@pytest.mark.parametrize('runtime', ['openvino', 'onnxruntime'])
def test_both_cpu_runtimes_group_alike(runtime, scenes, tmp_path):
    pytest.importorskip(runtime, reason=f'{runtime} is not installed')
    compiled = compiled_scenes(tmp_path, centers_network(scenes))
    path = saved(compiled.model, tmp_path, 'compiled.onnx')
    settings = Settings(model=str(path), engine=runtime, inference_precision='f32')
    engine = open_engine(settings)
    try:
        outputs = engine.submit(images_of([1, 3], SIZE_HW)).result()
    finally:
        engine.close()
    for index, answer in enumerate([1, 3]):
        assert_grouped(outputs.present(), index, scenes[answer])
        labels = scenes[answer]['semantic'].argmax(0)
        np.testing.assert_array_equal(outputs.labels[index], labels)


def test_what_the_user_bakes_bounds_the_instances(scenes, tmp_path):
    compiled = compiled_scenes(
        tmp_path, centers_network(scenes), score_floor=0.2, max_instances=4
    )
    assert (compiled.signature.score_floor, compiled.signature.max_instances) == (0.2, 4)
    outputs = run_model(compiled.model, {'image': images_of([2], SIZE_HW)})
    assert_grouped(outputs, 0, scenes[2], floor=0.2, slots=4)


@pytest.mark.parametrize('prominence', [0.3, 2.0])
def test_a_centre_has_to_rise_above_the_path_to_a_higher_one(prominence, scenes, tmp_path):
    compiled = compiled_scenes(tmp_path, centers_network(scenes), prominence=prominence)
    outputs = run_model(compiled.model, {'image': images_of([3], SIZE_HW)})
    assert_grouped(outputs, 0, scenes[3], prominence=prominence)


@pytest.mark.parametrize('ending', [None, 'Clip'])
def test_two_peaks_of_one_ridge_are_one_object(ending, tmp_path):
    scene = ridge_scene()
    heat = scene['center'] if ending is None else sigmoid(scene['center'])
    model = centers_network([{**scene, 'center': heat.astype(np.float32)}])
    model = model if ending is None else with_ending(model, 'center', ending)
    found = {}
    for prominence in (0.0, 0.5):
        compiled = compiled_scenes(tmp_path, model, prominence=prominence)
        outputs = run_model(compiled.model, {'image': images_of([0], SIZE_HW)})
        found[prominence] = np.count_nonzero(outputs['scores'][0])
    assert found == {0.0: 3, 0.5: 2}


@pytest.mark.parametrize('small', [0.5, 10.0, 200.0])
def test_segments_are_scored_by_what_their_cells_add_up_to(small, scenes, tmp_path):
    compiled = compiled_scenes(tmp_path, centers_network(scenes), small_segment=small)
    order = [1, 3]
    outputs = run_model(compiled.model, {'image': images_of(order, SIZE_HW)})
    for index, answer in enumerate(order):
        assert_grouped(outputs, index, scenes[answer], small=small)


def doubtful_scene():
    """Return an object of four cells, and one that 20 cells are sure of and 30 others are not."""
    scene = {name: np.zeros_like(values) for name, values in centers_scene(0).items()}
    scene['semantic'][:] = -5.0
    scene['semantic'][0] = 2.0
    scene['semantic'][2, 4:6, 4:6] = 9.0
    scene['semantic'][3, 12:16, 20:25] = 9.0
    scene['semantic'][3:5, 16:22, 20:25] = [[[3.0]], [[3.1]]]
    scene['center'][:] = -9
    scene['center'][0, 5, 5] = scene['center'][0, 16, 22] = 0.0
    return scene


def test_few_cells_are_believed_less_and_sure_ones_weigh_more(tmp_path):
    model = centers_network([doubtful_scene()])
    found = {}
    for small in (0.0, 4.0):
        compiled = compiled_scenes(tmp_path, model, small_segment=small)
        outputs = run_model(compiled.model, {'image': images_of([0], SIZE_HW)})
        found[small] = {
            int(kind): float(score)
            for kind, score in zip(outputs['classes'][0], outputs['scores'][0], strict=True)
            if score
        }
    # 20 cells of the larger object are sure of class 3, and 30 lean towards class 4.
    assert sorted(found[0.0]) == [2, 4]
    assert found[0.0][2] == pytest.approx(0.5, rel=0.01)
    assert sorted(found[4.0]) == [2, 3]
    assert found[4.0][2] == pytest.approx((0.5 / 2)**0.5, rel=0.01)


def test_more_instances_than_a_byte_counts_are_given_in_32_bits(scenes, tmp_path):
    compiled = compiled_scenes(tmp_path, centers_network(scenes), max_instances=256)
    outputs = run_model(compiled.model, {'image': images_of([3], SIZE_HW)})
    assert outputs['instances'].dtype == np.int32
    assert_grouped(outputs, 0, scenes[3], slots=256)


def test_an_image_without_a_centre_has_no_instances(tmp_path):
    empty, other = centers_scene(5), centers_scene(6)
    empty['center'][:] = -9
    assert (empty['semantic'].argmax(0) >= 2).any()
    compiled = compiled_scenes(tmp_path, centers_network([empty, other]))
    outputs = run_model(compiled.model, {'image': images_of([0], SIZE_HW)})
    for name in ('instances', 'scores', 'classes'):
        assert not outputs[name].any()


def test_a_half_precision_network_is_grouped_in_single_precision(scenes, tmp_path):
    compiled = compiled_scenes(tmp_path, centers_network(scenes, np.float16))
    outputs = run_model(compiled.model, {'image': images_of([1], SIZE_HW)})
    half = {name: values.astype(np.float16).astype('f') for name, values in scenes[1].items()}
    assert_grouped(outputs, 0, half)


def with_ending(model, tensor, kind, **attributes):
    """Let the network's output `tensor` end in one more node."""
    changed = onnx.ModelProto()
    changed.CopyFrom(model)
    for node in changed.graph.node:
        node.output[:] = [f'{name}_raw' if name == tensor else name for name in node.output]
    changed.graph.node.append(helper.make_node(kind, [f'{tensor}_raw'], [tensor], **attributes))
    return changed


def test_an_activation_after_scores_or_heat_changes_nothing(scenes, tmp_path):
    model = centers_network(scenes)
    model = with_ending(with_ending(model, 'center', 'Sigmoid'), 'semantic', 'Softmax', axis=1)
    outputs = run_model(
        compiled_scenes(tmp_path, model).model, {'image': images_of([2], SIZE_HW)}
    )
    assert_grouped(outputs, 0, scenes[2])


def test_a_heatmap_that_ends_in_a_clip_holds_probabilities(scenes, tmp_path):
    squashed = [{**scene, 'center': sigmoid(scene['center'])} for scene in scenes]
    model = with_ending(centers_network(squashed), 'center', 'Clip')
    outputs = run_model(
        compiled_scenes(tmp_path, model).model, {'image': images_of([1], SIZE_HW)}
    )
    assert_grouped(outputs, 0, scenes[1])


def test_a_heatmap_that_was_trained_without_a_sigmoid_is_taken_as_it_is(scenes, tmp_path):
    noise = np.random.default_rng(0).normal(0, 0.01, scenes[0]['center'].shape)
    linear = [{**scene, 'center': 0.95 * sigmoid(scene['center']) + noise} for scene in scenes]
    assert min(scene['center'].min() for scene in linear) < -0.01
    linear[1]['center'].flat[linear[1]['center'].argmax()] = 1.05
    compiled = compiled_scenes(tmp_path, centers_network(linear))
    outputs = run_model(compiled.model, {'image': images_of([1], SIZE_HW)})
    chances = linear[1]['center'].clip(1e-9, 1 - 1e-9)
    assert_grouped(outputs, 0, {**linear[1], 'center': np.log(chances / (1 - chances))})
    assert not any('warning' in note for note in compiled.notes)


def test_a_heatmap_of_which_most_would_be_centres_is_warned_of(scenes, tmp_path):
    levels = [{**scene, 'center': 255 * sigmoid(scene['center'])} for scene in scenes]
    warned = [
        'as if most cells were centres' in ' '.join(compiled_scenes(tmp_path, network).notes)
        for network in map(centers_network, (levels, scenes))
    ]
    assert warned == [True, False]


def test_a_card_without_countable_classes_is_refused(scenes, tmp_path):
    with pytest.raises(CardError, match='no countable class'):
        compiled_scenes(tmp_path, centers_network(scenes), panoptic_card(things=()))


def test_another_number_of_classes_than_the_cards_is_refused(scenes, tmp_path):
    with pytest.raises(CardError, match=r'panoptic and 7 classes.*panoptic, 5 classes'):
        compiled_scenes(tmp_path, centers_network(scenes), panoptic_card(7))


def test_maps_under_other_names_are_known_by_their_channels(scenes, tmp_path):
    named = compiled_scenes(tmp_path, centers_network(scenes), panoptic_card())
    maps = {name: np.stack([scene[name] for scene in scenes]) for name in scenes[0]}
    others = {name: maps[name] for name in ('offset', 'center', 'semantic')}
    network = network_of_answers(
        {f'output_{index}': table for index, table in enumerate(others.values())}, SIZE_HW
    )
    compiled = compiled_scenes(tmp_path, network, panoptic_card())
    (note,) = (note for note in compiled.notes if note.startswith('read as'))
    assert note.endswith('in output_2, output_1, output_0, identified by their channels')
    image = {'image': images_of([0], SIZE_HW)}
    expected, found = (run_model(item.model, image) for item in (named, compiled))
    assert np.count_nonzero(expected['instances'])
    for name, values in expected.items():
        np.testing.assert_array_equal(found[name], values)


@pytest.mark.parametrize('names', [('semantic', 'center', 'offset'), ('a', 'b', 'c')])
def test_maps_transposed_to_channels_last_are_read(names, scenes, tmp_path):
    model = centers_network(scenes)
    for before, name in zip(('semantic', 'center', 'offset'), names, strict=True):
        model = with_ending(model, before, 'Transpose', perm=[0, 2, 3, 1])
        model.graph.node[-1].output[0] = name
        (output,) = (item for item in model.graph.output if item.name == before)
        output.name = name
    compiled = compiled_scenes(tmp_path, model)
    assert_grouped(run_model(compiled.model, {'image': images_of([1], SIZE_HW)}), 0, scenes[1])


def test_maps_that_the_network_itself_enlarges_are_grouped_at_their_size(scenes, tmp_path):
    model = centers_network(scenes[:2])
    graph = model.graph
    graph.initializer.append(numpy_helper.from_array(np.float32([1, 1, 4, 4]), 'scales'))
    graph.initializer.append(numpy_helper.from_array(np.float32(4), 'cells'))
    for item in graph.output:
        graph.node.append(helper.make_node(
            'Resize', [item.name, '', 'scales'], [f'{item.name}_up'], mode='linear',
            coordinate_transformation_mode='half_pixel',
        ))
        item.name += '_up'
    graph.node.append(helper.make_node('Mul', ['offset_up', 'cells'], ['offset_pixels']))
    graph.output[2].name = 'offset_pixels'
    compiled = compiled_scenes(tmp_path, model, panoptic_card())
    image = {'image': images_of([1], SIZE_HW)}
    maps = run_model(model, {'images': np.ones((1, 3, *SIZE_HW), np.float32)}).values()
    scene = {name: values[0] for name, values in zip(scenes[0], maps, strict=True)}
    assert scene['semantic'].shape[1:] == SIZE_HW
    assert_grouped(run_model(compiled.model, image), 0, scene)


@pytest.mark.parametrize(('spoil', 'message'), [
    (lambda maps: {**maps, 'offset': maps['offset'][:, :1]}, r'offset float32 \[1, 1, 24, 36\]'),
    (lambda maps: {**maps, 'center': maps['center'][:, :, ::2]}, r'center float32 \[1, 1, 12'),
    (lambda maps: {'scores': maps['semantic'], 'center': maps['center']}, 'no outputs called'),
])
def test_maps_that_do_not_go_together_are_refused(spoil, message, scenes, tmp_path):
    maps = {name: np.stack([scene[name] for scene in scenes]) for name in scenes[0]}
    with pytest.raises(FamilyError, match=message):
        compiled_scenes(
            tmp_path, network_of_answers(spoil(maps), SIZE_HW),
            panoptic_card(family='panoptic_centers'),
        )


@pytest.mark.parametrize(('opset', 'fixed', 'small'), [(17, True, 0.0), (20, False, 10.0)])
def test_the_graph_holds_only_what_tensorrt_takes_in_all_its_outputs(
    opset, fixed, small, scenes, tmp_path
):
    model = onnx.version_converter.convert_version(centers_network(scenes, fixed=fixed), opset)
    compiled = compiled_scenes(tmp_path, model, small_segment=small)
    assert compiled.signature.max_batch == int(fixed)
    onnx.checker.check_model(compiled.model, full_check=True)
    assert check_operators(compiled.model) == []

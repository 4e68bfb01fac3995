from dataclasses import replace

import numpy as np
import pytest
from seg_ros.compile.compile_model import compile_model
from seg_ros.compile.compiled import compiled_from_model
from seg_ros.compile.postprocessing import postprocessing_for, with_postprocessing
from seg_ros.core.errors import SettingError
from seg_ros.core.settings import Settings
from tiny_networks import images_of, make_card, network_of_answers, run_model, saved

SIZE_HW, MAP_HW = (32, 48), (8, 12)


@pytest.fixture(scope='module', params=[5, 300])
def scored(request, tmp_path_factory):
    answers = np.random.default_rng(0).normal(0, 3, (3, request.param, *MAP_HW))
    model = network_of_answers({'out': answers.astype(np.float32)}, SIZE_HW)
    path = saved(model, tmp_path_factory.mktemp('scored'))
    compiled = compiled_from_model(compile_model(path, make_card(request.param)), '', path.name)
    return answers.astype(np.float32), compiled


def probabilities(logits):
    exponents = np.exp(logits.astype(np.float64))
    return exponents / exponents.sum(1, keepdims=True)


def assert_labels(outputs, logits):
    kind = np.uint8 if logits.shape[1] <= 254 else np.int32
    assert outputs['labels'].dtype == kind
    np.testing.assert_array_equal(outputs['labels'], logits.argmax(1))
    assert outputs['confidence'].dtype == np.uint8
    np.testing.assert_allclose(
        outputs['confidence'], 255 * probabilities(logits).max(1), atol=0.51
    )


@pytest.mark.parametrize('upsample', ['edges', 'nearest'])
def test_labels_and_confidence_are_argmax_and_softmax_of_the_scores(scored, upsample):
    answers, compiled = scored
    outputs = run_model(
        with_postprocessing(compiled, upsample), {'image': images_of([2, 0], SIZE_HW)}
    )
    assert_labels(outputs, answers[[2, 0]])
    assert ('logits' in outputs) == (upsample == 'edges')
    if upsample == 'edges':
        np.testing.assert_array_equal(outputs['logits'], answers[[2, 0]])


def bilinear(plane, size_hw):
    """Enlarge (…, h, w) with half-pixel centres and repeated borders, axis by axis."""
    for axis, side in ((-2, size_hw[0]), (-1, size_hw[1])):
        small = plane.shape[axis]
        at = np.clip((np.arange(side) + 0.5) * small / side - 0.5, 0, small - 1)
        low = np.minimum(at.astype(int), small - 2)
        weight = (at - low).reshape((-1, 1) if axis == -2 else (-1,))
        plane = plane.take(low, axis) * (1 - weight) + plane.take(low + 1, axis) * weight
    return plane


def test_the_graph_enlarges_scores_to_the_network_size(scored):
    answers, compiled = scored
    outputs = run_model(
        with_postprocessing(compiled, 'graph'), {'image': images_of([2, 0], SIZE_HW)}
    )
    large = bilinear(answers[[2, 0]].astype(np.float64), SIZE_HW)
    assert sorted(outputs) == ['confidence', 'labels']
    assert outputs['labels'].shape == (2, *SIZE_HW)
    assert np.mean(outputs['labels'] == large.argmax(1)) > 0.999
    np.testing.assert_allclose(outputs['confidence'], 255 * probabilities(large).max(1), atol=1)


def sampled(plane, size_hw, at_yx):
    """Interpolate (…, h, w) at network positions, 0 being the first network pixel's centre."""
    for axis, (side, at) in enumerate(zip(size_hw, at_yx, strict=True), start=-2):
        small = plane.shape[axis]
        at = np.clip((at + 0.5) * small / side - 0.5, 0, small - 1)
        low = np.minimum(at.astype(int), small - 2)
        weight = (at - low).reshape((-1, 1) if axis == -2 else (-1,))
        plane = plane.take(low, axis) * (1 - weight) + plane.take(low + 1, axis) * weight
    return plane


# Where an image's pixel centres lie in a network of 32x48: its size, scale and offset.
PICTURES = {
    'stretch': ((50, 60), (32 / 50, 48 / 60), (0, 0)),
    'letterbox': ((64, 64), (0.5, 0.5), (0, 8)),
    'shortest_side': ((64, 64), (0.75, 0.75), (-8, 0)),
}


@pytest.mark.parametrize('fit', PICTURES)
@pytest.mark.parametrize('enlarged', [False, True])
def test_a_baked_image_size_gets_its_own_labels(scored, fit, enlarged):
    answers, compiled = scored
    source_hw, scale, offset = PICTURES[fit]
    spec = replace(compiled.card.input, fit=fit)
    chosen = replace(
        compiled, card=replace(compiled.card, input=spec),
        signature=replace(compiled.signature, enlarged=enlarged),
    )
    outputs = run_model(with_postprocessing(chosen, 'graph', source_hw), {
        'image': images_of([1], SIZE_HW)
    })
    at_yx = [
        (np.arange(side) + 0.5) * ratio + start - 0.5
        for side, ratio, start in zip(source_hw, scale, offset, strict=True)
    ]
    scores = answers[[1]].astype(np.float64)
    if enlarged:
        scores = bilinear(scores, SIZE_HW)
    scores = sampled(scores, SIZE_HW, at_yx)
    assert sorted(outputs) == ['confidence', 'labels']
    assert outputs['labels'].shape == (1, *source_hw)
    assert np.mean(outputs['labels'] == scores.argmax(1)) > 0.999
    np.testing.assert_allclose(outputs['confidence'], 255 * probabilities(scores).max(1), atol=1)


def test_settings_choose_the_tail_and_the_images_that_it_is_good_for(scored):
    _, compiled = scored
    options = postprocessing_for(compiled, Settings(source_size='60x50'), 'graph')
    assert (options.upsample, options.signature.source_hw) == ('graph', (50, 60))
    edges = postprocessing_for(compiled, Settings(source_size='60x50', upsample='edges'), 'graph')
    assert (edges.upsample, edges.signature.source_hw) == ('edges', None)
    assert postprocessing_for(compiled, Settings(), 'nearest').upsample == 'nearest'


def test_the_tail_keeps_card_and_contract(scored):
    _, compiled = scored
    again = compiled_from_model(with_postprocessing(compiled, 'edges'), '', 'with tail')
    assert (again.card, again.signature) == (compiled.card, compiled.signature)


def test_a_file_without_scores_passes_unchanged(tmp_path):
    labels = np.arange(2 * MAP_HW[0] * MAP_HW[1]).reshape(2, *MAP_HW) % 5
    path = saved(network_of_answers({'out': labels}, SIZE_HW), tmp_path)
    compiled = compiled_from_model(compile_model(path, make_card(5)), '', path.name)
    assert with_postprocessing(compiled, 'graph') is compiled.model


def test_an_unknown_way_to_upsample_is_refused(scored):
    with pytest.raises(SettingError, match=r"'auto'.*edges, nearest, graph"):
        with_postprocessing(scored[1], 'auto')

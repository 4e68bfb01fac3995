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

"""Labels at source size are those of scores interpolated densely, in 64-bit floats."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from seg_ros.core.card import ClassInfo, InputSpec, ModelCard
from seg_ros.core.signature import ModelSignature
from seg_ros.core.tensors import Outputs
from seg_ros.core.thresholds import Thresholds
from seg_ros.image.fit import fit_for
from seg_ros.masks.class_map import (
    hide_small_stuff,
    id_table,
    semantic_segmentation,
    source_classes,
)
from seg_ros.masks.postprocess_context import PARTS, PostprocessContext

NETWORK = (96, 128)
RULES = ('half_pixel', 'align_corners', 'asymmetric')
CASES = [
    ((97, 131), 'stretch', (24, 32)),
    ((240, 320), 'letterbox', (24, 32)),
    ((300, 170), 'letterbox', (13, 17)),
    ((180, 320), 'shortest_side', (24, 32)),
    ((211, 150), 'shortest_side', (96, 128)),
    ((20, 31), 'stretch', (24, 32)),
    ((37, 50), 'letterbox', (96, 128)),
]


def make_card(classes, first=0):
    infos = [
        ClassInfo(first + 2 * index, f'class {index}', (index % 255 + 1, index // 255, 0))
        for index in range(classes)
    ]
    return ModelCard('scene', 'semantic', tuple(infos))


def thresholds(card, confidence=0, channels=None):
    kept = frozenset(range(len(card.classes)) if channels is None else channels)
    return Thresholds(0.0, 127.5, 0.5, confidence, kept)


def smooth_logits(classes, size_hw, seed=0, steep=3.0):
    """Make a scene in which each class wins more than 5 % of the pixels."""
    rng = np.random.default_rng(seed)
    for _ in range(100):
        planes = [
            cv2.resize(rng.normal(size=(5, 6)), size_hw[::-1], interpolation=cv2.INTER_CUBIC)
            for _ in range(classes)
        ]
        logits = (steep * np.stack(planes)).astype(np.float32)
        if min(np.bincount(logits.argmax(0).ravel(), minlength=classes)) > 0.05 * logits[0].size:
            return logits
    raise AssertionError('no scene with all classes')


def outputs_from_logits(logits):
    """Give what a graph's tail gives: the best class and its probability."""
    odds = np.exp(logits.astype(np.float64) - logits.max(0))
    confidence = np.rint(255 * odds.max(0) / odds.sum(0)).astype(np.uint8)
    return Outputs(labels=logits.argmax(0).astype(np.uint8), confidence=confidence, logits=logits)


def class_map(logits, fit, card):
    """Return the class map of a network whose scores are scaled by half-pixel centres."""
    signature = ModelSignature(fit.network_hw, ('logits',))
    outputs = outputs_from_logits(logits)
    return source_classes(
        outputs, PostprocessContext(fit, signature, card, thresholds(card)), False
    )[0]


def positions(fit, axis, size, rule):
    """Say where each source pixel's centre lies in a map, with the formulas of ONNX Resize."""
    scale = fit.resized_hw[axis] / fit.source_hw[axis]
    index = (np.arange(fit.source_hw[axis]) + 0.5) * scale + fit.offset_yx[axis] - 0.5
    network = fit.network_hw[axis]
    place = {
        'half_pixel': (index + 0.5) * size / network - 0.5,
        'align_corners': index * (size - 1) / (network - 1),
        'asymmetric': index * size / network,
    }[rule]
    return np.clip(place, 0, size - 1)


def dense(logits, fit, rule):
    """Interpolate every score at every source pixel."""
    weights = []
    for axis in (0, 1):
        size = logits.shape[1 + axis]
        place = positions(fit, axis, size, rule)
        weights.append(np.maximum(0, 1 - abs(place[:, None] - np.arange(size))))
    return weights[0] @ logits.astype(np.float64) @ weights[1].T


def corners(labels, fit, rule):
    """Return the four neighbours' labels of each source pixel."""
    spans = []
    for axis in (0, 1):
        place = positions(fit, axis, labels.shape[axis], rule)
        spans.append((np.floor(place).astype(int), np.ceil(place).astype(int)))
    return np.stack([labels[np.ix_(rows, columns)] for rows in spans[0] for columns in spans[1]])


def seen(fit):
    x0, y0, x1, y1 = fit.seen_xyxy
    return np.s_[y0:y1, x0:x1]


@pytest.mark.parametrize('rule', RULES)
@pytest.mark.parametrize(('source', 'fit_rule', 'size'), CASES)
def test_labels_are_the_argmax_of_the_interpolated_scores(source, fit_rule, size, rule):
    logits = smooth_logits(6, size)
    outputs, card = outputs_from_logits(logits), make_card(6)
    fit = fit_for(source, NETWORK, InputSpec(fit=fit_rule))
    signature = ModelSignature(NETWORK, ('logits',), upsampling=rule)
    classes, confidence = source_classes(
        outputs, PostprocessContext(fit, signature, card, thresholds(card)), False
    )
    assert confidence is None
    assert classes.dtype == np.uint8
    scores = dense(logits, fit, rule)
    equal = classes == card.id_of_channel[scores.argmax(0)]
    inside = seen(fit)
    assert equal[inside].mean() >= 0.999
    first, second = np.sort(scores, axis=0)[:-3:-1]
    assert (first - second)[inside][~equal[inside]].max(initial=0) < 1e-4
    neighbours = corners(outputs.labels, fit, rule)
    alike = (neighbours == neighbours[0]).all(0)
    assert 0 < alike.mean() < 1
    assert equal[inside][alike[inside]].all()


@pytest.mark.parametrize('align', ['center', 'top_left'])
def test_what_a_crop_hides_from_the_network_is_unlabelled(align):
    card = make_card(6)
    fit = fit_for((90, 300), NETWORK, InputSpec(fit='shortest_side', align=align))
    classes, confidence = source_classes(
        outputs_from_logits(smooth_logits(6, (24, 32))),
        PostprocessContext(fit, ModelSignature(NETWORK, ('logits',)), card, thresholds(card)),
        True,
    )
    hidden = np.ones(fit.source_hw, bool)
    hidden[seen(fit)] = False
    assert 0.3 < hidden.mean() < 0.7
    np.testing.assert_array_equal(classes == 255, hidden)
    assert not confidence[hidden].any()
    assert confidence[~hidden].all()


def test_a_class_that_comes_second_on_both_sides_of_an_edge_wins_between():
    columns = np.array([[1, -1], [-1, 1], [0.9, 0.9]], np.float32)
    logits = np.repeat(columns[:, None], 2, axis=1)
    card = make_card(3)
    fit = fit_for((2, 11), (2, 2), InputSpec(fit='stretch'))
    classes = class_map(logits, fit, card)
    winners = dense(logits, fit, 'half_pixel').argmax(0)
    assert set(winners[0].tolist()) == {0, 1, 2}
    np.testing.assert_array_equal(classes, card.id_of_channel[winners])


@pytest.mark.parametrize('size', [(1, 1), (1, 9), (9, 1), (2, 2)])
def test_tiny_maps_of_scores_are_interpolated_too(size):
    logits = np.random.default_rng(5).normal(size=(4, *size)).astype(np.float32)
    card = make_card(4)
    fit = fit_for((33, 47), NETWORK, InputSpec(fit='stretch'))
    classes = class_map(logits, fit, card)
    scores = dense(logits, fit, 'half_pixel')
    present = np.unique(logits.argmax(0))
    best = present[scores[present].argmax(0)]
    assert (classes == card.id_of_channel[best]).mean() > 0.999


def test_scores_of_sixteen_bits_give_the_same_labels():
    logits = smooth_logits(6, (24, 32)).astype(np.float16)
    card = make_card(6)
    fit = fit_for((120, 160), NETWORK, InputSpec(fit='stretch'))
    classes = class_map(logits, fit, card)
    best = dense(logits, fit, 'half_pixel').argmax(0)
    assert (classes == card.id_of_channel[best]).mean() >= 0.999


def test_confidence_of_sums_is_the_winners_share_of_them():
    card = make_card(6)
    sums = np.abs(smooth_logits(6, (24, 32), steep=0.5))
    fit = fit_for((180, 240), NETWORK, InputSpec(fit='letterbox'))
    signature = ModelSignature(NETWORK, ('logits',), activation='share')
    share = sums.max(0) / np.maximum(sums.sum(0), 1)
    outputs = Outputs(
        labels=sums.argmax(0).astype(np.uint8), confidence=np.rint(255 * share).astype(np.uint8),
        logits=sums,
    )
    _, confidence = source_classes(
        outputs, PostprocessContext(fit, signature, card, thresholds(card)), True
    )
    fine = dense(sums, fit, 'half_pixel')
    error = confidence - 255 * fine.max(0) / np.maximum(fine.sum(0), 1)
    assert error.max() < 12
    assert abs(error).mean() < 3


@pytest.mark.parametrize('rule', RULES)
def test_confidence_is_that_of_the_interpolated_scores_and_never_more(rule):
    card = make_card(6)
    for steep, mean in ((0.5, 0.6), (3.0, 3.0)):
        logits = smooth_logits(6, (24, 32), steep=steep)
        fit = fit_for((180, 240), NETWORK, InputSpec(fit='letterbox'))
        signature = ModelSignature(NETWORK, ('logits',), upsampling=rule)
        _, confidence = source_classes(
            outputs_from_logits(logits),
            PostprocessContext(fit, signature, card, thresholds(card)),
            True,
        )
        odds = np.exp(dense(logits, fit, rule))
        error = confidence - 255 * odds.max(0) / odds.sum(0)
        assert error.max() < 3
        assert abs(error).mean() < mean


@pytest.mark.parametrize('rule', RULES)
@pytest.mark.parametrize(('source', 'fit_rule', 'size'), CASES)
@pytest.mark.parametrize('kind', [np.uint8, np.int32])
def test_without_scores_the_nearest_label_is_taken(source, fit_rule, size, rule, kind):
    rng = np.random.default_rng(3)
    labels = rng.integers(0, 6, size).astype(kind)
    nobody = 255 if kind is np.uint8 else -1
    labels[rng.random(size) < 0.2] = nobody
    card = make_card(6)
    fit = fit_for(source, NETWORK, InputSpec(fit=fit_rule))
    signature = ModelSignature(NETWORK, ('labels',), upsampling=rule)
    classes, confidence = source_classes(
        Outputs(labels=labels), PostprocessContext(fit, signature, card, thresholds(card)), True
    )
    assert confidence is None
    rows, columns = (positions(fit, axis, size[axis], rule) for axis in (0, 1))
    tied = np.logical_or.outer(abs(rows % 1 - 0.5) < 1e-9, abs(columns % 1 - 0.5) < 1e-9)
    near = labels[np.ix_(np.rint(rows).astype(int), np.rint(columns).astype(int))]
    expected = np.where(near == nobody, 255, 2 * near)
    inside = seen(fit)
    np.testing.assert_array_equal(classes[inside][~tied[inside]], expected[inside][~tied[inside]])


def test_labels_of_the_network_size_pass_unchanged():
    labels = np.random.default_rng(4).integers(0, 6, NETWORK).astype(np.uint8)
    card = make_card(6)
    fit = fit_for(NETWORK, NETWORK, InputSpec())
    outputs = Outputs(labels=labels, confidence=labels + 9)
    for rule in RULES:
        signature = ModelSignature(NETWORK, ('labels', 'confidence'), upsampling=rule)
        classes, confidence = source_classes(
            outputs, PostprocessContext(fit, signature, card, thresholds(card)), True
        )
        np.testing.assert_array_equal(classes, 2 * labels)
        np.testing.assert_array_equal(confidence, labels + 9)


def test_three_hundred_classes_have_labels_of_thirty_two_bits():
    labels = np.arange(-1, 299, dtype=np.int32).reshape(15, 20)
    card = make_card(300, first=1)
    fit = fit_for((15, 20), (15, 20), InputSpec())
    classes, _ = source_classes(
        Outputs(labels=labels),
        PostprocessContext(fit, ModelSignature((15, 20), ('labels',)), card, thresholds(card)),
        False,
    )
    assert classes.dtype == np.uint16
    np.testing.assert_array_equal(classes, np.where(labels < 0, 65535, 1 + 2 * labels))


@pytest.mark.parametrize('first', [0, 300])
def test_a_class_that_is_not_wanted_leaves_its_pixels_unlabelled(first):
    outputs, card = outputs_from_logits(smooth_logits(6, (24, 32))), make_card(6, first)
    fit = fit_for((180, 240), NETWORK, InputSpec(fit='stretch'))
    signature = ModelSignature(NETWORK, ('logits',))
    every, _ = source_classes(
        outputs, PostprocessContext(fit, signature, card, thresholds(card)), False
    )
    some, confidence = source_classes(
        outputs, PostprocessContext(fit, signature, card, thresholds(card, channels={1, 4})), True
    )
    kept = np.isin(every, [first + 2, first + 8])
    assert 0.1 < kept.mean() < 0.9
    np.testing.assert_array_equal(some, np.where(kept, every, card.unlabelled))
    np.testing.assert_array_equal(confidence > 0, kept)


@pytest.mark.parametrize('wanted', [False, True])
def test_pixels_below_the_least_confidence_are_unlabelled(wanted):
    outputs, card = outputs_from_logits(smooth_logits(6, (24, 32))), make_card(6)
    fit = fit_for((180, 240), NETWORK, InputSpec(fit='stretch'))
    signature = ModelSignature(NETWORK, ('logits',))
    every, sure = source_classes(
        outputs, PostprocessContext(fit, signature, card, thresholds(card)), True
    )
    some, confidence = source_classes(
        outputs, PostprocessContext(fit, signature, card, thresholds(card, 150)), wanted
    )
    assert 0.1 < (sure < 150).mean() < 0.9
    np.testing.assert_array_equal(some, np.where(sure < 150, 255, every))
    np.testing.assert_array_equal(confidence, np.where(sure < 150, 0, sure))


@pytest.mark.parametrize('part', sorted(PARTS))
def test_a_part_of_semantic_masks_is_the_same_alone_as_among_all(part):
    outputs, card = outputs_from_logits(smooth_logits(6, (24, 32))), make_card(6)
    fit = fit_for((180, 240), NETWORK, InputSpec(fit='stretch'))
    whole = PostprocessContext(
        fit, ModelSignature(NETWORK, ('logits',)), card, thresholds(card), PARTS
    )
    classes, confidence = source_classes(outputs, whole, True)
    instances = np.zeros((180, 240), np.uint16)
    every = semantic_segmentation(outputs, whole)
    alone = semantic_segmentation(outputs, replace(whole, parts=frozenset({part})))
    for name, values in (
        ('classes', classes), ('confidence', confidence), ('instances', instances),
    ):
        np.testing.assert_array_equal(getattr(every, name), values)
        np.testing.assert_array_equal(getattr(alone, name), values if name == part else None)


def test_a_network_without_confidence_is_certain_of_nothing():
    card, labels = make_card(6), np.zeros(NETWORK, np.uint8)
    context = PostprocessContext(
        fit_for((180, 240), NETWORK, InputSpec(fit='stretch')),
        ModelSignature(NETWORK, ('labels',)), card, thresholds(card),
    )
    masks = semantic_segmentation(Outputs(labels=labels), context)
    assert (masks.classes == 0).all()
    assert not masks.confidence.any()


@pytest.mark.parametrize('last', [254, 65534])
def test_pixels_of_the_last_id_are_counted_and_a_class_of_exactly_the_least_share_stays(last):
    card = ModelCard('scene', 'semantic', tuple(
        ClassInfo(number, f'class {number}', (9, 9, index))
        for index, number in enumerate((1, 2, last))
    ))
    classes = np.full((10, 10), last, card.id_of_channel.dtype)
    classes[0, :5], classes[1, :4] = 1, 2
    expected = np.where(classes == 2, card.unlabelled, classes)
    hide_small_stuff(classes, None, card, 0.05)
    np.testing.assert_array_equal(classes, expected)


@pytest.mark.parametrize(('classes', 'first', 'nobody'), [(254, 0, 65535), (6, 3, 255)])
def test_the_table_maps_channels_to_ids_and_all_else_to_unlabelled(classes, first, nobody):
    card = make_card(classes, first)
    table = id_table(card, thresholds(card, channels=set(range(classes)) - {2}))
    assert table[2] == table[255] == table[-1] == nobody
    kept = [channel for channel in range(classes) if channel != 2]
    np.testing.assert_array_equal(table[kept], [first + 2 * channel for channel in kept])
    assert (table[classes:] == nobody).all()


def test_the_outputs_are_not_written_to():
    outputs, card = outputs_from_logits(smooth_logits(6, (24, 32))), make_card(6)
    for array in outputs.present().values():
        array.flags.writeable = False
    fit = fit_for((24, 32), (24, 32), InputSpec())
    signature = ModelSignature((24, 32), ('logits',))
    classes, confidence = source_classes(
        outputs, PostprocessContext(fit, signature, card, thresholds(card, 9)), True
    )
    assert classes.flags.writeable
    assert confidence.flags.writeable


@pytest.mark.parametrize('rule', RULES)
@pytest.mark.parametrize(('source', 'fit_rule', 'size'), CASES)
def test_scores_that_the_network_enlarges_are_interpolated_twice(source, fit_rule, size, rule):
    logits = smooth_logits(6, size)
    card = make_card(6)
    fit = fit_for(source, NETWORK, InputSpec(fit=fit_rule))
    signature = ModelSignature(NETWORK, ('logits',), upsampling=rule, enlarged=True)
    classes, _ = source_classes(
        outputs_from_logits(logits),
        PostprocessContext(fit, signature, card, thresholds(card)),
        False,
    )
    enlarged = dense(logits, fit_for(NETWORK, NETWORK, InputSpec(fit='stretch')), rule)
    scores = dense(enlarged, fit, 'half_pixel')
    equal = (classes == card.id_of_channel[scores.argmax(0)])[seen(fit)]
    first, second = np.sort(scores, axis=0)[:-3:-1]
    assert equal.mean() >= 0.999
    assert (first - second)[seen(fit)][~equal].max(initial=0) < 1e-4


def test_labels_that_the_engine_brought_to_source_size_are_taken_as_they_are():
    card, size_hw = make_card(4), (90, 40)
    rng = np.random.default_rng(3)
    labels = rng.integers(0, 4, size_hw).astype(np.uint8)
    confidence = rng.integers(1, 256, size_hw).astype(np.uint8)
    signature = ModelSignature(NETWORK, ('logits',), source_hw=size_hw)
    fit = fit_for(size_hw, NETWORK, InputSpec(NETWORK, fit='shortest_side'))
    classes, certain = source_classes(
        Outputs(labels=labels, confidence=confidence.copy()),
        PostprocessContext(
            fit, signature, card, thresholds(card, confidence=100, channels={0, 1, 3})
        ),
        True,
    )
    # An image of 90x40 fills the width of 128; of its 288 rows there, the middle 96 are seen.
    seen = (np.arange(90) * 3.2 + 1.6 >= 96) & (np.arange(90) * 3.2 + 1.6 < 192)
    top, bottom = np.flatnonzero(seen)[[0, -1]]
    kept = (labels != 2) & (confidence >= 100)
    kept[:top] = kept[bottom + 1:] = False
    np.testing.assert_array_equal(classes, np.where(kept, 2 * labels, 255))
    np.testing.assert_array_equal(certain, np.where(kept, confidence, 0))

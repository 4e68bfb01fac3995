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

"""Instances whose edges follow the classes at source size, against the same pixel by pixel."""

from dataclasses import replace

import numpy as np
import pytest
from seg_ros.core.card import ClassInfo, InputSpec, ModelCard
from seg_ros.core.signature import ModelSignature
from seg_ros.core.tensors import Outputs
from seg_ros.core.thresholds import Thresholds
from seg_ros.image.fit import fit_for
from seg_ros.masks.class_map import source_classes
from seg_ros.masks.panoptic import panoptic_segmentation
from seg_ros.masks.pixel_to_instance import thing_pixel_to_instance
from seg_ros.masks.postprocess_context import PostprocessContext

NETWORK = (48, 64)
CLASSES = 5
CARD = ModelCard('x', 'panoptic', tuple(
    ClassInfo(10 + index, f'class {index}', (index + 1, 0, 0), index >= 2)
    for index in range(CLASSES)
))
WIDE_CARD = replace(CARD, classes=tuple(
    replace(item, id=item.id + 400) for item in CARD.classes
))
EVERY = Thresholds(0.2, 127.5, 0.5, 0, frozenset(range(CLASSES)))
TENSORS = ('labels', 'confidence', 'logits', 'scores', 'classes', 'instances')


def random_outputs(seed, cells_hw=(12, 16), count=9, kind=np.uint8):
    """Return an image's outputs: noise scores, and instances in every countable cell."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 1, (CLASSES, *cells_hw)).astype(np.float32)
    logits[2:] += 2 * (1 in cells_hw)
    odds = np.exp(logits)
    labels = logits.argmax(0)
    instances = np.where(labels >= 2, rng.integers(1, count + 1, cells_hw), 0)
    return Outputs(
        labels=labels.astype(np.uint8),
        confidence=np.rint(255 * odds.max(0) / odds.sum(0)).astype(np.uint8),
        logits=logits,
        scores=rng.uniform(0, 1, count).astype(np.float32),
        classes=(2 + np.arange(count) % 3).astype(np.int32),
        instances=instances.astype(kind),
    )


def make_signature(rule='half_pixel'):
    return ModelSignature(NETWORK, TENSORS, upsampling=rule)


def place_of(index, axis, fit, size, rule):
    """Return where the centre of a source pixel lies among cells, 0 = the first one's centre."""
    scale = fit.resized_hw[axis] / fit.source_hw[axis]
    network = (index + 0.5) * scale + fit.offset_yx[axis] - 0.5
    if rule == 'align_corners':
        return network * (size - 1) / (NETWORK[axis] - 1)
    shift = 0.5 if rule == 'half_pixel' else 0
    return (network + shift) * size / NETWORK[axis] - shift


def plain_owners(outputs, classes, fit, rule, card):
    """
    Weigh the four cells around every pixel, one after the other.

    :returns: slot + 1 for each pixel, and how far the winner leads.
    """
    owner, leads = np.zeros(classes.shape, int), np.full(classes.shape, np.inf)
    cells = outputs.instances.astype(int)
    countable = {item.id for item in card.classes if item.thing}
    for y, x in np.ndindex(classes.shape):
        if classes[y, x] not in countable:
            continue
        weights = {}
        spans = []
        for index, axis in ((y, 0), (x, 1)):
            place = np.clip(
                place_of(index, axis, fit, cells.shape[axis], rule), 0, cells.shape[axis] - 1
            )
            below = min(int(place), max(0, cells.shape[axis] - 2))
            after = min(below + 1, cells.shape[axis] - 1)
            spans.append(((below, 1 - place + below), (after, place - below)))
        for row, down in spans[0]:
            for column, right in spans[1]:
                slot = cells[row, column]
                if slot:
                    own = card.classes[outputs.classes[slot - 1]].id == classes[y, x]
                    weights[slot] = weights.get(slot, float(own)) + down * right
        ranked = sorted(weights, key=weights.get, reverse=True)
        if ranked:
            owner[y, x] = ranked[0]
        if len(ranked) > 1:
            leads[y, x] = weights[ranked[0]] - weights[ranked[1]]
    return owner, leads


@pytest.mark.parametrize('card', [CARD, WIDE_CARD], ids=['8 bits', '16 bits'])
@pytest.mark.parametrize('cells_hw', [(12, 16), (1, 7), (6, 1)])
@pytest.mark.parametrize(('rule', 'fit_rule', 'source'), [
    ('half_pixel', 'stretch', (60, 90)), ('align_corners', 'letterbox', (50, 37)),
    ('asymmetric', 'shortest_side', (70, 60)), ('half_pixel', 'letterbox', (10, 90)),
])
def test_countable_pixels_fall_to_the_instance_that_weighs_most(
    rule, fit_rule, source, cells_hw, card
):
    kind = np.uint8 if card is CARD else np.int32
    outputs = random_outputs(len(rule) + cells_hw[0], cells_hw, kind=kind)
    fit, signature = fit_for(source, NETWORK, InputSpec(fit=fit_rule)), make_signature(rule)
    context = PostprocessContext(fit, signature, card, EVERY)
    classes, _ = source_classes(outputs, context, False)
    found = thing_pixel_to_instance(outputs, classes, context)
    owner, leads = plain_owners(outputs, classes, fit, rule, card)
    assert (owner > 0).sum() > 10
    assert 1 in cells_hw or np.isfinite(leads).sum() > 100
    np.testing.assert_array_equal(found[leads > 1e-5], owner[leads > 1e-5])


def test_instances_cover_exactly_the_countable_pixels_beside_one():
    outputs = random_outputs(3, count=255)
    fit = fit_for((96, 128), NETWORK, InputSpec())
    context = PostprocessContext(fit, make_signature(), CARD, EVERY)
    classes, _ = source_classes(outputs, context, False)
    owner = thing_pixel_to_instance(outputs, classes, context)
    assert not owner[classes < 12].any()
    assert (owner[classes >= 12] > 0).mean() > 0.99
    assert owner.max() > 250


def segmented(outputs, thresholds, signature=None):
    fit = fit_for((60, 90), NETWORK, InputSpec(fit='stretch'))
    result = panoptic_segmentation(
        outputs, PostprocessContext(fit, signature or make_signature(), CARD, thresholds)
    )
    result.verify()
    return result


@pytest.mark.parametrize('source', [(60, 90), (20, 33), (200, 150)])
def test_segments_show_every_pixel_that_is_theirs(source):
    outputs, fit = random_outputs(9), fit_for(source, NETWORK, InputSpec())
    context = PostprocessContext(fit, make_signature(), CARD, replace(EVERY, score=0.0))
    classes, _ = source_classes(outputs, context, False)
    owner = thing_pixel_to_instance(outputs, classes, context)
    result = panoptic_segmentation(outputs, context)
    order = np.argsort(-outputs.scores)
    for segment, slot in zip(result.segments, order, strict=True):
        np.testing.assert_array_equal(result.instances == segment.id, owner == slot + 1)


def test_pixels_of_an_instance_that_scores_too_low_keep_their_class_alone():
    outputs = random_outputs(4)
    whole = segmented(outputs, replace(EVERY, score=0.0))
    cut = segmented(outputs, replace(EVERY, score=0.6))
    kept = {segment.score: segment.id for segment in cut.segments}
    assert 0 < len(kept) < len(whole.segments)
    fit = fit_for((60, 90), NETWORK, InputSpec(fit='stretch'))
    semantic, confidence = source_classes(
        outputs, PostprocessContext(fit, make_signature(), CARD, EVERY), True
    )
    for segment in whole.segments:
        mine = whole.instances == segment.id
        assert (cut.instances[mine] == kept.get(segment.score, 0)).all()
        if segment.score not in kept:
            np.testing.assert_array_equal(cut.classes[mine], semantic[mine])
            np.testing.assert_array_equal(cut.confidence[mine], confidence[mine])


def test_hiding_a_class_leaves_the_pixels_of_all_other_segments_as_they_were():
    outputs = random_outputs(5)
    whole = segmented(outputs, EVERY)
    cut = segmented(outputs, replace(EVERY, channels=frozenset({0, 2, 3})))
    assert {item.class_id for item in whole.segments} == {12, 13, 14}
    assert {item.class_id for item in cut.segments} == {12, 13}
    of_score = {item.score: item for item in cut.segments}
    for segment in whole.segments:
        if segment.class_id != 14:
            mine = whole.instances == segment.id
            np.testing.assert_array_equal(cut.instances == of_score[segment.score].id, mine)
    assert not np.isin(cut.classes, (11, 14)).any()
    assert not cut.confidence[cut.classes == CARD.unlabelled].any()
    stuff = whole.classes == 10
    np.testing.assert_array_equal(cut.classes[stuff], 10)


def test_pixels_and_scores_below_the_least_confidence_make_no_instance():
    outputs = random_outputs(6)
    whole = segmented(outputs, EVERY)
    sure = segmented(outputs, replace(EVERY, confidence=120))
    fit = fit_for((60, 90), NETWORK, InputSpec(fit='stretch'))
    _, confidence = source_classes(
        outputs, PostprocessContext(fit, make_signature(), CARD, EVERY), True
    )
    unsure = confidence < 120
    assert 0.1 < unsure.mean() < 0.9
    assert not sure.instances[unsure].any()
    assert (sure.classes[unsure] == CARD.unlabelled).all()
    high = [item.id for item in whole.segments if item.score >= 120 / 255]
    assert 0 < len(high) < len(whole.segments)
    np.testing.assert_array_equal(
        sure.instances[~unsure] > 0, np.isin(whole.instances[~unsure], high)
    )


def test_labels_that_an_engine_enlarged_itself_bound_the_instances_as_well():
    outputs = random_outputs(7)
    rng = np.random.default_rng(8)
    labels = rng.integers(0, CLASSES, (60, 90)).astype(np.uint8)
    fine = replace(outputs, labels=labels, confidence=labels + 200, logits=None)
    result = segmented(fine, EVERY, replace(make_signature(), source_hw=(60, 90)))
    assert not result.instances[labels < 2].any()
    shown = result.instances > 0
    np.testing.assert_array_equal(result.classes[~shown], labels[~shown] + 10)

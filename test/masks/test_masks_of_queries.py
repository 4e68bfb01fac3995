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

"""Slots compete for pixels as a plain 64-bit evaluation of every pixel lets them."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from seg_ros.core.card import InputSpec, ModelCard
from seg_ros.core.card_reading import card_from_dict
from seg_ros.core.signature import ModelSignature
from seg_ros.core.tensors import Outputs
from seg_ros.core.thresholds import Thresholds
from seg_ros.image.fit import fit_for
from seg_ros.masks.panoptic import panoptic_segmentation
from seg_ros.masks.postprocess_context import PostprocessContext
from seg_ros.masks.query_masks import instance_masks_from_query_scores

NETWORK, MAP, COUNT, CLASSES = (96, 128), (24, 32), 12, 5
SIGNATURE = ModelSignature(NETWORK, ('scores', 'classes', 'rivals'), score_floor=0.05)


def make_thresholds(score=0.5, mask=0.5, visible=0.8, channels=range(CLASSES)):
    return Thresholds(score, 255 * mask, visible, 0, frozenset(channels))


def make_card() -> ModelCard:
    return card_from_dict({'name': 'tiny', 'task': 'panoptic', 'classes': [
        {'id': 10 + index, 'name': f'class {index}', 'thing': index >= 2}
        for index in range(CLASSES)
    ]})


def found_instances(outputs, fit, thresholds):
    return instance_masks_from_query_scores(
        outputs, PostprocessContext(fit, SIGNATURE, make_card(), thresholds)
    )


def scene(seed):
    """Return sharp masks that overlap, and scores of which some are too low."""
    random = np.random.default_rng(seed)
    coarse = random.normal(-2, 2.5, (COUNT, 5, 6)).astype(np.float32)
    logits = [cv2.resize(item, MAP[::-1], interpolation=cv2.INTER_CUBIC) for item in coarse]
    scores = np.sort(random.uniform(0.3, 1, COUNT))[::-1].astype(np.float32)
    return Outputs(
        scores=scores, classes=random.integers(0, CLASSES, COUNT).astype(np.int32),
        rivals=(1 / (1 + np.exp(-2 * np.stack(logits)))).astype(np.float32),
    )


def enlarged(masks, fit):
    """Interpolate each mask at every source pixel's centre, float64 (K, H, W)."""
    shares = []
    for axis in (0, 1):
        scale = fit.resized_hw[axis] / fit.source_hw[axis]
        centre = (np.arange(fit.source_hw[axis]) + 0.5) * scale + fit.offset_yx[axis]
        place = np.clip(centre * MAP[axis] / NETWORK[axis] - 0.5, 0, MAP[axis] - 1)
        shares.append(np.maximum(0, 1 - abs(place[:, None] - np.arange(MAP[axis]))))
    return shares[0] @ masks.astype(np.float64) @ shares[1].T


def plain_winners(outputs, fit, score, mask, visible):
    """Return slot + 1 of each pixel, by Mask2Former's rule written with loops."""
    slots = [slot for slot in range(COUNT) if outputs.scores[slot] >= score]
    probabilities = enlarged(outputs.rivals[slots], fit)
    best = (probabilities * outputs.scores[slots, None, None]).argmax(0)
    result = np.zeros(fit.source_hw, int)
    x0, y0, x1, y1 = fit.seen_xyxy
    seen = np.zeros(fit.source_hw, bool)
    seen[y0:y1, x0:x1] = True
    for number, slot in enumerate(slots):
        won, own = (best == number) & seen, (probabilities[number] >= mask) & seen
        if won.sum() > visible * own.sum():
            result[won & own] = slot + 1
    return result


@pytest.mark.parametrize(('source', 'rule'), [
    ((240, 320), 'stretch'), ((211, 150), 'letterbox'), ((60, 75), 'stretch'),
    ((120, 400), 'shortest_side'),
])
@pytest.mark.parametrize('limits', [(0.5, 0.5, 0.8), (0.7, 0.3, 0.5), (0.3, 0.6, 0.0)])
def test_winners_are_those_of_a_dense_evaluation(source, rule, limits):
    fit = fit_for(source, NETWORK, InputSpec(fit=rule))
    agreed, kept = [], 0
    for seed in range(6):
        outputs = scene(seed)
        found = np.zeros(source, int)
        for instance in found_instances(outputs, fit, make_thresholds(*limits)):
            slot = int(np.flatnonzero(outputs.scores == np.float32(instance.score))[0])
            assert instance.channel == outputs.classes[slot]
            x0, y0, x1, y1 = instance.xyxy
            assert not found[y0:y1, x0:x1][instance.mask].any()
            instance.write(found, slot + 1)
            kept += 1
        agreed.append((found == plain_winners(outputs, fit, *limits)).mean())
    assert kept >= 6
    assert np.mean(agreed) >= 0.9995
    assert min(agreed) >= 0.999


def test_nobody_competes_below_the_live_threshold():
    fit = fit_for((60, 80), NETWORK, InputSpec(fit='stretch'))
    limits = make_thresholds(score=1.1)
    assert found_instances(scene(0), fit, limits) == []


@pytest.mark.parametrize(('source', 'bar'), [
    ((96, 40), np.s_[:, :8]), ((40, 128), np.s_[:5]), ((96, 40), np.s_[:, -8:]),
])
def test_a_mask_in_the_padding_alone_is_dropped(source, bar):
    fit = fit_for(source, NETWORK, InputSpec(fit='letterbox'))
    rivals = np.full((1, *MAP), 0.01, np.float32)
    rivals[0][bar] = 0.9
    outputs = Outputs(
        scores=np.ones(1, np.float32), classes=np.zeros(1, np.int32), rivals=rivals
    )
    assert found_instances(outputs, fit, make_thresholds()) == []


def test_stuff_has_classes_without_instances_and_hidden_classes_leave_holes():
    fit = fit_for((120, 160), NETWORK, InputSpec(fit='stretch'))
    card, outputs = make_card(), scene(3)
    whole = panoptic_segmentation(
        outputs, PostprocessContext(fit, SIGNATURE, card, make_thresholds(visible=0.2))
    )
    things = {10 + index for index in range(2, CLASSES)}
    assert {segment.class_id for segment in whole.segments} <= things
    assert set(np.unique(whole.classes)) - things - {255}
    np.testing.assert_array_equal(whole.instances > 0, np.isin(whole.classes, list(things)))
    assert ((whole.confidence == 0) == (whole.classes == 255)).all()
    fewer = panoptic_segmentation(
        outputs,
        PostprocessContext(fit, SIGNATURE, card, make_thresholds(visible=0.2, channels=(0, 1))),
    )
    assert not fewer.instances.any()
    np.testing.assert_array_equal(
        fewer.classes, np.where(np.isin(whole.classes, list(things)), 255, whole.classes)
    )


def test_a_winner_with_less_than_the_least_confidence_leaves_its_pixels_to_nobody():
    outputs, fit = scene(3), fit_for((97, 131), NETWORK, InputSpec(fit='letterbox'))
    card, parts = make_card(), frozenset({'classes', 'confidence', 'instances'})
    thresholds = make_thresholds(score=0.3, visible=0.1)
    whole, sure = (
        panoptic_segmentation(
            outputs,
            PostprocessContext(fit, SIGNATURE, card, replace(thresholds, confidence=least), parts),
        )
        for least in (0, 200)
    )
    sure.verify()
    gone = whole.confidence < 200
    assert (gone & (whole.classes != card.unlabelled)).any()
    np.testing.assert_array_equal(
        sure.classes, np.where(gone, card.unlabelled, whole.classes)
    )
    np.testing.assert_array_equal(sure.confidence, np.where(gone, 0, whole.confidence))

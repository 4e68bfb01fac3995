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

"""Whatever an engine returns, the parts of a segmentation agree."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from seg_ros.core.card import ClassInfo, InputSpec, ModelCard
from seg_ros.core.errors import ContractError
from seg_ros.core.signature import ModelSignature
from seg_ros.core.tensors import Outputs
from seg_ros.core.thresholds import Thresholds
from seg_ros.image.fit import fit_for
from seg_ros.masks.class_map import source_classes
from seg_ros.masks.instance_masks import instance_masks_from_outputs
from seg_ros.masks.panoptic import panoptic_segmentation, segments_from_instance_masks
from seg_ros.masks.postprocess_context import PARTS, PostprocessContext

NETWORK = (48, 64)
CLASSES = 6
CARDS = {
    8: ModelCard('x', 'panoptic', tuple(
        ClassInfo(3 * index + 1, f'class {index}', (index + 1, 0, 0), index > 2)
        for index in range(CLASSES)
    )),
    16: ModelCard('x', 'panoptic', tuple(
        ClassInfo(3 * index + 400, f'class {index}', (index + 1, 0, 0), index > 2)
        for index in range(CLASSES)
    )),
}
SEMANTIC = ('labels', 'confidence', 'logits')
MASKS = ('boxes', 'scores', 'classes', 'masks')
SLOTS = ('scores', 'classes', 'instances')


def smooth(rng, count, size_hw):
    coarse = rng.normal(0, 2, (count, 4, 5))
    return np.stack(
        [cv2.resize(item, size_hw[::-1], interpolation=cv2.INTER_CUBIC) for item in coarse]
    )


def random_outputs(seed, names, count=20):
    """Fill the tensors called `names` with a scene of blobs."""
    rng = np.random.default_rng(seed)
    logits = smooth(rng, CLASSES, (12, 16)).astype(np.float32)
    odds = np.exp(logits - logits.max(0))
    corners = np.sort(rng.uniform(-0.2, 1.2, (count, 2, 2)), axis=1).reshape(count, 4)
    tensors = {
        'logits': logits,
        'labels': logits.argmax(0).astype(np.uint8),
        'confidence': np.rint(255 * odds.max(0) / odds.sum(0)).astype(np.uint8),
        'boxes': (corners * (NETWORK[::-1] * 2)).astype(np.float32),
        'masks': np.clip(160 + 60 * smooth(rng, count, (12, 12)), 0, 255).astype(np.uint8),
        'scores': rng.uniform(0, 1, count).astype(np.float32),
        'classes': rng.integers(0, CLASSES, count).astype(np.int32),
        'instances': smooth(rng, count + 1, (12, 16)).argmax(0).astype(np.uint8),
    }
    return Outputs(**{name: tensors[name] for name in names})


def make_thresholds(seed=0):
    rng = np.random.default_rng(seed)
    channels = rng.choice(CLASSES, 5, replace=False).tolist()
    return Thresholds(0.2, 127.5, 0.3, int(rng.integers(0, 120)), frozenset(channels))


def segmented(
    outputs, card, source=(60, 90), rule='letterbox', thresholds=None, parts=PARTS, **kind
):
    fit = fit_for(source, NETWORK, InputSpec(fit=rule))
    signature = ModelSignature(NETWORK, tuple(outputs.present()), **kind)
    return panoptic_segmentation(
        outputs, PostprocessContext(fit, signature, card, thresholds or make_thresholds(), parts)
    )


@pytest.mark.parametrize('bits', CARDS)
@pytest.mark.parametrize('rule', ['letterbox', 'stretch', 'shortest_side'])
@pytest.mark.parametrize('frame', ['image', 'box'])
@pytest.mark.parametrize('names', [
    SEMANTIC, SEMANTIC[:2], SEMANTIC[:1], MASKS, SLOTS, SEMANTIC + MASKS, SEMANTIC[:2] + SLOTS,
])
def test_the_parts_agree_over_random_outputs(names, frame, rule, bits):
    card = CARDS[bits]
    for seed, source in enumerate([(60, 90), (31, 17), (200, 40)]):
        outputs = random_outputs(seed, names)
        result = segmented(outputs, card, source, rule, make_thresholds(seed), mask_frame=frame)
        result.verify()
        assert result.size_hw == source
        bytes_of_pixel = result.panoptic().view(np.uint32)
        np.testing.assert_array_equal(bytes_of_pixel // 65536, result.classes)
        np.testing.assert_array_equal(bytes_of_pixel % 65536, result.instances)
        scores = [segment.score for segment in result.segments]
        assert scores == sorted(scores, reverse=True)
        assert [segment.id for segment in result.segments] == list(range(1, len(scores) + 1))


@pytest.mark.parametrize('bits', CARDS)
def test_a_semantic_network_gives_classes_without_instances(bits):
    result = segmented(random_outputs(1, SEMANTIC), CARDS[bits])
    assert result.segments == ()
    assert not result.instances.any()
    assert len(np.unique(result.classes)) > 2
    assert result.unlabelled == (255 if bits == 8 else 65535)


@pytest.mark.parametrize('names', [MASKS, SLOTS])
@pytest.mark.parametrize('bits', CARDS)
def test_an_instance_network_leaves_the_rest_unlabelled(bits, names):
    card = CARDS[bits]
    result = segmented(random_outputs(2, names), card)
    assert 1 < len(result.segments) < 20
    np.testing.assert_array_equal(result.classes == card.unlabelled, result.instances == 0)
    np.testing.assert_array_equal(result.confidence > 0, result.instances > 0)
    for segment in result.segments:
        mine = result.instances == segment.id
        assert (result.confidence[mine] == round(255 * segment.score)).all()


def test_instances_take_their_pixels_from_the_semantic_map():
    outputs, card, thresholds = random_outputs(3, SEMANTIC + MASKS), CARDS[8], make_thresholds(3)
    result = segmented(outputs, card, thresholds=thresholds)
    fit = fit_for((60, 90), NETWORK, InputSpec())
    signature = ModelSignature(NETWORK, SEMANTIC + MASKS)
    classes, confidence = source_classes(
        outputs, PostprocessContext(fit, signature, card, thresholds), True
    )
    ground = result.instances == 0
    assert 0.1 < ground.mean() < 0.9
    np.testing.assert_array_equal(result.classes[ground], classes[ground])
    np.testing.assert_array_equal(result.confidence[ground], confidence[ground])
    for segment in result.segments:
        mine = result.instances == segment.id
        assert (result.classes[mine] == segment.class_id).all()
        assert (result.confidence[mine] == round(255 * segment.score)).all()


@pytest.mark.parametrize('names', [SEMANTIC, MASKS, SEMANTIC[:2] + SLOTS])
def test_only_the_parts_that_are_asked_for_are_made_and_they_are_the_same(names):
    outputs, card = random_outputs(4, names), CARDS[8]
    whole = segmented(outputs, card)
    for parts in ([], ['classes'], ['confidence'], ['instances'], ['classes', 'instances']):
        some = segmented(outputs, card, parts=frozenset(parts))
        assert some.segments == whole.segments
        for part in PARTS:
            if part in parts:
                np.testing.assert_array_equal(getattr(some, part), getattr(whole, part))
            else:
                assert getattr(some, part) is None


@pytest.mark.parametrize('names', [MASKS, SEMANTIC + MASKS, SEMANTIC[:2] + SLOTS])
def test_no_pixel_with_a_class_has_less_than_the_least_confidence(names):
    outputs, card = random_outputs(6, names), CARDS[8]
    every = replace(make_thresholds(), channels=frozenset(range(CLASSES)), confidence=0)
    least = 128
    result = segmented(outputs, card, thresholds=replace(every, confidence=least))
    result.verify()
    labelled = result.classes != card.unlabelled
    assert labelled.any()
    assert result.confidence[labelled].min() >= least
    assert min(item.score for item in result.segments) >= (least - 0.5) / 255
    whole = segmented(outputs, card, thresholds=every)
    assert min(item.score for item in whole.segments) < 0.5
    if names == MASKS:      # elsewhere classes below it cut instances too
        sure = [item for item in whole.segments if item.score >= least / 255]
        assert list(result.segments) == sure


@pytest.mark.parametrize('bits', CARDS)
@pytest.mark.parametrize('names', [SEMANTIC + MASKS, SEMANTIC[:2] + SLOTS])
def test_classes_without_instances_that_cover_too_little_are_unlabelled(names, bits):
    outputs, card = random_outputs(5, names), CARDS[bits]
    everything = replace(make_thresholds(5), channels=frozenset(range(CLASSES)), confidence=0)
    whole = segmented(outputs, card, thresholds=everything)
    alone = replace(outputs, scores=np.zeros_like(outputs.scores))
    bare = segmented(alone, card, thresholds=everything)
    shares = {item.id: (bare.classes == item.id).mean() for item in card.classes}
    stuff = sorted(share for number, share in shares.items() if not card.by_id[number].thing)
    assert 0 < stuff[0] < stuff[-1]
    result = segmented(outputs, card, thresholds=replace(everything, stuff=stuff[-1]))
    gone = (whole.instances == 0) & np.isin(whole.classes, [
        item.id for item in card.classes if not item.thing and shares[item.id] < stuff[-1]
    ])
    assert gone.any()
    np.testing.assert_array_equal(
        result.classes, np.where(gone, card.unlabelled, whole.classes)
    )
    np.testing.assert_array_equal(result.confidence, np.where(gone, 0, whole.confidence))
    np.testing.assert_array_equal(result.instances, whole.instances)
    result.verify()


def test_three_hundred_instances_have_ids_of_their_own():
    corners = [(3 * column, 3 * row) for row in range(15) for column in range(20)]
    outputs = Outputs(
        boxes=np.array([(x, y, x + 2, y + 2) for x, y in corners], np.float32),
        masks=np.full((300, 2, 2), 255, np.uint8),
        scores=np.linspace(0.99, 0.5, 300, dtype=np.float32),
        classes=np.full(300, 4, np.int32),
    )
    thresholds = replace(make_thresholds(), channels=frozenset(range(CLASSES)))
    result = segmented(outputs, CARDS[8], NETWORK, thresholds=thresholds)
    result.verify()
    assert len(result.segments) == 300
    for number, (x, y) in enumerate(corners, 1):
        assert (result.instances[y:y + 2, x:x + 2] == number).all()


def test_segments_carry_the_ids_that_they_are_given():
    outputs = random_outputs(5, MASKS)
    fit = fit_for((60, 90), NETWORK, InputSpec())
    instance_masks = instance_masks_from_outputs(outputs, PostprocessContext(
        fit, ModelSignature(NETWORK, MASKS), CARDS[16], make_thresholds()
    ))
    ids = range(50, 50 + len(instance_masks))
    segments = segments_from_instance_masks(instance_masks, CARDS[16], ids)
    assert [segment.id for segment in segments] == list(ids)
    for segment, instance in zip(segments, instance_masks, strict=True):
        assert segment.class_id == CARDS[16].classes[instance.channel].id
        assert (segment.score, segment.xyxy) == (instance.score, instance.xyxy)
        assert segment.area == instance.mask.sum()


@pytest.mark.parametrize('spoil', [
    lambda result: {'segments': result.segments[1:]},
    lambda result: {'segments': (*result.segments[:-1], replace(result.segments[-1], area=1))},
    lambda result: {'segments': (replace(result.segments[0], class_id=1), *result.segments[1:])},
    lambda result: {'segments': (
        replace(result.segments[0], xyxy=(0, 0, 90, 60)), *result.segments[1:]
    )},
    lambda result: {'instances': np.where(result.instances == 1, 2, result.instances).astype('H')},
    lambda result: {'instances': np.roll(result.instances, 1, axis=1)},
    lambda result: {'classes': np.full_like(result.classes, 255)},
    lambda result: {'confidence': np.full_like(result.confidence, 9)},
])
def test_a_planted_contradiction_is_caught(spoil):
    thresholds = replace(make_thresholds(), channels=frozenset({1, 2, 3, 4, 5}))
    result = segmented(random_outputs(6, MASKS), CARDS[8], thresholds=thresholds)
    result.verify()
    assert result.segments[0].class_id != 1
    with pytest.raises(ContractError):
        replace(result, **spoil(result)).verify()

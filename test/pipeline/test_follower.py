"""What is compared with earlier pictures, when, and when that begins anew."""

from dataclasses import replace

import numpy as np
import pytest
from seg_ros.core.card import ClassInfo, ModelCard
from seg_ros.core.segmentation import Segment, Segmentation
from seg_ros.core.settings import Settings
from seg_ros.core.tracking import LOST_S
from seg_ros.pipeline.follower import Follower, parts_for
from seg_ros.pipeline.timing import Timing

CARD = ModelCard('things', 'instance', (ClassInfo(4, 'cup', (9, 9, 9), True),))
ALL = frozenset({'classes', 'confidence', 'instances'})
BOTH = Settings(tracking=True, smoothing=0.8)
SECOND_NS = 1_000_000_000


def masks_of(class_id=4):
    instances = np.zeros((20, 30), np.uint16)
    instances[5:15, 10:20] = 1
    classes = np.full((20, 30), 255, np.uint8)
    classes[0:3] = class_id
    classes[5:15, 10:20] = 4
    confidence = np.where(classes == 255, 0, 230).astype(np.uint8)
    segment = Segment(1, 4, 0.9, (10, 5, 20, 15), 100)
    return Segmentation((20, 30), 255, classes, confidence, instances, (segment,))


def follow(follower, stamp_ns, settings=BOTH, shown=ALL, card=CARD, masks=None):
    return follower.follow(masks or masks_of(), stamp_ns, card, settings, shown, Timing())


def ids(segmentation):
    return [segment.id for segment in segmentation.segments]


def test_ids_and_classes_hold_from_picture_to_picture():
    follower = Follower()
    for step in range(1, 6):
        after = follow(follower, step * SECOND_NS // 10)
        after.verify()
        assert ids(after) == [1]
    flicker = follow(follower, SECOND_NS * 7 // 10, masks=masks_of(9))
    assert flicker.classes[0, 0] == 4


@pytest.mark.parametrize('stamp_ns', [
    10 * SECOND_NS, 10 * SECOND_NS - 1, 0, 10 * SECOND_NS + int((LOST_S + 0.1) * SECOND_NS),
])
def test_a_stamp_that_is_no_later_and_a_long_pause_begin_anew(stamp_ns):
    follower = Follower()
    follow(follower, 10 * SECOND_NS)
    after = follow(follower, stamp_ns, masks=masks_of(9))
    assert ids(after) == [2]
    assert after.classes[0, 0] == 9


def test_another_model_begins_anew_and_the_same_model_on_another_engine_does_not():
    follower = Follower()
    follow(follower, SECOND_NS)
    assert ids(follow(follower, SECOND_NS + 1, card=replace(CARD))) == [1]
    assert ids(follow(follower, SECOND_NS + 2, card=replace(CARD, name='other'))) == [2]


def test_another_size_of_the_pictures_begins_anew():
    follower = Follower()
    follow(follower, SECOND_NS)
    small = Segmentation((10, 25), segments=(Segment(1, 4, 0.9, (10, 5, 20, 10), 50),))
    assert ids(follow(follower, SECOND_NS + 1, masks=small)) == [2]


def test_forgetting_begins_anew():
    follower = Follower()
    follow(follower, SECOND_NS)
    follower.forget()
    assert ids(follow(follower, SECOND_NS + 1)) == [2]


def test_without_either_the_masks_pass_through_untouched():
    masks, timing = masks_of(), Timing()
    assert Follower().follow(masks, 1, CARD, Settings(), ALL, timing) is masks
    assert timing.stages() == []


@pytest.mark.parametrize(('shown', 'stages'), [
    ({'classes'}, ['smooth']), ({'instances'}, ['track']), ({'segments'}, ['track']),
    ({'classes', 'instances'}, ['track', 'smooth']), (set(), []),
])
def test_only_what_somebody_reads_is_worked_on(shown, stages):
    timing = Timing()
    Follower().follow(masks_of(), 1, CARD, BOTH, frozenset(shown), timing)
    assert timing.stages() == stages


def test_ids_are_the_networks_own_again_when_tracking_ends():
    follower = Follower()
    follow(follower, SECOND_NS)
    follower.forget()
    assert ids(follow(follower, 2 * SECOND_NS)) == [2]
    assert ids(follow(follower, 2 * SECOND_NS + 1, Settings())) == [1]


def test_boxes_alone_are_followed_where_nobody_reads_the_map():
    follower = Follower()
    for step in range(1, 4):
        masks = Segmentation((20, 30), segments=masks_of().segments)
        after = follow(follower, step * SECOND_NS, shown=frozenset({'segments'}), masks=masks)
        assert ids(after) == [1]
        assert after.instances is None


def test_smoothing_looks_at_all_maps_where_classes_are_read():
    assert parts_for(frozenset({'classes'}), BOTH) == ALL
    assert parts_for(frozenset({'classes'}), Settings()) == {'classes'}
    assert parts_for(frozenset({'instances'}), BOTH) == {'instances'}

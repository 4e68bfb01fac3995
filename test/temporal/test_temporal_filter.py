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

"""When tracking and smoothing are applied, and when a new sequence starts."""

from dataclasses import replace

import numpy as np
import pytest
from seg_ros.core.card import ClassInfo, ModelCard
from seg_ros.core.segmentation import Segment, Segmentation
from seg_ros.core.settings import Settings
from seg_ros.core.timing import Timing
from seg_ros.temporal.temporal_filter import TemporalFilter
from seg_ros.temporal.tracking import LOST_S

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


def follow(temporal_filter, stamp_ns, settings=BOTH, shown=ALL, card=CARD, masks=None):
    return temporal_filter.update(masks or masks_of(), stamp_ns, card, settings, shown, Timing())


def ids(segmentation):
    return [segment.id for segment in segmentation.segments]


def test_ids_and_classes_hold_from_image_to_image():
    temporal_filter = TemporalFilter()
    for step in range(1, 6):
        after = follow(temporal_filter, step * SECOND_NS // 10)
        after.verify()
        assert ids(after) == [1]
    flicker = follow(temporal_filter, SECOND_NS * 7 // 10, masks=masks_of(9))
    assert flicker.classes[0, 0] == 4


def test_what_is_held_with_less_than_min_confidence_is_unlabelled():
    temporal_filter = TemporalFilter()
    settings = replace(BOTH, min_confidence=0.5)
    for step in range(1, 4):
        assert follow(temporal_filter, step, settings).classes[0, 0] == 4
    shown = [follow(temporal_filter, step, settings, masks=masks_of(9)) for step in range(4, 14)]
    for after in shown:
        labelled = after.classes != 255
        assert (after.confidence[labelled] >= 128).all()
    assert [after.classes[0, 0] for after in shown][-1] == 9
    assert 255 in [after.classes[0, 0] for after in shown]


@pytest.mark.parametrize('stamp_ns', [
    10 * SECOND_NS, 10 * SECOND_NS - 1, 0, 10 * SECOND_NS + int((LOST_S + 0.1) * SECOND_NS),
])
def test_a_stamp_that_is_no_later_and_a_long_pause_begin_anew(stamp_ns):
    temporal_filter = TemporalFilter()
    follow(temporal_filter, 10 * SECOND_NS)
    after = follow(temporal_filter, stamp_ns, masks=masks_of(9))
    assert ids(after) == [2]
    assert after.classes[0, 0] == 9


def test_another_model_begins_anew_and_the_same_model_on_another_engine_does_not():
    temporal_filter = TemporalFilter()
    follow(temporal_filter, SECOND_NS)
    assert ids(follow(temporal_filter, SECOND_NS + 1, card=replace(CARD))) == [1]
    assert ids(follow(temporal_filter, SECOND_NS + 2, card=replace(CARD, name='other'))) == [2]


def test_another_size_of_the_images_begins_anew():
    temporal_filter = TemporalFilter()
    follow(temporal_filter, SECOND_NS)
    small = Segmentation((10, 25), segments=(Segment(1, 4, 0.9, (10, 5, 20, 10), 50),))
    assert ids(follow(temporal_filter, SECOND_NS + 1, masks=small)) == [2]


def test_forgetting_begins_anew():
    temporal_filter = TemporalFilter()
    follow(temporal_filter, SECOND_NS)
    temporal_filter.reset()
    assert ids(follow(temporal_filter, SECOND_NS + 1)) == [2]


def test_without_either_the_masks_pass_through_untouched():
    masks, timing = masks_of(), Timing()
    assert TemporalFilter().update(masks, 1, CARD, Settings(), ALL, timing) is masks
    assert timing.stages() == []


@pytest.mark.parametrize(('shown', 'stages'), [
    ({'classes'}, ['smooth']), ({'instances'}, ['track']), ({'segments'}, ['track']),
    ({'classes', 'instances'}, ['track', 'smooth']), (set(), []),
])
def test_only_what_somebody_reads_is_worked_on(shown, stages):
    timing = Timing()
    TemporalFilter().update(masks_of(), 1, CARD, BOTH, frozenset(shown), timing)
    assert timing.stages() == stages


def test_ids_are_the_networks_own_again_when_tracking_ends():
    temporal_filter = TemporalFilter()
    follow(temporal_filter, SECOND_NS)
    temporal_filter.reset()
    assert ids(follow(temporal_filter, 2 * SECOND_NS)) == [2]
    assert ids(follow(temporal_filter, 2 * SECOND_NS + 1, Settings())) == [1]


def test_classes_are_held_anew_when_smoothing_begins_again():
    temporal_filter = TemporalFilter()
    for step in range(5):
        follow(temporal_filter, SECOND_NS + step)
    follow(temporal_filter, SECOND_NS + 5, replace(BOTH, smoothing=0.0))
    assert follow(temporal_filter, SECOND_NS + 6, masks=masks_of(9)).classes[0, 0] == 9


def test_boxes_alone_are_followed_where_nobody_reads_the_map():
    temporal_filter = TemporalFilter()
    for step in range(1, 4):
        masks = Segmentation((20, 30), segments=masks_of().segments)
        after = follow(
            temporal_filter, step * SECOND_NS, shown=frozenset({'segments'}), masks=masks
        )
        assert ids(after) == [1]
        assert after.instances is None

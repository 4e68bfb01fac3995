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

"""Ids persist over motion, occlusions, crossings and class changes, and are not given twice."""

from collections import Counter
from dataclasses import replace

from moving_shapes import moving_shapes, Sight
import numpy as np
import pytest
from seg_ros.core.segmentation import Segment, Segmentation
from seg_ros.temporal import tracking
from seg_ros.temporal.tracking import LOST_S, MAX_ID, Tracker

SIZE_HW = (240, 320)
SECOND_NS = 1_000_000_000


def boxes(*places, class_ids=None, size=20):
    """Make segments without a map, in the given order."""
    class_ids = class_ids or [0] * len(places)
    return Segmentation(SIZE_HW, segments=tuple(
        Segment(index, class_id, 0.9, (x, y, x + size, y + size), size * size)
        for index, ((x, y), class_id) in enumerate(zip(places, class_ids, strict=True), 1)
    ))


def ids_of(masks):
    return [segment.id for segment in masks.segments]


class Film:
    """Feeds a tracker ten images a second."""

    def __init__(self):
        self.tracker, self.stamp_ns = Tracker(), 0

    def next(self, masks, seconds=0.1):
        self.stamp_ns += round(seconds * SECOND_NS)
        return ids_of(self.tracker.track(masks, self.stamp_ns))


def test_a_new_instance_has_an_id_at_once_and_keeps_it_whatever_the_order():
    film = Film()
    assert film.next(boxes((10, 10), (100, 10))) == [1, 2]
    assert film.next(boxes((100, 12), (200, 90), (12, 10))) == [2, 3, 1]
    assert film.next(boxes((201, 90))) == [3]


def test_what_is_out_of_sight_for_a_short_time_gets_its_id_back_where_it_has_gone():
    film = Film()
    for step in range(10):
        assert film.next(boxes((10 + 8 * step, 50))) == [1]
    for _ in range(10):
        film.next(boxes())
    assert film.next(boxes((10 + 8 * 20, 50))) == [1]


def test_what_is_out_of_sight_for_long_is_new():
    for seconds, expected in ((LOST_S, [1]), (LOST_S + 0.1, [2])):
        film = Film()
        film.next(boxes((50, 50)))
        assert film.next(boxes((50, 50)), seconds) == expected


def test_two_that_cross_keep_their_ids_although_one_is_hidden_meanwhile():
    film = Film()
    for step in range(40):
        first, second = (10 + 5 * step, 50), (210 - 5 * step, 50)
        hidden = abs(first[0] - second[0]) < 20
        ids = film.next(boxes(first) if hidden else boxes(first, second))
        assert ids == ([1] if hidden else [1, 2])


def test_a_flip_of_class_keeps_the_id():
    film = Film()
    film.next(boxes((50, 50), class_ids=[3]))
    assert film.next(boxes((51, 50), class_ids=[8])) == [1]
    assert film.next(boxes((52, 50), class_ids=[3])) == [1]


def test_of_two_in_one_place_each_keeps_the_id_of_its_class():
    film = Film()
    assert film.next(boxes((50, 50), (56, 50), class_ids=[3, 8])) == [1, 2]
    assert film.next(boxes((54, 50), (52, 50), class_ids=[3, 8])) == [1, 2]


def test_one_of_another_class_beside_the_place_is_new():
    film = Film()
    film.next(boxes((50, 50), class_ids=[3]))
    assert film.next(boxes((75, 50), class_ids=[8])) == [2]
    film = Film()
    film.next(boxes((50, 50), class_ids=[3]))
    assert film.next(boxes((75, 50), class_ids=[3])) == [1]


def crossed_strips(*which):
    """Draw strips from corner to corner of one square; strip 0 falls and strip 1 rises."""
    falling = abs(np.subtract.outer(np.arange(80), np.arange(80))) < 12
    instances = np.zeros(SIZE_HW, np.uint16)
    for number, strip in enumerate(which, 1):
        instances[80:160, 100:180][falling[:, ::-1] if strip else falling] = number
    return Segmentation(SIZE_HW, instances=instances, segments=tuple(
        Segment(number, 0, 0.9, (100, 80, 180, 160), int((instances == number).sum()))
        for number in range(1, len(which) + 1)
    ))


@pytest.mark.parametrize(('before', 'now', 'ids'), [
    ((0, 1), (0,), [1]), ((0, 1), (1,), [2]), ((0,), (1, 0), [2, 1]), ((0, 1), (1, 0), [2, 1]),
])
def test_in_one_box_an_instance_is_known_by_its_mask(before, now, ids):
    film = Film()
    film.next(crossed_strips(*before))
    assert film.next(crossed_strips(*now)) == ids


def test_after_forgetting_ids_go_on_and_do_not_begin_anew():
    film = Film()
    film.next(boxes((50, 50), (100, 50)))
    film.tracker.reset()
    assert film.next(boxes((50, 50), (100, 50))) == [3, 4]


def test_an_id_is_not_given_again_within_a_minute_at_a_thousand_new_instances_a_second():
    film, seen_ns, pauses_ns = Film(), {}, []
    crowd = boxes(*[(3 * (index % 100), 60 * (index // 100)) for index in range(500)], size=2)
    for _ in range(140):
        for number in film.next(crowd, 0.5):
            if number in seen_ns:
                pauses_ns.append(film.stamp_ns - seen_ns[number])
            seen_ns[number] = film.stamp_ns
        film.tracker.reset()
    assert set(seen_ns) == set(range(1, MAX_ID + 1))
    assert len(pauses_ns) == 140 * 500 - MAX_ID
    assert min(pauses_ns) >= 60 * SECOND_NS


def test_an_id_that_is_in_use_is_never_given_to_another(monkeypatch):
    monkeypatch.setattr(tracking, 'MAX_ID', 9)
    film, given = Film(), []
    for step in range(30):
        ids = film.next(boxes((10, 10), (60 * (step % 4) + 60, 100 + 60 * (step // 4 % 2))), 1.5)
        assert ids[0] == 1
        given.append(ids[1])
    assert 1 not in given
    for first in range(len(given) - 7):
        assert len(set(given[first:first + 8])) == 8


def test_map_and_table_agree_under_the_new_ids():
    tracker, changed = Tracker(), 0
    for sight in moving_shapes(6, 25):
        before = sight.segmentation
        after = tracker.track(before, sight.stamp_ns)
        after.verify()
        assert [replace(segment, id=0) for segment in after.segments] == [
            replace(segment, id=0) for segment in before.segments
        ]
        np.testing.assert_array_equal(after.instances > 0, before.instances > 0)
        changed += ids_of(after) != ids_of(before)
    assert changed > 5  # otherwise ids were merely copied


def test_a_map_that_comes_and_goes_with_its_readers_changes_nothing():
    tracker, seen = Tracker(), set()
    for step, sight in enumerate(moving_shapes(3, 30, drop=0.0, jitter=0.5, seed=5)):
        masks = sight.segmentation
        if step % 3 == 1:
            masks = replace(masks, instances=None)
        seen.update(zip(
            (sight.shape_of[segment.id] for segment in masks.segments),
            ids_of(tracker.track(masks, sight.stamp_ns)), strict=True,
        ))
    assert len(seen) == len({shape for shape, _ in seen})


class LastPlace:
    """The simplest tracker: the id of the largest overlap with the previous image."""

    def __init__(self):
        self.known, self.count = {}, 0

    def track(self, masks, _):
        free, ids = dict(self.known), []
        for segment in masks.segments:
            found = max(free, key=lambda number: iou(free[number], segment.xyxy), default=0)
            if not found or iou(free[found], segment.xyxy) < 0.1:
                self.count += 1
                found = self.count
            free.pop(found, None)
            ids.append(found)
        self.known = {number: segment.xyxy
                      for number, segment in zip(ids, masks.segments, strict=True)}
        segments = tuple(replace(segment, id=number)
                         for number, segment in zip(ids, masks.segments, strict=True))
        return replace(masks, instances=None, segments=segments)


def iou(first, second):
    width = min(first[2], second[2]) - max(first[0], second[0])
    height = min(first[3], second[3]) - max(first[1], second[1])
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (first, second)]
    shared = max(0, width) * max(0, height)
    return shared / (sum(areas) - shared)


def judged(tracker, sights: list[Sight], with_map=True):
    """
    Compare ids with the ground truth.

    :returns: the number of id switches, and IDF1 (Ristani et al. 2016) with a greedy assignment of
        ids to shapes, a lower bound.
    """
    last, switches, together = {}, 0, Counter()
    for sight in sights:
        masks = sight.segmentation
        after = tracker.track(masks if with_map else replace(masks, instances=None),
                              sight.stamp_ns)
        for segment, number in zip(masks.segments, ids_of(after), strict=True):
            shape = sight.shape_of[segment.id]
            switches += last.get(shape, number) != number
            last[shape] = number
            together[shape, number] += 1
    hits, taken = 0, set()
    for (shape, number), times in together.most_common():
        if not taken & {('shape', shape), ('id', number)}:
            taken |= {('shape', shape), ('id', number)}
            hits += times
    found = sum(len(sight.shape_of) for sight in sights)
    return switches, 2 * hits / (found + sum(len(sight.truth) for sight in sights))


@pytest.fixture(scope='module')
def street():
    return list(moving_shapes(10, 120))


def test_ids_switch_less_than_half_as_often_as_those_of_the_simplest_tracker(street):
    switches, idf1 = judged(Tracker(), street)
    plain_switches, plain_idf1 = judged(LastPlace(), street)
    assert switches < plain_switches / 2
    assert idf1 > plain_idf1 + 0.1


class ByteTrack:
    """ByteTrack of the package `trackers`, configured to give ids at once."""

    def __init__(self):
        self.supervision = pytest.importorskip(
            'supervision', reason='supervision is not installed'
        )
        trackers = pytest.importorskip('trackers', reason='trackers is not installed')
        self.tracker = trackers.ByteTrackTracker(
            frame_rate=10, lost_track_buffer=30, minimum_consecutive_frames=1,
            track_activation_threshold=0.25,
        )

    def track(self, masks, _):
        segments = masks.segments
        found = self.supervision.Detections(
            np.array([segment.xyxy for segment in segments], np.float32),
            confidence=np.array([segment.score for segment in segments]),
            class_id=np.array([segment.class_id for segment in segments]),
        )
        found.data['row'] = np.arange(len(segments))
        tracked = self.tracker.update(found)
        ids = list(range(60001, 60001 + len(segments)))
        for row, number in zip(tracked.data['row'], tracked.tracker_id, strict=True):
            if number is not None and number >= 0:
                ids[row] = int(number) + 1
        return replace(masks, instances=None, segments=tuple(
            replace(segment, id=number) for segment, number in zip(segments, ids, strict=True)
        ))


def test_ids_are_no_worse_than_those_of_bytetrack(street):
    other_switches, other_idf1 = judged(ByteTrack(), street)
    switches, idf1 = judged(Tracker(), street)
    assert switches <= other_switches
    assert idf1 >= other_idf1


def test_masks_separate_what_boxes_cannot():
    crossed = list(moving_shapes(8, 80, rods=True, still=True, jitter=1.0))
    with_map, _ = judged(Tracker(), crossed)
    without, _ = judged(Tracker(), crossed, with_map=False)
    assert with_map < 0.6 * without

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

"""Matching of images and depth of two streams."""

import pytest
from seg_ros.temporal.stamp_matching import KEPT_S, MAX_BYTES, NearestStamp, WAIT_S

MS = 1_000_000


def pairs(now_s=lambda: 0.0):
    return NearestStamp(now_s)


class Clock:
    """A clock that the test advances."""

    def __init__(self):
        self.now_ms = 0.0

    def __call__(self):
        return self.now_ms / 1000


def play(events, tolerance_ms=50, nbytes=0):
    """
    Let images and depth arrive at given times.

    :param events: time of arrival, 'image' or 'depth', and stamp of each, times in milliseconds.
    :returns: the pairs, as stamps in milliseconds, and the object that paired them.
    """
    clock = Clock()
    both, found = pairs(clock), []
    for clock.now_ms, kind, stamp_ms in sorted(events):
        add = both.add_image if kind == 'image' else both.add_depth
        pair = add(round(stamp_ms * MS), stamp_ms, tolerance_ms, nbytes)
        if pair:
            found.append(pair)
    return found, both


def test_depth_from_before_a_pair_leaves_its_memory_to_what_comes():
    events = [
        (33 * number, kind, 33 * number) for number in range(9) for kind in ('image', 'depth')
    ]
    found, _ = play(events, nbytes=MAX_BYTES // 3)
    assert found == [(33 * number, 33 * number) for number in range(9)]


def test_equal_stamps_are_paired_whichever_comes_first():
    both = pairs()
    assert both.add_image(100 * MS, 'image', 50) is None
    assert both.add_depth(100 * MS, 'depth', 50) == ('image', 'depth')
    assert both.add_depth(133 * MS, 'later', 50) is None
    assert both.add_image(133 * MS, 'second', 50) == ('second', 'later')


def test_a_near_depth_is_taken_once_none_can_be_nearer():
    both = pairs()
    both.add_depth(90 * MS, 'before', 50)
    assert both.add_image(100 * MS, 'image', 50) is None    # 105 may still arrive
    assert both.add_depth(105 * MS, 'after', 50) == ('image', 'after')


def test_of_two_depths_the_nearer_is_taken():
    both = pairs()
    both.add_depth(96 * MS, 'near', 50)
    both.add_depth(130 * MS, 'far', 50)
    assert both.add_image(100 * MS, 'image', 50) == ('image', 'near')


def test_beyond_the_tolerance_there_is_no_pair_and_the_offset_is_known():
    both = pairs()
    both.add_depth(17 * MS, 'old', 50)
    assert both.add_image(100 * MS, 'image', 50) is None
    assert both.add_depth(200 * MS, 'new', 50) is None
    assert both.add_image(400 * MS, 'next', 50) is None
    assert both.unpaired == 1
    assert both.offset_ms == -83
    assert both.add_depth(400 * MS, 'equal', 50) == ('next', 'equal')
    assert both.offset_ms is None


def test_an_image_that_still_waits_is_given_up_for_a_newer_one():
    both = pairs()
    both.add_image(100 * MS, 'first', 50)
    both.add_image(133 * MS, 'second', 50)
    assert both.add_depth(133 * MS, 'depth', 50) == ('second', 'depth')
    assert both.unpaired == 1


def test_the_nearest_so_far_is_given_without_waiting_and_pairs_nothing():
    both = pairs()
    both.add_depth(90 * MS, 'depth', 50)
    assert both.nearest(100 * MS, 50) == 'depth'
    assert both.nearest(200 * MS, 50) is None
    assert pairs().nearest(100 * MS, 50) is None


def test_a_clock_that_goes_back_is_followed():
    both = pairs()
    both.add_depth(10_000 * MS, 'before', 50)
    both.add_depth(5 * MS, 'after', 50)
    assert both.add_image(5 * MS, 'image', 50) == ('image', 'after')


def test_what_is_forgotten_pairs_with_nothing():
    both = pairs()
    both.add_depth(100 * MS, 'depth', 50)
    both.clear()
    assert both.add_image(100 * MS, 'image', 50) is None


def test_where_a_driver_stamps_nothing_the_newest_depth_is_taken():
    both = pairs()
    for depth in ('first', 'second', 'third'):
        both.add_depth(0, depth, 50)
    assert both.add_image(0, 'image', 50) == ('image', 'third')


@pytest.mark.parametrize(('period_ms', 'lag_ms'), [(45, 70), (100, 150), (33, 400), (10, 950)])
def test_equal_stamps_are_paired_however_many_images_come_meanwhile(period_ms, lag_ms):
    stamps = [period_ms * index for index in range(100)]
    found, both = play(
        [(stamp, 'image', stamp) for stamp in stamps]
        + [(stamp + lag_ms, 'depth', stamp) for stamp in stamps]
    )
    assert found == [(stamp, stamp) for stamp in stamps]
    assert both.unpaired == 0


@pytest.mark.parametrize(('depth_hz', 'masks_ms'), [
    (30, 300), (30, 450), (30, 1900), (90, 100), (90, 700),
])
def test_masks_find_their_own_depth_however_long_they_take(depth_hz, masks_ms):
    period_ms = 1000 / depth_hz
    stamps = [period_ms * index for index in range(10 * depth_hz)]
    taken = stamps[::int(masks_ms / period_ms) + 1]
    found, _ = play(
        [(stamp + 2, 'depth', stamp) for stamp in stamps]
        + [(stamp + masks_ms, 'image', stamp) for stamp in taken]
    )
    assert found == [(stamp, stamp) for stamp in taken]


def test_images_are_paired_in_their_order_though_their_depth_comes_in_another():
    both = pairs()
    for stamp in (100, 133, 167):
        both.add_image(stamp * MS, stamp, 50)
    assert both.add_depth(133 * MS, 'second', 50) == (133, 'second')
    assert both.add_depth(100 * MS, 'first', 50) is None
    assert both.add_depth(167 * MS, 'third', 50) == (167, 'third')
    assert both.unpaired == 1


def test_where_stamps_are_never_equal_an_image_waits_for_no_more_than_the_next_depth():
    images = [100 * index for index in range(50)]
    depths = [33 * index + 7 for index in range(150)]
    found, both = play(
        [(stamp + 5, 'image', stamp) for stamp in images]
        + [(stamp + 5, 'depth', stamp) for stamp in depths]
    )
    nearest = [(stamp, min(depths, key=lambda other: abs(other - stamp))) for stamp in images]
    assert found == nearest[:len(found)]
    assert len(found) >= 49
    assert both.waiting <= 1


@pytest.mark.parametrize('lag_ms', [0, 20, 100, 300])
def test_a_recording_that_is_looped_pairs_all_its_images(lag_ms):
    stamps = [5000 + 50 * (index % 100) for index in range(400)]
    events = [(50 * index + lag_ms, 'depth', stamp) for index, stamp in enumerate(stamps)]
    events += [(50 * index + 10, 'image', stamp) for index, stamp in enumerate(stamps)]
    found, both = play(events)
    assert found == [(stamp, stamp) for stamp in stamps]
    assert both.unpaired == 0


@pytest.mark.parametrize('offset_ms', [-900_000, -1600, 1600, 900_000])
def test_other_clocks_are_neither_taken_for_slow_masks_nor_for_slow_depth(offset_ms):
    stamps = [400 * index for index in range(100)]
    found, both = play(
        [(stamp, 'depth', stamp + offset_ms + 150) for stamp in stamps]
        + [(stamp + 10, 'image', stamp) for stamp in stamps]
    )
    assert found == []
    assert both.offset_ms == pytest.approx(offset_ms + 150, abs=1600)
    assert (both.offset_ms > 0) == (offset_ms > 0)


def test_what_waits_is_bounded_in_memory_and_the_oldest_still_finds_its_depth():
    both, most = pairs(), 4
    for stamp in range(20):
        both.add_image(stamp * MS, stamp, 0, MAX_BYTES // most)
    assert both.waiting == most
    assert both.unpaired == 20 - most
    assert both.add_depth(0, 'depth', 0) == (0, 'depth')


def test_depth_that_comes_late_clears_nothing():
    stamps = [40 * index for index in range(100)]
    delays = [2 + 60 * (index % 5 == 0) for index in range(100)]    # every fifth after the next
    found, both = play(
        [(stamp + delay, 'depth', stamp) for stamp, delay in zip(stamps, delays, strict=True)]
        + [(stamp + 100, 'image', stamp) for stamp in stamps]
    )
    assert found == [(stamp, stamp) for stamp in stamps]
    assert both.unpaired == 0


def test_after_a_step_back_of_the_clock_no_depth_of_the_run_before_is_taken():
    first = [100_000 + 33 * index for index in range(60)]
    second = [first[-1] - 60_000 + 33 * index + 0.5 for index in range(60)]
    events = [(33 * index + 2, 'depth', stamp) for index, stamp in enumerate(first + second)]
    events += [(33 * index + 5, 'image', stamp) for index, stamp in enumerate(first + second)]
    found, _ = play(events)
    assert found == [(stamp, stamp) for stamp in first + second]


def test_an_image_whose_depth_comes_after_its_time_is_given_up():
    stamps = [100 * index for index in range(50)]
    found, both = play(
        [(stamp, 'image', stamp) for stamp in stamps]
        + [(stamp + 1500, 'depth', stamp) for stamp in stamps]
    )
    assert found == []
    assert both.waiting == 0
    assert both.unpaired == 50
    assert both.offset_ms == pytest.approx(-1500)


def test_masks_that_take_longer_than_depth_is_kept_find_later_depth_alone():
    stamps = [33 * index for index in range(300)]
    found, both = play(
        [(stamp, 'depth', stamp) for stamp in stamps]
        + [(stamp + 1000 * KEPT_S + 200, 'image', stamp) for stamp in stamps[::60]]
    )
    assert found == []
    assert both.offset_ms > 0


def test_where_no_depth_comes_at_all_images_wait_no_longer_than_they_may():
    clock = Clock()
    both = pairs(clock)
    for clock.now_ms in range(0, 3000, 100):
        both.add_image(clock.now_ms * MS, clock.now_ms, 50)
        assert both.waiting <= 1000 * WAIT_S / 100 + 1
    clock.now_ms += 1000 * WAIT_S + 1
    both.expire()
    assert both.waiting == 0

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

"""One late image is refused; stamps that continue from an earlier time are accepted."""

import pytest
from seg_ros.temporal.arrival import ImageOrder

S, MS = 1_000_000_000, 1_000_000


def admitted(stamps):
    order = ImageOrder()
    return [order.next_number(stamp) is not None for stamp in stamps]


def test_a_late_image_is_refused_and_the_others_are_not():
    assert admitted([10 * S, 10 * S + 5, 10 * S + 4, 10 * S + 6]) == [True, True, False, True]


def test_two_images_of_one_stamp_both_pass():
    assert admitted([5, 5]) == [True, True]


def test_a_clock_that_starts_over_is_followed_at_once():
    assert all(admitted([100 * S, 2 * S, 2 * S + 1]))


@pytest.mark.parametrize('back_ms', [40, 300, 900])
def test_a_clock_that_steps_back_costs_one_image(back_ms):
    before = [10 * S + 33 * MS * index for index in range(30)]
    after = [before[-1] - back_ms * MS + 33 * MS * index for index in range(1, 31)]
    assert admitted(before + after).count(False) == 1


def test_one_stamp_ahead_costs_one_image():
    stamps = [10 * S + 33 * MS * index for index in range(40)]
    stamps[20] += 800 * MS
    assert admitted(stamps).count(False) == 1


def test_a_short_recording_that_is_looped_loses_one_image_a_round():
    stamps = [10 * S + 50 * MS * (index % 18) for index in range(180)]
    assert admitted(stamps).count(False) == 9


def test_of_two_drivers_on_one_topic_the_one_ahead_is_followed():
    stamps = [10 * S + 33 * MS * (index // 2) - 300 * MS * (index % 2) for index in range(100)]
    assert admitted(stamps) == [True, False] * 50


def test_stamps_that_go_forward_are_left_however_often_others_are_late():
    stamps = [10 * S + 50 * MS * index - 70 * MS * (index % 4 == 3) for index in range(40)]
    passed = [stamp for stamp, taken in zip(stamps, admitted(stamps), strict=True) if taken]
    assert passed == [stamp for index, stamp in enumerate(stamps) if index % 4 != 3]


def test_a_second_late_image_long_after_the_first_is_refused_too():
    assert admitted([10 * S, 10 * S - 5, 20 * S, 20 * S - 5]) == [True, False, True, False]


def test_masks_that_come_after_those_of_a_later_image_are_too_late():
    order = ImageOrder()
    first, second, third = (order.next_number(stamp) for stamp in (1, 2, 3))
    turns = []
    for number in (second, first, third):
        with order.turn(number) as in_turn:
            turns.append(in_turn)
    assert turns == [True, False, True]

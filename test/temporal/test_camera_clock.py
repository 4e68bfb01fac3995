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

"""Ages are relative to the stamp, except for a camera whose clock is known to differ."""

import numpy as np
import pytest
from seg_ros.temporal.arrival import CameraClock, StampWatch

S = 1_000_000_000
NOW = 1_790_000_000 * S


def offsets_learnt(offsets_s, period_s=0.1):
    """Let images of these ages arrive, and list the learnt offset after each."""
    clock, learnt = CameraClock(), []
    for index, offset_s in enumerate(offsets_s):
        arrival_ns = NOW + round(index * period_s * S)
        clock.observe(arrival_ns - round(offset_s * S), arrival_ns)
        learnt.append(clock.offset_ns / S)
    return learnt


@pytest.mark.parametrize('offset_s', [0.0, 0.03, 9.9, -0.005, -0.9])
def test_an_offset_that_a_camera_may_have_is_no_foreign_clock(offset_s):
    assert set(offsets_learnt([offset_s] * 30)) == {0.0}


@pytest.mark.parametrize('offset_s', [11.0, 3600.0, -1.5, -86400.0])
def test_a_steady_offset_is_learnt_after_a_second_and_not_before(offset_s):
    learnt = offsets_learnt([offset_s] * 30)
    assert set(learnt[:10]) == {0.0}
    assert learnt[11] == pytest.approx(offset_s)
    assert set(learnt[11:]) == {learnt[11]}


def test_one_old_image_is_old():
    offsets = [0.02] * 30
    offsets[15] = 11.0
    assert set(offsets_learnt(offsets)) == {0.0}


def test_an_offset_that_wanders_is_not_learnt():
    assert set(offsets_learnt([20 + 0.4 * index for index in range(40)])) == {0.0}


def test_a_clock_that_was_set_right_is_learnt_anew_after_as_long():
    learnt = offsets_learnt([3600.0] * 20 + [0.01] * 20)
    assert learnt[19] == pytest.approx(3600)
    assert learnt[29] == pytest.approx(3600)
    assert learnt[-1] == 0.0


def test_a_learnt_clock_keeps_the_delay_of_later_images():
    later = [3600 + 0.09 * step for step in range(30)]      # an increasing delay
    assert offsets_learnt([3600.0] * 15 + later)[-1] == pytest.approx(3600, abs=0.001)


@pytest.mark.parametrize('length_s', [1.5, 4.0, 60.0])
def test_ages_begin_anew_with_the_second_image_of_a_recording_that_starts_over(length_s):
    played = [3600.0] * 15 + [3600.0 + length_s] * 5 + [3600.0 + 2 * length_s] * 5
    learnt = offsets_learnt(played)
    for first in (15, 20):
        assert learnt[first] == pytest.approx(played[first - 1], abs=0.001)
        assert learnt[first + 1:first + 5] == pytest.approx(played[first + 1:first + 5])


@pytest.mark.parametrize('late_s', [1.5, 4.0, 60.0])
def test_one_old_image_of_another_clock_is_old(late_s):
    offsets = [3600.0] * 40
    offsets[20] += late_s
    offsets[30] += late_s
    assert offsets_learnt(offsets)[15:] == pytest.approx([3600.0] * 25, abs=0.001)


def test_a_camera_of_this_clock_that_repeats_an_old_stamp_keeps_its_clock():
    assert set(offsets_learnt([0.02] * 15 + [4.0] + [0.02] * 15)) == {0.0}


def test_the_caller_is_notified_once():
    clock = CameraClock()
    notified = [
        clock.observe(NOW - 60 * S + index * S // 5, NOW + index * S // 5) for index in range(12)
    ]
    assert notified.count(True) == 1
    assert clock.foreign


@pytest.mark.parametrize('drift', [-1e-4, 1e-4])
def test_a_clock_that_drifts_is_followed_and_ages_stay_those_of_the_transit(drift):
    clock, delays_s = CameraClock(), np.random.default_rng(1).uniform(0.02, 0.06, 8 * 3600)
    ages_s = []
    for second, delay_s in enumerate(delays_s):
        arrival_ns = NOW + second * S
        stamp_ns = arrival_ns - round((3600 + drift * second + delay_s) * S)
        clock.observe(stamp_ns, arrival_ns)
        ages_s.append((arrival_ns - stamp_ns - clock.offset_ns) / S)
    assert np.all(np.abs(ages_s[60:]) < 0.06)


def test_an_offset_that_was_learnt_from_slow_images_is_that_of_fast_ones_within_a_minute():
    learnt = offsets_learnt([3600.4] * 15 + [3600.0] * 600)
    assert learnt[14] == pytest.approx(3600.4)
    assert learnt[-1] == pytest.approx(3600.0)


def test_neither_a_stamp_that_jumps_ahead_nor_a_delay_moves_what_was_learnt():
    offsets = [3600.0] * 50
    offsets[30] = 3599.1
    assert offsets_learnt(offsets)[30] == pytest.approx(3600.0, abs=0.002)
    ever_later = [3600 + 0.09 * step for step in range(33)]
    learnt = offsets_learnt([3600.0] * 20 + ever_later + [3603.0] * 570)
    assert learnt[-1] == pytest.approx(3600.0, abs=0.02)


@pytest.mark.parametrize(('stamps_ns', 'words'), [
    ([7] * 11, 'all have the same stamp'), ([0] * 11, 'have no stamp'), ([7] * 10, ''),
    ([0, 5] * 20, ''), ([0] * 11 + [NOW], ''),
])
def test_stamps_that_say_nothing_are_noticed_while_they_do(stamps_ns, words):
    watch = StampWatch()
    for stamp_ns in stamps_ns:
        watch.observe(stamp_ns)
    assert words in watch.problem
    assert bool(words) == bool(watch.problem)

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

"""Depth is kept for as long as an image may need it, within bounds."""

from seg_ros.temporal.kept_depths import KEPT_S, KeptDepths, MOST_BYTES

S, MS = 1_000_000_000, 1_000_000


def kept(*stamps_ns, nbytes=0):
    depths = KeptDepths(lambda: 0.0)
    for stamp_ns in stamps_ns:
        depths.add(stamp_ns, f'depth {stamp_ns}', nbytes)
    return depths


def test_depth_that_comes_late_clears_nothing():
    depths = kept(100 * MS, 133 * MS, 200 * MS, 167 * MS)
    assert all(stamp * MS in depths for stamp in (100, 133, 167, 200))


def test_isolated_late_depths_are_no_new_run_of_the_clock():
    depths = kept(*(stamp * MS for stamp in (0, 66, 33, 132, 99, 198, 165, 264, 231, 330)))
    assert len(depths) == 10


def test_a_recording_that_starts_over_leaves_nothing_of_the_round_before():
    depths = kept(9 * S, 10 * S, 2 * S)
    assert len(depths) == 1
    assert depths.last_ns == 2 * S


def test_stamps_that_go_on_from_an_earlier_time_are_followed():
    depths = kept(*(stamp * MS for stamp in (900, 933, 967, 500, 533, 567)))
    assert [stamp for stamp in (500, 533, 567, 900, 933, 967) if stamp * MS in depths] == [
        500, 533, 567]


def test_of_equal_stamps_the_last_is_kept():
    depths = KeptDepths(lambda: 0.0)
    depths.add(0, 'first', 1)
    depths.add(0, 'second', 1)
    assert (len(depths), depths[0]) == (1, 'second')


def test_what_is_full_refuses_the_new_and_remembers_its_stamp():
    depths = kept(*range(10), nbytes=MOST_BYTES // 4)
    assert [stamp for stamp in range(10) if stamp in depths] == [0, 1, 2, 3]
    assert depths.was_dropped(7, 0)
    assert not depths.was_dropped(2, 0)


def test_one_depth_larger_than_all_memory_for_it_is_kept():
    assert len(kept(1, nbytes=2 * MOST_BYTES)) == 1


def test_depth_is_dropped_after_its_time():
    now_s = [0.0]
    depths = KeptDepths(lambda: now_s[0])
    depths.add(1, 'old', 0)
    now_s[0] = KEPT_S - 0.1
    depths.add(2, 'new', 0)
    now_s[0] = KEPT_S + 0.1
    depths.expire()
    assert (1 in depths, 2 in depths) == (False, True)
    assert depths.was_dropped(1, 0)


def test_only_what_is_earlier_in_stamp_and_in_arrival_is_released():
    depths = kept(1, 5, 3, 2, 6)
    depths.release_before(3)
    assert [stamp for stamp in (1, 2, 3, 5, 6) if stamp in depths] == [2, 3, 5, 6]

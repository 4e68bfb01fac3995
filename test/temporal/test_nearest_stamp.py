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

"""Images and depth of two streams find each other."""

from seg_ros.temporal.nearest_stamp import NearestStamp

MS = 1_000_000


def pairs():
    return NearestStamp()


def test_equal_stamps_are_paired_whichever_comes_first():
    both = pairs()
    assert both.add_image(100 * MS, 'image', 50) is None
    assert both.add_depth(100 * MS, 'depth', 50) == ('image', 'depth')
    assert both.add_depth(133 * MS, 'later', 50) is None
    assert both.add_image(133 * MS, 'second', 50) == ('second', 'later')


def test_a_near_depth_is_taken_once_none_can_be_nearer():
    both = pairs()
    both.add_depth(90 * MS, 'before', 50)
    assert both.add_image(100 * MS, 'image', 50) is None    # 105 may still come
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
    both.forget()
    assert both.add_image(100 * MS, 'image', 50) is None


def test_where_a_driver_stamps_nothing_the_newest_depth_is_taken():
    both = pairs()
    for depth in ('first', 'second', 'third'):
        both.add_depth(0, depth, 50)
    assert both.add_image(0, 'image', 50) == ('image', 'third')

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

"""Waiting items are limited in time and memory."""

from seg_ros.temporal.waiting import Waiting


def waiting(*stamps_ns, nbytes=0, now_s=lambda: 0.0):
    each = Waiting(2.0, 100, now_s)
    for stamp_ns in stamps_ns:
        each.add(stamp_ns, f'item {stamp_ns}', nbytes)
    return each


def test_items_are_listed_as_they_came():
    assert list(waiting(100, 133, 200, 167)) == [100, 133, 200, 167]


def test_of_equal_stamps_the_last_is_kept():
    each = waiting(0)
    assert each.add(0, 'second', 1)
    assert (list(each), each[0]) == ([0], 'second')


def test_an_item_needs_no_more_room_than_the_one_that_it_replaces():
    each = waiting(0, 1, nbytes=50)
    assert each.add(1, 'second', 50)
    assert [each[stamp_ns] for stamp_ns in each] == ['item 0', 'second']


def test_nothing_is_left_of_what_was_cleared():
    each = waiting(1, 2)
    assert 1 in each
    each.clear()
    assert 1 not in each
    assert list(each) == []


def test_what_is_full_refuses_the_new():
    each = waiting(*range(10), nbytes=25)
    assert list(each) == [0, 1, 2, 3]
    assert not each.add(11, 'new', 1)
    each.remove(0)
    assert each.add(11, 'new', 1)


def test_an_item_larger_than_all_memory_is_kept_alone():
    each = waiting(1, nbytes=1000)
    assert len(each) == 1
    assert not each.add(2, 'second', 1)


def test_an_item_is_let_go_of_after_its_time():
    now_s = [0.0]
    each = waiting(1, now_s=lambda: now_s[0])
    now_s[0] = 1.9
    each.add(2, 'new', 0)
    assert each.expire() == []
    now_s[0] = 2.1
    assert each.expire() == ['item 1']
    assert list(each) == [2]

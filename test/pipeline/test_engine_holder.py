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

"""A replaced model stays open until its last user is done; later users get the new one."""

import pytest
from seg_ros.core.errors import NoEngineError
from seg_ros.pipeline.engine_holder import EngineHolder

PATIENCE_S = 10


class Item:
    def __init__(self):
        self.closed = 0

    def close(self):
        self.closed += 1


@pytest.fixture
def item():
    return Item()


@pytest.fixture
def holder(item):
    holder = EngineHolder()
    holder.swap(item)
    return holder


def test_the_next_user_gets_the_new_item_and_the_old_one_is_closed_once(holder, item):
    new = Item()
    assert holder.swap(new).wait(PATIENCE_S)
    assert (item.closed, new.closed) == (1, 0)
    assert (holder.current, holder.reason) == (new, '')
    with holder.acquire() as used:
        assert used is new


def test_an_item_is_closed_by_its_last_user_and_nobody_waits(holder, item):
    with holder.acquire() as first:
        with holder.acquire() as second:
            closed = holder.swap(Item())
            assert first is second is item
            assert not closed.is_set()
        assert not closed.is_set()
        assert item.closed == 0
    assert closed.is_set()
    assert item.closed == 1


def test_a_user_that_fails_gives_back_too(holder, item):
    def fail():
        with holder.acquire():
            holder.swap(None, 'gone')
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert item.closed == 1


def test_without_an_item_the_reason_is_raised_at_once(holder):
    holder.swap(None, 'the GPU is full')
    assert holder.current is None
    assert holder.reason == 'the GPU is full'
    with pytest.raises(NoEngineError, match='the GPU is full'), holder.acquire():
        pass


def test_before_the_first_item_there_is_a_reason_too():
    holder = EngineHolder()
    assert holder.swap(None, 'still nothing').is_set()
    with pytest.raises(NoEngineError, match='still nothing'), holder.acquire():
        pass


def test_an_item_whose_closing_fails_counts_as_closed(holder, item):
    def fail():
        raise OSError('the driver is gone')

    item.close = fail
    closed = []
    with pytest.raises(OSError, match='the driver is gone'), holder.acquire():
        closed.append(holder.swap(None, 'gone'))
    assert closed[0].is_set()

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

"""The newest frame of a camera wins, cameras take turns, and closing wakes all that wait."""

from threading import Barrier, Event, Thread

import pytest
from seg_ros.pipeline.workers import Mailbox

PATIENCE_S = 10


def started(count, target, *arguments):
    threads = [Thread(target=target, args=arguments, daemon=True) for _ in range(count)]
    for thread in threads:
        thread.start()
    return threads


def joined(threads):
    for thread in threads:
        thread.join(PATIENCE_S)
    assert not any(thread.is_alive() for thread in threads)


def test_the_newest_frame_of_a_camera_replaces_the_one_before():
    mailbox = Mailbox()
    assert [mailbox.put('left', number) for number in range(3)] == [False, True, True]
    assert mailbox.take() == [('left', 2)]
    assert mailbox.put('left', 3) is False
    assert mailbox.take() == [('left', 3)]


def test_cameras_do_not_displace_each_other():
    mailbox = Mailbox()
    assert mailbox.put('left', 1) is False
    assert mailbox.put('right', 2) is False
    assert mailbox.take() == [('left', 1)]
    assert mailbox.take() == [('right', 2)]


def test_a_fast_camera_does_not_overtake_a_slow_one():
    mailbox = Mailbox()
    taken = []
    mailbox.put('fast', 0)
    mailbox.put('slow', 0)
    for number in range(1, 30):
        for _ in range(5):
            mailbox.put('fast', number)
        (camera, _), = mailbox.take()
        taken.append(camera)
        mailbox.put(camera, number)
    assert taken[:4] == ['fast', 'slow', 'fast', 'slow']
    assert abs(taken.count('slow') - taken.count('fast')) <= 1


@pytest.mark.parametrize(('limit', 'sizes'), [(1, [1, 1, 1]), (2, [2, 1]), (3, [3]), (9, [3])])
def test_no_more_than_the_limit_is_taken_at_once_longest_waiting_first(limit, sizes):
    mailbox = Mailbox()
    for number, camera in enumerate('abc'):
        mailbox.put(camera, number)
    batches = [mailbox.take(limit) for _ in sizes]
    assert [len(batch) for batch in batches] == sizes
    assert [pair for batch in batches for pair in batch] == [('a', 0), ('b', 1), ('c', 2)]


def test_an_item_that_is_false_is_an_item():
    mailbox = Mailbox()
    mailbox.put('left', 0)
    mailbox.put('', None)
    assert mailbox.take(2) == [('left', 0), ('', None)]


def test_closing_wakes_all_who_wait_and_turns_later_ones_away():
    mailbox = Mailbox()
    ready, results = Barrier(4), []

    def wait():
        ready.wait(PATIENCE_S)
        results.append(mailbox.take())

    threads = started(3, wait)
    ready.wait(PATIENCE_S)
    mailbox.close()
    joined(threads)
    assert results == [[], [], []]
    mailbox.put('left', 1)
    assert mailbox.take() == []


def test_what_was_waiting_is_forgotten_on_closing():
    mailbox = Mailbox()
    mailbox.put('left', 1)
    mailbox.close()
    mailbox.close()
    assert mailbox.take() == []


def test_every_item_goes_to_one_worker_only():
    mailbox, taken, over = Mailbox(), [], Event()

    def work():
        while items := mailbox.take(2):
            taken.extend(items)
            if ('end', 0) in items:
                over.set()

    threads = started(3, work)
    lost = sum(mailbox.put(f'camera {number % 7}', number) for number in range(3000))
    mailbox.put('end', 0)
    assert over.wait(PATIENCE_S)
    mailbox.close()
    joined(threads)
    taken.remove(('end', 0))
    assert len(taken) == len(set(taken)) == 3000 - lost
    for camera in range(7):
        assert (f'camera {camera}', max(range(camera, 3000, 7))) in taken

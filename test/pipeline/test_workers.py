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

"""Workers process every frame, concurrently, and survive the failure of one."""

from queue import Queue
import subprocess
import sys
from threading import Barrier, Event, Semaphore, Thread
from time import monotonic

import pytest
from seg_ros.core.errors import EngineError
from seg_ros.pipeline.workers import Mailbox, Workers

PATIENCE_S = 10


def refuse(error):
    raise AssertionError('no frame should fail') from error


def test_a_worker_takes_what_arrives():
    mailbox, done = Mailbox(), Queue()
    workers = Workers(mailbox, done.put, refuse)
    for number in range(3):
        mailbox.put('left', number)
        assert done.get(timeout=PATIENCE_S) == [('left', number)]
    assert workers.stop(PATIENCE_S)


def test_two_workers_really_work_at_once():
    mailbox, meeting, done = Mailbox(), Barrier(2), Queue()

    def work(items):
        meeting.wait(PATIENCE_S)
        done.put(items)

    workers = Workers(mailbox, work, refuse, count=2)
    mailbox.put('left', 1)
    mailbox.put('right', 2)
    pairs = [done.get(timeout=PATIENCE_S) for _ in range(2)]
    assert sorted(pairs) == [[('left', 1)], [('right', 2)]]
    assert workers.stop(PATIENCE_S)


def test_a_worker_gets_several_cameras_at_once_up_to_its_limit():
    mailbox, done, gate = Mailbox(), Queue(), Event()

    def work(items):
        done.put([camera for camera, _ in items])
        gate.wait(PATIENCE_S)

    workers = Workers(mailbox, work, refuse, limit=lambda: 2)
    mailbox.put('first', 0)
    assert done.get(timeout=PATIENCE_S) == ['first']
    for camera in ('left', 'right', 'rear'):
        mailbox.put(camera, 0)
    gate.set()
    assert done.get(timeout=PATIENCE_S) == ['left', 'right']
    assert done.get(timeout=PATIENCE_S) == ['rear']
    assert workers.stop(PATIENCE_S)


@pytest.mark.parametrize('count', [1, 2])
def test_a_worker_survives_an_exception_and_reports_it(count):
    mailbox, done, failures = Mailbox(), Queue(), Queue()

    def work(items):
        (_, number), = items
        if number % 2:
            raise ZeroDivisionError(number)
        done.put(number)

    workers = Workers(mailbox, work, failures.put, count=count)
    for number in range(0, 12, 2):
        mailbox.put('left', number + 1)
        error = failures.get(timeout=PATIENCE_S)
        assert isinstance(error, ZeroDivisionError)
        assert error.args == (number + 1,)
        mailbox.put('left', number)
        assert done.get(timeout=PATIENCE_S) == number
    assert workers.stop(PATIENCE_S)


def test_stopping_waits_for_the_frame_in_flight_and_drops_those_that_wait():
    mailbox, begun, gate, done = Mailbox(), Event(), Event(), []

    def work(items):
        begun.set()
        gate.wait(PATIENCE_S)
        done.extend(items)

    workers = Workers(mailbox, work, refuse)
    mailbox.put('left', 1)
    assert begun.wait(PATIENCE_S)
    mailbox.put('left', 2)
    mailbox.close()
    stopping = Thread(target=workers.stop, args=(PATIENCE_S,))
    stopping.start()
    stopping.join(0.05)
    assert stopping.is_alive()
    gate.set()
    stopping.join(PATIENCE_S)
    assert not stopping.is_alive()
    assert done == [('left', 1)]


def test_nothing_is_lost_between_a_put_and_a_worker_that_waits():
    mailbox, done = Mailbox(), Queue()
    workers = Workers(mailbox, done.put, refuse, count=2)
    for number in range(500):
        mailbox.put('left', number)
        assert done.get(timeout=PATIENCE_S) == [('left', number)]
    assert workers.stop(PATIENCE_S)


def test_how_long_a_worker_is_busy_is_known_and_one_that_hangs_is_not_waited_for():
    mailbox, begun, gate = Mailbox(), Event(), Event()

    def hang(items):
        begun.set()
        gate.wait(PATIENCE_S)

    workers = Workers(mailbox, hang, refuse, count=2)
    assert workers.busy_s() == [0, 0]
    mailbox.put('left', 1)
    assert begun.wait(PATIENCE_S)
    assert sum(seconds > 0 for seconds in workers.busy_s()) == 1
    assert not workers.stop(0.05)
    gate.set()
    assert workers.stop(PATIENCE_S)


@pytest.fixture
def busy():
    """Return a worker, which ends a frame when `gate` is released, and `gate`."""
    mailbox, begun, gate = Mailbox(), Event(), Semaphore(0)

    def work(items):
        begun.set()
        gate.acquire(timeout=PATIENCE_S)

    workers = Workers(mailbox, work, refuse)
    mailbox.put('left', 1)
    assert begun.wait(PATIENCE_S)
    yield workers, gate
    gate.release(9)
    assert workers.stop(PATIENCE_S)


def waiting_for(workers):
    """Wait in a thread until the workers are idle."""
    thread = Thread(target=workers.wait_idle, args=(monotonic() + PATIENCE_S,))
    thread.start()
    thread.join(0.05)
    return thread


def test_who_waits_for_idle_workers_waits_for_their_frames(busy):
    workers, gate = busy
    waiting = waiting_for(workers)
    assert waiting.is_alive()
    gate.release()
    waiting.join(PATIENCE_S / 2)
    assert not waiting.is_alive()


def test_workers_that_are_about_to_take_an_image_are_not_idle():
    mailbox, gate = Mailbox(), Event()
    workers = Workers(mailbox, lambda _: None, refuse, limit=lambda: gate.wait(PATIENCE_S) and 1)
    mailbox.put('left', 1)
    waiting = waiting_for(workers)
    assert waiting.is_alive()
    gate.set()
    waiting.join(PATIENCE_S / 2)
    assert not waiting.is_alive()
    assert workers.stop(PATIENCE_S)


def test_busy_workers_are_waited_for_until_the_time_given_and_idle_ones_not_at_all(busy):
    workers, gate = busy
    begin_s = monotonic()
    workers.wait_idle(begin_s + 0.1)
    assert 0.1 <= monotonic() - begin_s < PATIENCE_S / 2
    workers.wait_idle(begin_s - 1)
    gate.release()
    waiting_for(workers).join(PATIENCE_S)
    begin_s = monotonic()
    workers.wait_idle(begin_s + PATIENCE_S)
    assert monotonic() - begin_s < PATIENCE_S / 2


def test_where_the_system_has_no_threads_left_those_that_started_end(monkeypatch):
    start, begun = Thread.start, []

    def start_two(thread):
        if len(begun) == 2:
            raise RuntimeError("can't start new thread")
        begun.append(thread)
        start(thread)

    monkeypatch.setattr(Thread, 'start', start_two)
    with pytest.raises(EngineError, match='ulimit -u'):
        Workers(Mailbox(), refuse, refuse, count=3)
    for thread in begun:
        thread.join(PATIENCE_S)
        assert not thread.is_alive()


def test_workers_that_nobody_stops_do_not_abort_the_process_as_it_ends():
    code = """
import time
import cv2
import numpy as np
from seg_ros.pipeline.workers import Mailbox, Workers

image, mailbox = np.zeros((500, 500), np.uint8), Mailbox()

def work(items):
    end = time.monotonic() + 1
    while time.monotonic() < end:
        cv2.blur(image, (5, 5))

workers = Workers(mailbox, work, print)
mailbox.put('left', 1)
time.sleep(0.2)
"""
    ended = subprocess.run(
        [sys.executable, '-c', code], capture_output=True, text=True, timeout=60
    )
    assert (ended.returncode, ended.stderr) == (0, '')

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

import os
from queue import Queue
from threading import Event, get_native_id
from time import monotonic, sleep
from types import SimpleNamespace

import pytest
from seg_ros.ros.background import Background
from seg_ros.ros.publishers import Output, OutputPublisher
from std_msgs.msg import Empty

PATIENCE_S = 10


class Node:
    """Collects faults and errors in the log."""

    def __init__(self):
        self.faults, self.errors = Queue(), []

    def get_logger(self):
        return SimpleNamespace(error=self.errors.append)

    def fault(self, where, error):
        self.faults.put((where, type(error)))


@pytest.fixture
def node():
    return Node()


@pytest.fixture
def waits():
    """Return the times until which the background waited for idle workers."""
    return []


@pytest.fixture
def background(node, waits):
    each = Background(node, waits.append)
    each.start()
    yield each
    assert each.stop(PATIENCE_S)


def publisher(topic, make, found):
    output = Output(topic, Empty, frozenset(), make, deferred=True)
    return OutputPublisher(output, SimpleNamespace(publish=found.put, topic_name=topic))


def test_outputs_are_made_in_their_order_by_a_thread_that_gets_a_core_like_others(background):
    found = Queue()
    outputs = [
        publisher('who', lambda view: os.getpriority(os.PRIO_PROCESS, get_native_id()), found),
        publisher('view', lambda view: view, found),
    ]
    before = os.getpriority(os.PRIO_PROCESS, get_native_id())
    assert not background.put('camera', lambda: background.publish(outputs, 'the view'))
    assert found.get(timeout=PATIENCE_S) == before
    assert found.get(timeout=PATIENCE_S) == 'the view'


def test_each_output_waits_for_the_workers_but_all_of_a_frame_only_for_a_short_time(
    background, waits
):
    found, begin_s = Queue(), monotonic()
    outputs = [publisher(f'topic{number}', lambda view: view, found) for number in range(3)]
    background.put('camera', lambda: background.publish(outputs, 1))
    for _ in outputs:
        found.get(timeout=PATIENCE_S)
    assert len(waits) == 4      # also before what all of them share is made
    assert len(set(waits)) == 1     # the time that waiting for one takes, the others lack
    assert begin_s < waits[0] < monotonic() + 0.1


def test_the_newest_frame_of_a_source_wins_and_sources_take_turns(background):
    begun, gate, done = Event(), Event(), Queue()
    background.put('first', lambda: (begun.set(), gate.wait(PATIENCE_S)))
    assert begun.wait(PATIENCE_S)
    replaced = [
        background.put(source, lambda frame=f'{source} {number}': done.put(frame))
        for number in range(2) for source in ('left', 'right')
    ]
    gate.set()
    assert replaced == [False, False, True, True]
    assert [done.get(timeout=PATIENCE_S) for _ in range(2)] == ['left 1', 'right 1']


def test_an_output_that_fails_is_named_and_costs_no_other_its_frame(background, node):
    found = Queue()
    outputs = [
        publisher('broken', lambda view: 1 / 0, found),
        publisher('sound', lambda view: view, found),
    ]
    background.put('camera', lambda: background.publish(outputs, 'the view'))
    assert found.get(timeout=PATIENCE_S) == 'the view'
    assert node.faults.get(timeout=PATIENCE_S) == (
        'broken of a frame was dropped', ZeroDivisionError
    )


def test_a_frame_that_fails_is_reported_and_the_next_is_published(background, node):
    done = Queue()
    background.put('camera', lambda: 1 / 0)
    where, kind = node.faults.get(timeout=PATIENCE_S)
    assert kind is ZeroDivisionError
    assert 'dropped' in where
    background.put('camera', lambda: done.put(1))
    assert done.get(timeout=PATIENCE_S) == 1


def test_before_the_start_and_after_the_end_frames_are_dropped(node):
    each, done = Background(node, print), []
    assert not each.put('camera', lambda: done.append(1))
    each.start()
    assert each.stop(PATIENCE_S)
    assert not each.put('camera', lambda: done.append(2))
    assert not done


@pytest.mark.parametrize(('limit_s', 'reported'), [(0.05, True), (60.0, False), (0.0, False)])
def test_an_output_that_does_not_end_is_reported_with_its_topic(background, limit_s, reported):
    begun, gate = Event(), Event()

    def hang(_):
        begun.set()
        gate.wait(PATIENCE_S)

    assert background.overdue(limit_s) == ''
    background.put('camera', lambda: background.publish([publisher('slow', hang, Queue())], 1))
    assert begun.wait(PATIENCE_S)
    sleep(0.1)
    assert background.overdue(limit_s).startswith('slow has not been made') == reported
    gate.set()


def test_what_hangs_is_named_and_publishes_nothing_after_the_next_start(node):
    each, found, begun, gate = Background(node, lambda until_s: None), Queue(), Event(), Event()
    hung = publisher('hung', lambda view: (begun.set(), gate.wait(PATIENCE_S), view)[-1], found)
    sound = publisher('sound', lambda view: view, found)
    each.start()
    each.put('camera', lambda: each.publish([hung, sound], 'old'))
    assert begun.wait(PATIENCE_S)
    (thread,) = each._workers._threads
    assert not each.stop(0.05)
    assert len(node.errors) == 1
    assert 'output' in node.errors[0]
    each.start()
    each.put('camera', lambda: each.publish([sound], 'new'))
    assert found.get(timeout=PATIENCE_S) == 'new'
    gate.set()
    thread.join(PATIENCE_S)
    assert found.empty()
    assert each.stop(PATIENCE_S)

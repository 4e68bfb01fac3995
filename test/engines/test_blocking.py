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

"""A blocking runtime becomes an engine with one frame in flight for each of its callables."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event, get_ident, Lock, Thread

import numpy as np
import pytest
from seg_ros.core.card import ClassInfo, ModelCard
from seg_ros.core.engine import EngineFacts
from seg_ros.core.errors import ContractError, EngineError
from seg_ros.core.signature import ModelSignature
from seg_ros.engines.blocking import BlockingEngine

PATIENCE_S = 10
CARD = ModelCard('x', 'semantic', (ClassInfo(0, 'road', (1, 1, 1)),))
BATCH = np.zeros((1, 2, 3, 3), np.uint8)


def make_engine(*runs, max_batch=2):
    signature = ModelSignature((2, 3), ('labels',), max_batch=max_batch)
    return BlockingEngine(CARD, signature, EngineFacts('fake', 'CPU', 'u8'), runs)


def first_channel(feeds):
    return {'labels': feeds['image'][..., 0].copy()}


def test_the_result_of_a_batch_comes_through_its_future():
    engine = make_engine(first_channel)
    batch = np.arange(36, dtype=np.uint8).reshape(2, 2, 3, 3)
    outputs = engine.submit(batch).result(PATIENCE_S)
    np.testing.assert_array_equal(outputs.labels, batch[..., 0])
    engine.close()


def submitted(engine, count):
    """Submit `count` batches from as many threads; return their futures once all have ended."""
    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(engine.submit, [BATCH] * count, timeout=PATIENCE_S))


@pytest.mark.parametrize('count', [1, 2, 3])
def test_as_many_frames_are_in_flight_as_there_are_callables(count):
    meeting = Barrier(count)

    def run(feeds):
        meeting.wait(PATIENCE_S)
        return first_channel(feeds)

    engine = make_engine(*[run] * count)
    assert all(future.result(0).labels.shape == (1, 2, 3) for future in submitted(engine, count))
    engine.close()


def test_no_callable_is_used_by_two_threads_at_once():
    class Exclusive:

        def __init__(self):
            self.lock, self.calls = Lock(), 0

        def __call__(self, feeds):
            assert self.lock.acquire(blocking=False)
            self.calls += 1
            Event().wait(0.001)
            self.lock.release()
            return first_channel(feeds)

    runs = [Exclusive(), Exclusive()]
    engine = make_engine(*runs)
    for future in submitted(engine, 40):
        future.result(0)
    engine.close()
    assert sum(run.calls for run in runs) == 40
    assert min(run.calls for run in runs) > 0


def test_the_thread_that_submits_computes():
    computing = []

    def run(feeds):
        computing.append(get_ident())
        return first_channel(feeds)

    engine = make_engine(run)
    assert engine.submit(BATCH).done()
    assert computing == [get_ident()]
    engine.close()


def test_a_failure_reaches_its_own_future_and_no_other():
    def run(feeds):
        if feeds['image'].any():
            raise EngineError('out of memory')
        return first_channel(feeds)

    engine = make_engine(run)
    bad, good = engine.submit(BATCH + 1), engine.submit(BATCH)
    with pytest.raises(EngineError, match='out of memory'):
        bad.result(PATIENCE_S)
    assert good.result(PATIENCE_S).labels.shape == (1, 2, 3)
    engine.close()


@pytest.mark.parametrize('tensors', [
    {'labels': np.zeros((1, 2, 3), np.float32)},
    {'labels': np.zeros((2, 2, 3), np.uint8)},
    {'colors': np.zeros((1, 2, 3), np.uint8)},
])
def test_tensors_that_break_the_contract_are_refused(tensors):
    engine = make_engine(lambda feeds: tensors)
    with pytest.raises(ContractError):
        engine.submit(BATCH).result(PATIENCE_S)
    engine.close()


@pytest.mark.parametrize('batch', [
    BATCH[0], BATCH.astype(np.float32), BATCH[:, :1], np.zeros((3, 2, 3, 3), np.uint8), BATCH[:0],
])
def test_a_batch_that_the_graph_does_not_take_is_refused_at_once(batch):
    engine = make_engine(first_channel)
    with pytest.raises(ContractError):
        engine.submit(batch)
    engine.close()


@pytest.fixture
def held():
    """Return an engine that waits for a gate, the event that it has begun, and the gate."""
    entered, gate = Event(), Event()

    def run(feeds):
        entered.set()
        gate.wait(PATIENCE_S)
        return first_channel(feeds)

    return make_engine(run), entered, gate


def test_closing_waits_for_what_is_under_way_and_later_batches_are_refused(held):
    futures = []
    engine, entered, gate = held
    working = Thread(target=lambda: futures.append(engine.submit(BATCH)))
    closing = Thread(target=engine.close)
    working.start()
    assert entered.wait(PATIENCE_S)
    closing.start()
    closing.join(0.05)
    assert closing.is_alive()
    gate.set()
    closing.join(PATIENCE_S)
    working.join(PATIENCE_S)
    assert futures[0].result(0).labels.shape == (1, 2, 3)
    with pytest.raises(EngineError, match='closed'):
        engine.submit(BATCH)
    engine.close()


def test_a_thread_that_waits_for_a_callable_learns_of_the_closing(held):
    refused = []

    def wait_in_vain():
        with pytest.raises(EngineError, match='closed') as raised:
            engine.submit(BATCH)
        refused.append(raised)

    engine, entered, gate = held
    threads = [Thread(target=engine.submit, args=[BATCH])]
    threads[0].start()
    assert entered.wait(PATIENCE_S)
    threads += [Thread(target=wait_in_vain), Thread(target=engine.close)]
    for thread in threads[1:]:
        thread.start()
    threads[1].join(PATIENCE_S)
    gate.set()
    for thread in threads:
        thread.join(PATIENCE_S)
    assert refused

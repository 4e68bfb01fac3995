"""A blocking runtime becomes an engine with as many frames in flight as it has callables."""

from threading import Barrier, Event, Lock

import numpy as np
import pytest
from seg_ros.core.card import ClassInfo, ModelCard
from seg_ros.core.contract import Contract, EngineFacts
from seg_ros.core.errors import ContractError, EngineError
from seg_ros.engines.threaded import ThreadedEngine

PATIENCE_S = 10
CARD = ModelCard('x', 'semantic', (ClassInfo(0, 'road', (1, 1, 1)),))
BATCH = np.zeros((1, 2, 3, 3), np.uint8)


def make_engine(*runs, max_batch=2):
    contract = Contract((2, 3), ('labels',), max_batch=max_batch)
    return ThreadedEngine(CARD, contract, EngineFacts('fake', 'CPU', 'u8'), runs)


def first_channel(batch):
    return {'labels': batch[..., 0].copy()}


def test_the_result_of_a_batch_comes_through_its_future():
    engine = make_engine(first_channel)
    batch = np.arange(36, dtype=np.uint8).reshape(2, 2, 3, 3)
    outputs = engine.submit(batch).result(PATIENCE_S)
    np.testing.assert_array_equal(outputs.labels, batch[..., 0])
    engine.close()


@pytest.mark.parametrize('count', [1, 2, 3])
def test_as_many_frames_are_in_flight_as_there_are_callables(count):
    meeting = Barrier(count)

    def run(batch):
        meeting.wait(PATIENCE_S)
        return first_channel(batch)

    engine = make_engine(*[run] * count)
    for future in [engine.submit(BATCH) for _ in range(count)]:
        future.result(PATIENCE_S)
    engine.close()


def test_no_callable_is_used_by_two_threads_at_once():
    class Exclusive:

        def __init__(self):
            self.lock, self.calls = Lock(), 0

        def __call__(self, batch):
            assert self.lock.acquire(blocking=False)
            self.calls += 1
            Event().wait(0.001)
            self.lock.release()
            return first_channel(batch)

    runs = [Exclusive(), Exclusive()]
    engine = make_engine(*runs)
    for future in [engine.submit(BATCH) for _ in range(40)]:
        future.result(PATIENCE_S)
    engine.close()
    assert sum(run.calls for run in runs) == 40
    assert min(run.calls for run in runs) > 0


def test_submitting_does_not_wait_for_the_frame_before():
    gate = Event()

    def run(batch):
        gate.wait(PATIENCE_S)
        return first_channel(batch)

    engine = make_engine(run)
    futures = [engine.submit(BATCH) for _ in range(3)]
    assert not any(future.done() for future in futures)
    gate.set()
    engine.close()
    assert all(future.done() for future in futures)


def test_a_failure_reaches_its_own_future_and_no_other():
    def run(batch):
        if batch.any():
            raise EngineError('out of memory')
        return first_channel(batch)

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
    engine = make_engine(lambda batch: tensors)
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


def test_closing_lets_go_of_the_runtime_and_later_batches_are_refused():
    engine = make_engine(first_channel)
    future = engine.submit(BATCH)
    engine.close()
    assert future.done()
    with pytest.raises(EngineError, match='closed'):
        engine.submit(BATCH)
    engine.close()

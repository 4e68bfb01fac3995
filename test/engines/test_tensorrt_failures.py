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

"""Failures below TensorRT's engine are reported as they are, and unaffected parts go on."""

from contextlib import closing

from fakes.gpu import ILLEGAL_ADDRESS
import numpy as np
import pytest
from seg_ros.core.errors import ContextLostError, EngineError, GpuMemoryError, PlanError
from seg_ros.core.settings import Settings
from tiny_model import echo_model, echo_tensors, random_batch

OUT_OF_MEMORY, INVALID_VALUE, UNKNOWN = 2, 1, 999
OUTSIDE = 'seg_ros.engines.tensorrt.batch_context.CudaGraph'


@pytest.fixture(scope='module')
def plans(tmp_path_factory):
    return str(tmp_path_factory.mktemp('plans'))


@pytest.fixture
def open_echo(fake_gpu, tmp_path, plans):
    from seg_ros.engines.tensorrt.engine import open_tensorrt

    path = echo_model(tmp_path)
    return lambda *report: closing(open_tensorrt(path, Settings(cache_dir=plans), *report))


def assert_echo(engine, seed=0):
    batch = random_batch(1, seed)
    outputs = engine.submit(batch).result()
    np.testing.assert_array_equal(outputs.masks, echo_tensors(batch)['masks'])


def failure(engine):
    return engine.submit(random_batch(1)).exception()


def refuse_recording(stream, work):
    raise EngineError('no recording')


def test_a_graph_that_the_parser_does_not_know_is_refused_in_its_words(fake_gpu, tmp_path):
    from seg_ros.engines.tensorrt.engine import open_tensorrt

    path = echo_model(tmp_path, operator='Unreadable', domain='org.example')
    with pytest.raises(EngineError, match='Unreadable'):
        open_tensorrt(path, Settings(cache_dir=str(tmp_path)))


def test_a_build_that_runs_out_of_memory_is_reported_in_its_words(fake_gpu, tmp_path, monkeypatch):
    from seg_ros.engines.tensorrt.engine import open_tensorrt

    monkeypatch.setenv('FAKE_TENSORRT_DO', 'out of memory')
    with pytest.raises(GpuMemoryError, match='Requested amount of GPU memory'):
        open_tensorrt(echo_model(tmp_path), Settings(cache_dir=str(tmp_path)))


def test_a_build_that_gives_nothing_and_says_nothing_is_an_error(fake_gpu, tmp_path, monkeypatch):
    from seg_ros.engines.tensorrt.engine import open_tensorrt

    monkeypatch.setenv('FAKE_TENSORRT_DO', 'nothing')
    with pytest.raises(EngineError, match='built no plan') as caught:
        open_tensorrt(echo_model(tmp_path), Settings(cache_dir=str(tmp_path)))
    assert caught.type is EngineError


def test_a_plan_that_the_runtime_refuses_is_built_once_more(open_echo, monkeypatch):
    phases = []
    monkeypatch.setenv('FAKE_TENSORRT_FAIL', 'deserialize')
    with open_echo(lambda phase, share: phases.append(phase)) as engine:
        assert_echo(engine)
    assert any('Version tag does not match' in phase for phase in phases)


def test_a_plan_that_is_refused_again_is_an_error(open_echo, monkeypatch):
    monkeypatch.setenv('FAKE_TENSORRT_FAIL', 'deserialize,deserialize')
    with pytest.raises(PlanError, match='Version tag does not match'):
        open_echo()


@pytest.mark.parametrize(('what', 'kind', 'words'), [
    ('runtime', EngineError, 'does not start: CUDA initialization failure'),
    ('deserialize_memory', GpuMemoryError, 'refuses the plan.*out of memory'),
    ('context_memory', GpuMemoryError, 'cannot create an execution context.*out of memory'),
    ('shape', EngineError, r'refuses shape \(1, 48, 64, 3\) of image'),
    ('address', EngineError, 'refuses the address of image'),
    ('enqueue', EngineError, 'failed to enqueue: .*Cask'),
])
def test_what_tensorrt_refuses_at_opening_is_reported_in_its_words(
    open_echo, monkeypatch, what, kind, words
):
    monkeypatch.setenv('FAKE_TENSORRT_FAIL', what)
    with pytest.raises(EngineError, match=words) as caught:
        open_echo()
    assert caught.type is kind
    with open_echo() as engine:
        assert_echo(engine)


@pytest.mark.parametrize(('function', 'after', 'code', 'kind'), [
    ('cuDevicePrimaryCtxRetain', 0, OUT_OF_MEMORY, GpuMemoryError),
    ('cuCtxPushCurrent_v2', 0, INVALID_VALUE, EngineError),
    ('cuMemAlloc_v2', 0, OUT_OF_MEMORY, GpuMemoryError),
    ('cuMemAlloc_v2', 5, OUT_OF_MEMORY, GpuMemoryError),
    ('cuMemHostAlloc', 0, OUT_OF_MEMORY, GpuMemoryError),
    ('cuMemHostAlloc', 8, OUT_OF_MEMORY, GpuMemoryError),
    ('cuStreamCreate', 1, INVALID_VALUE, EngineError),
    ('cuEventCreate', 1, INVALID_VALUE, EngineError),
    ('cuEventCreate', 7, INVALID_VALUE, EngineError),
    ('cuStreamSynchronize', 0, INVALID_VALUE, EngineError),
    ('cuStreamSynchronize', 1, INVALID_VALUE, EngineError),
])
def test_what_the_driver_refuses_at_opening_is_reported_and_leaves_nothing_behind(
    fake_gpu, open_echo, function, after, code, kind
):
    fake_gpu.fake_fail(function.encode(), code, after, 2)   # pycuda tries to allocate twice
    with pytest.raises(EngineError, match=function.partition('_')[0]) as caught:
        open_echo()
    assert caught.type is kind
    assert fake_gpu.fake_held() == 0
    fake_gpu.fake_fail(b'', 0, 0, 0)
    with open_echo() as engine:
        assert_echo(engine)


def test_a_gpu_that_is_full_has_no_room_for_an_engine(fake_gpu, open_echo):
    fake_gpu.fake_room(100_000)
    with pytest.raises(GpuMemoryError, match='out of memory'):
        open_echo()


def test_an_engine_that_finds_no_room_leaves_another_alone(fake_gpu, open_echo):
    with open_echo() as first:
        assert_echo(first)
        fake_gpu.fake_room(fake_gpu.fake_used() + 1000)
        with pytest.raises(GpuMemoryError, match='out of memory'):
            open_echo()
        assert_echo(first, 1)


@pytest.mark.parametrize('function', [
    'cuMemcpyHtoDAsync_v2', 'cuStreamWaitEvent', 'cuGraphLaunch', 'cuEventRecord',
    'cuMemcpyDtoHAsync_v2', 'cuEventSynchronize', 'cuEventElapsedTime', 'cuCtxPushCurrent_v2',
])
def test_a_call_that_fails_costs_one_frame(fake_gpu, open_echo, function):
    with open_echo() as engine:
        fake_gpu.fake_fail(function.encode(), INVALID_VALUE, 0, 1)
        error = failure(engine)
        assert type(error) is EngineError
        assert function.partition('_')[0] in str(error)
        for seed in range(4):
            assert_echo(engine, seed)
        assert engine.facts.notes == ()


def test_an_enqueue_that_fails_costs_one_frame(open_echo, monkeypatch):
    monkeypatch.setattr(OUTSIDE, refuse_recording)
    with open_echo() as engine:
        monkeypatch.setenv('FAKE_TENSORRT_FAIL', 'enqueue')
        assert 'Cask' in str(failure(engine))
        for seed in range(4):
            assert_echo(engine, seed)


@pytest.mark.parametrize('code', [ILLEGAL_ADDRESS, UNKNOWN])
@pytest.mark.parametrize('recorded', [True, False])
def test_a_lost_context_is_made_anew_once(fake_gpu, open_echo, monkeypatch, recorded, code):
    if not recorded:
        monkeypatch.setattr(OUTSIDE, refuse_recording)
    with open_echo() as engine:
        assert_echo(engine)
        fake_gpu.fake_lose(code, 0)
        error = failure(engine)
        assert isinstance(error, ContextLostError)
        assert f'CUDA error {code}' in str(error)
        for seed in range(4):
            assert_echo(engine, seed)
        (note,) = (note for note in engine.facts.notes if 'context was lost' in note)
        assert f'CUDA error {code}' in note


def test_a_context_that_is_lost_again_ends_the_engine(fake_gpu, open_echo):
    with open_echo() as engine:
        for _ in range(2):
            assert_echo(engine)
            fake_gpu.fake_lose(ILLEGAL_ADDRESS, 0)
            assert isinstance(failure(engine), ContextLostError)
        for _ in range(3):
            error = failure(engine)
            assert isinstance(error, EngineError)
            assert 'has ended' in str(error)
        assert 'has ended' in engine.facts.notes[-1]
        assert 'has ended' in engine.facts.ended
        assert fake_gpu.fake_held() == 0
    with open_echo() as engine:
        assert_echo(engine)


def test_all_frames_in_flight_raise_when_the_context_is_lost(fake_gpu, open_echo):
    with open_echo() as engine:
        fake_gpu.fake_hold(1)
        fake_gpu.fake_lose(ILLEGAL_ADDRESS, 0)
        futures = [engine.submit(random_batch(1)) for _ in range(5)]
        fake_gpu.fake_hold(0)
        errors = [future.exception() for future in futures]
        assert isinstance(errors[0], ContextLostError)
        assert all(error is None or isinstance(error, ContextLostError) for error in errors)
        assert_echo(engine)


def test_an_engine_that_finds_no_room_again_ends(fake_gpu, open_echo):
    with open_echo() as engine:
        fake_gpu.fake_room(1)
        fake_gpu.fake_lose(ILLEGAL_ADDRESS, 0)
        assert isinstance(failure(engine), ContextLostError)
        assert 'out of memory' in str(failure(engine))
        assert 'out of memory' in engine.facts.notes[-1]


def test_a_lost_context_is_lost_to_all_engines_and_reset_once(fake_gpu, open_echo, monkeypatch):
    from seg_ros.engines.cuda import primary_context as primary

    resets = []

    def call(function, *arguments):
        resets.append(function)
        return called(function, *arguments)

    called = primary.call
    monkeypatch.setattr(primary, 'call', call)
    with open_echo() as first, open_echo() as second:
        assert_echo(first)
        assert_echo(second)
        fake_gpu.fake_lose(ILLEGAL_ADDRESS, 0)
        assert isinstance(failure(first), ContextLostError)
        # The second engine is notified although it is idle.
        for seed in range(4):
            assert_echo(first, seed)
        assert resets == ['cuDevicePrimaryCtxReset_v2']
        assert_echo(second)
        for engine in (first, second):
            assert sum('context was lost' in note for note in engine.facts.notes) == 1


def test_a_context_that_cannot_be_reset_ends_the_engine(fake_gpu, open_echo):
    with open_echo() as engine:
        fake_gpu.fake_lose(ILLEGAL_ADDRESS, 0)
        fake_gpu.fake_fail(b'cuDevicePrimaryCtxReset_v2', INVALID_VALUE, 0, 1)
        assert isinstance(failure(engine), ContextLostError)
        assert 'cuDevicePrimaryCtxReset' in str(failure(engine))


def test_without_pycuda_it_says_what_to_install(open_echo, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, 'pycuda.driver', None)
    with pytest.raises(EngineError, match='pip install pycuda'):
        open_echo()

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

"""Resources that one thread allocates on the GPU and releases."""

from contextlib import closing
from ctypes import c_void_p, CFUNCTYPE
import threading
import warnings

from fakes.gpu import ILLEGAL_ADDRESS
import numpy as np
import pytest
from seg_ros.core.errors import ContextLostError, EngineError, GpuMemoryError
from seg_ros.engines.cuda.gpu import find_gpu
from seg_ros.engines.cuda.graph import CudaGraph
from seg_ros.engines.cuda.primary_context import primary_of, PrimaryContext
from seg_ros.engines.cuda.resources import Cuda

INVALID_VALUE = 1
CALLBACK = CFUNCTYPE(None, c_void_p)


@pytest.fixture
def opened(fake_gpu):
    return lambda wake=lambda: None: closing(Cuda(find_gpu(), wake))


def in_thread(work):
    """Run a function in a thread until it ends, and return the errors that it raised."""
    raised = []

    def run():
        try:
            work()
        except EngineError as error:
            raised.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(20)
    return raised


def test_bytes_go_to_the_gpu_and_come_back(opened):
    def work():
        with opened() as cuda, cuda.errors():
            stream, buffer = cuda.stream(), cuda.buffer((4, 5), np.int32)
            assert not buffer.host.any()
            buffer.host[:] = np.arange(20).reshape(4, 5)
            buffer.upload(3, stream)
            stream.finish()
            buffer.host[:] = -1
            buffer.download(3, stream)
            stream.finish()
            assert buffer.host[:3].tolist() == np.arange(15).reshape(3, 5).tolist()
            assert (buffer.host[3] == -1).all()

    assert in_thread(work) == []


def test_a_jetsons_buffers_are_one_memory(fake_gpu, opened):
    fake_gpu.fake_integrated(1)
    with opened() as cuda, cuda.errors():
        buffer = cuda.buffer((2, 3), np.float32)
        assert buffer.address == buffer.host.ctypes.data
        buffer.upload(2, cuda.stream())
        buffer.download(2, cuda.stream())


def test_streams_wait_for_events_of_each_other(opened):
    with opened() as cuda, cuda.errors():
        first, second = cuda.stream(), cuda.stream()
        source = cuda.buffer((1, 64), np.uint8)
        done, back = cuda.event(), cuda.event()
        source.host[:] = 7
        source.upload(1, first)
        done.record(first)
        second.wait_for(done)
        source.download(1, second)
        back.record(second)
        back.wait()
        assert (source.host == 7).all()
        assert done.ms_until(back) > 0


def test_another_thread_may_wait_while_it_borrows_the_context(opened):
    with opened() as cuda:
        with cuda.errors():
            stream, event = cuda.stream(), cuda.event()
            event.record(stream)

        def work():
            with cuda.borrowed():
                event.wait()

        assert in_thread(work) == []


def test_everything_is_released_last_made_first(fake_gpu, opened):
    order = []
    with opened() as cuda, cuda.errors():
        cuda.at_close(lambda: order.append('first'))
        cuda.memory(100)
        cuda.at_close(lambda: order.append('second'))
        assert fake_gpu.fake_held() > 1
    assert order == ['second', 'first']
    assert fake_gpu.fake_held() == 0


def test_closing_waits_for_work_in_flight(fake_gpu, opened):
    fake_gpu.fake_delay(0, 50_000)
    with opened() as cuda, cuda.errors():
        cuda.buffer((1, 10), np.uint8).upload(1, cuda.stream())
    # The fake GPU would report a copy into freed memory as misuse.


def test_a_full_gpu_is_distinguished_from_other_failures(fake_gpu, opened):
    fake_gpu.fake_room(1000)
    with opened() as cuda:
        with pytest.raises(GpuMemoryError, match='out of memory'), cuda.errors():
            cuda.memory(1001)
        fake_gpu.fake_fail(b'cuStreamCreate', INVALID_VALUE, 0, 1)
        with pytest.raises(EngineError, match='cuStreamCreate') as caught, cuda.errors():
            cuda.stream()
        assert caught.type is EngineError


def test_a_recording_does_its_work_at_every_launch(opened):
    with opened() as cuda, cuda.errors():
        stream, buffer = cuda.stream(), cuda.buffer((1, 8), np.uint8)

        def work():
            buffer.upload(1, stream)
            buffer.download(1, stream)

        recording = CudaGraph(stream.handle, work)
        cuda.at_close(recording.free)
        address = buffer.host.ctypes.data
        for value in (3, 4):
            buffer.host[:] = value
            recording.launch(stream.handle)
            stream.finish()
            assert (buffer.host == value).all()
        assert buffer.host.ctypes.data == address


def test_a_recording_that_fails_leaves_the_stream_usable(fake_gpu, opened):
    def refuse():
        raise EngineError('the work refuses')

    with opened() as cuda, cuda.errors():
        stream, buffer = cuda.stream(), cuda.buffer((1, 8), np.uint8)
        with pytest.raises(EngineError, match='the work refuses'):
            CudaGraph(stream.handle, refuse)
        with pytest.raises(EngineError, match='CUDA error 901'):
            CudaGraph(stream.handle, lambda: fake_gpu.cuCtxSynchronize())
        buffer.upload(1, stream)
        stream.finish()


def test_what_another_thread_frees_is_warned_of_and_leaks(fake_gpu, opened):
    with opened(), warnings.catch_warnings(record=True) as warned:
        from pycuda import driver

        warnings.simplefilter('always')
        allocation = driver.mem_alloc(10)
        held = fake_gpu.fake_held()
        in_thread(allocation.free)
        assert 'out-of-thread context could not be cleaned up' in str(warned[0].message)
        assert fake_gpu.fake_held() == held
    assert fake_gpu.fake_held() == 1
    fake_gpu.fake_start()


def test_a_thread_that_ends_with_a_context_is_noted(fake_gpu):
    in_thread(lambda: fake_gpu.cuCtxPushCurrent_v2(c_void_p(1)))
    assert fake_gpu.fake_held() == 1
    fake_gpu.fake_start()


def test_a_lost_context_is_reported_to_all_who_use_it(fake_gpu, opened):
    woken = []
    with opened(lambda: woken.append(1)) as first, opened(lambda: woken.append(2)) as second:
        with first.errors():
            stream = first.stream()
        host = CALLBACK(lambda _: None)
        fake_gpu.fake_lose(ILLEGAL_ADDRESS, 0)
        fake_gpu.cuLaunchHostFunc(c_void_p(stream.handle), host, None)
        second.check()
        with pytest.raises(ContextLostError, match='illegal memory access'), first.errors():
            stream.finish()
        assert sorted(woken) == [1, 2]
        with pytest.raises(ContextLostError, match='illegal memory access'):
            second.check()
    with opened() as anew:
        anew.check()


def test_the_last_to_let_go_of_a_lost_context_resets_it(monkeypatch):
    resets, entered = [], threading.Event()
    monkeypatch.setattr(
        'seg_ros.engines.cuda.primary_context.call',
        lambda function, index: resets.append((function, index)),
    )
    primary, users = PrimaryContext(3), [object(), object(), object()]
    for user in users[:2]:
        primary.enter(user, lambda: None)
    primary.lose('once')
    primary.lose('twice')
    assert primary.loss == 'once'
    newcomer = threading.Thread(
        target=lambda: (primary.enter(users[2], lambda: None), entered.set()), daemon=True
    )
    newcomer.start()
    primary.leave(users[0])
    assert (resets, entered.is_set()) == ([], False)
    primary.leave(users[1])
    assert entered.wait(20)
    assert resets == [('cuDevicePrimaryCtxReset_v2', 3)]
    primary.leave(users[2])
    assert len(resets) == 1


def test_a_process_has_one_primary_context_for_each_gpu():
    assert primary_of(7) is primary_of(7)
    assert primary_of(7) is not primary_of(8)

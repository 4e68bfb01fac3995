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

"""GPU resources of one engine, through pycuda: context, memory, streams and events."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, ExitStack
from ctypes import byref, c_void_p
from traceback import clear_frames
from typing import Any

from numpy.typing import DTypeLike
from seg_ros.core.errors import ContextLostError, EngineError, GpuMemoryError
from seg_ros.engines.cuda.buffers import Buffer, CopiedBuffer, MappedBuffer
from seg_ros.engines.cuda.gpu import Gpu
from seg_ros.engines.cuda.libcuda import call, error_from_code, libcuda, LOST
from seg_ros.engines.cuda.primary_context import primary_of
from seg_ros.engines.cuda.streams import Event, Stream
from seg_ros.engines.tensorrt.log import says_no_memory


class Cuda:
    """
    The GPU resources of one thread, which also has to call `close` to free them.

    In a thread without a current Context, pycuda leaks with a warning instead of freeing; if a
    thread ends with a current Context, pycuda aborts the process. Hence one thread opens,
    allocates and closes; other threads may only wait for events, inside `borrowed`. The context is
    the primary one, which TensorRT uses too.

    :param wake: called from any thread when the context is lost; must not block.
    :raises EngineError: if pycuda is missing or does not load, or the GPU cannot be used.
    """

    def __init__(self, gpu: Gpu, wake: Callable[[], None]) -> None:
        self._pycuda = _pycuda()
        self._mapped = gpu.integrated
        self._owned = ExitStack()
        self._primary = primary_of(gpu.index)
        self._primary.enter(self, wake)
        self._owned.callback(self._primary.leave, self)
        with ExitStack() as undo, self.errors():
            undo.callback(self._owned.close)
            self._pycuda.init()
            self._context = self._pycuda.Device(gpu.index).retain_primary_context()
            self._owned.callback(self._release)
            self._context.push()
            undo.pop_all()

    def _release(self) -> None:
        """
        Release the context.

        `Context.pop` calls the driver first and fails if the context is lost. `detach` only
        changes pycuda's own stack, so the driver's stack is popped here.
        """
        self._context.detach()
        libcuda().cuCtxPopCurrent_v2(byref(c_void_p()))

    def close(self) -> None:
        """Wait for queued work, then free everything in reverse order."""
        libcuda().cuCtxSynchronize()
        self._owned.close()

    def at_close(self, free: Callable[[], Any]) -> None:
        """Make `close` call `free` before it frees what was created earlier."""
        self._owned.callback(free)

    @contextmanager
    def borrowed(self) -> Iterator[None]:
        """
        Make the context current in another thread, which may wait, but not allocate or free.

        :raises EngineError: as `errors` does.
        """
        with self.errors():
            call('cuCtxPushCurrent_v2', c_void_p(self._context.handle))
        try:
            with self.errors():
                yield
        finally:
            libcuda().cuCtxPopCurrent_v2(byref(c_void_p()))

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Turn errors of pycuda and the driver into EngineError."""
        try:
            yield
        except self._pycuda.Error as error:
            full = isinstance(error, self._pycuda.MemoryError)
            kind = GpuMemoryError if full else EngineError
            # The traceback's frames may hold objects that only this thread can free.
            clear_frames(error.__traceback__)
            raise self.failure(f'CUDA failed: {error}', kind) from error
        except ContextLostError as error:
            self._primary.lose(str(error))
            raise

    def failure(self, seen: str, kind: type[EngineError] = EngineError) -> EngineError:
        """
        Return the error to raise for a failed call: ContextLostError if the context is lost.

        :param kind: type of the error if the context is intact and memory did not run out.
        """
        code = libcuda().cuStreamQuery(None)
        if code in LOST:
            self._primary.lose(str(error_from_code(code, seen)))
        if self._primary.loss:
            return ContextLostError(self._primary.loss)
        return (GpuMemoryError if says_no_memory(seen) else kind)(seen)

    def check(self) -> None:
        """
        Check that no engine of this process has lost the context.

        :raises ContextLostError: if one has.
        """
        if self._primary.loss:
            raise ContextLostError(self._primary.loss)

    def memory(self, size: int) -> int:
        """
        Allocate GPU memory.

        :param size: in bytes.
        :returns: the device address.
        """
        allocation = self._pycuda.mem_alloc(max(size, 1))
        self._owned.callback(allocation.free)
        return int(allocation)

    def buffer(self, shape: tuple[int, ...], dtype: DTypeLike) -> Buffer:
        """Allocate an array of zeros shared by the host and the GPU."""
        flags = self._pycuda.host_alloc_flags.DEVICEMAP if self._mapped else 0
        host = self._pycuda.pagelocked_empty(shape, dtype, mem_flags=flags)
        self._owned.callback(host.base.free)
        host[...] = 0
        if self._mapped:
            return MappedBuffer(host)
        return CopiedBuffer(host, self.memory(host.nbytes), self._pycuda)

    def stream(self) -> Stream:
        """Create a stream that does not wait for the default stream."""
        stream = Stream(self._pycuda)
        self._owned.callback(stream.free)
        return stream

    def event(self) -> Event:
        """Create an event that can be waited for without spinning."""
        event = Event(self._pycuda)
        self._owned.callback(event.free)
        return event


def _pycuda() -> Any:
    try:
        import pycuda.driver
    except ImportError as error:
        raise EngineError(
            f'pycuda does not load ({error})',
            do='pip install pycuda, which needs the CUDA toolkit',
        ) from error
    return pycuda.driver

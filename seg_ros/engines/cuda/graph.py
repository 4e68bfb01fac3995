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

"""CUDA graphs: the work of a stream, captured once and launched as a unit."""

from collections.abc import Callable
from ctypes import byref, c_uint64, c_void_p

from seg_ros.engines.cuda.libcuda import call, error_from_code, libcuda

THREAD_LOCAL = 1  # CUstreamCaptureMode: other threads are not restricted


class CudaGraph:
    """
    A CUDA graph, through the driver library, since pycuda does not support them.

    :param stream: handle of the stream that `work` enqueues on; not the default stream.
    :raises EngineError: if the work cannot be captured; the stream remains usable.
    """

    def __init__(self, stream: int, work: Callable[[], None]) -> None:
        graph = _captured(stream, work)
        self._executable = c_void_p()
        try:
            call('cuGraphInstantiateWithFlags', byref(self._executable), graph, c_uint64(0))
        finally:
            libcuda().cuGraphDestroy(graph)

    def launch(self, stream: int) -> None:
        """Launch the graph on a stream."""
        call('cuGraphLaunch', self._executable, c_void_p(stream))

    def free(self) -> None:
        """Destroy the graph; errors of a lost context are ignored."""
        libcuda().cuGraphExecDestroy(self._executable)


def _captured(stream: int, work: Callable[[], None]) -> c_void_p:
    graph = c_void_p()
    call('cuStreamBeginCapture_v2', c_void_p(stream), THREAD_LOCAL)
    done = False
    try:
        work()
        done = True
    finally:
        code = libcuda().cuStreamEndCapture(c_void_p(stream), byref(graph))
        if not done and graph:
            libcuda().cuGraphDestroy(graph)
    if code:
        raise error_from_code(code, 'cuStreamEndCapture')
    return graph

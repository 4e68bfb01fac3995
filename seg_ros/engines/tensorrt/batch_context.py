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

"""A TensorRT execution context for one batch size in one slot, and its CUDA graph."""

from collections.abc import Mapping
from typing import Any

from seg_ros.core.errors import ContextLostError, EngineError
from seg_ros.core.tensors import IMAGE
from seg_ros.engines.cuda.buffers import Buffer
from seg_ros.engines.cuda.graph import CudaGraph
from seg_ros.engines.cuda.resources import Cuda
from seg_ros.engines.cuda.streams import Stream
from seg_ros.engines.tensorrt.plan import Plan


class BatchContext:
    """
    Shape, addresses and workspace are set once, so that a captured CUDA graph stays valid.

    :param buffers: of the inputs and the outputs, by tensor name.
    :param count: number of images in the batch.
    :param workspace: device address of the memory for activations; contexts that run in one stream
        share it.
    :raises EngineError: if TensorRT refuses the shape or an address.
    """

    def __init__(
        self, cuda: Cuda, plan: Plan, buffers: Mapping[str, Buffer], count: int, workspace: int
    ) -> None:
        self._plan = plan
        self._graph: CudaGraph | None = None
        self._context: Any = None
        cuda.at_close(self._release)
        self._context = plan.make_context((count, *plan.shapes[IMAGE][1:]))
        self._context.device_memory = workspace
        for name, buffer in buffers.items():
            if not self._context.set_tensor_address(name, buffer.address):
                raise plan.failure(f'TensorRT refuses the address of {name}')

    def warm_up(self, stream: Stream, record: bool) -> str:
        """
        Run once, as TensorRT requires after a change of shape; then capture a CUDA graph.

        :param record: whether to capture.
        :returns: why the capture failed; empty if it did not.
        :raises EngineError: if the run itself fails.
        """
        self._enqueue(stream)
        stream.finish()
        if not record:
            return ''
        try:
            self._graph = CudaGraph(stream.handle, lambda: self._enqueue(stream))
        except ContextLostError:
            raise
        except EngineError as error:
            return str(error)
        return ''

    def run(self, stream: Stream) -> None:
        """Enqueue the network."""
        if self._graph is None:
            self._enqueue(stream)
        else:
            self._graph.launch(stream.handle)

    def _enqueue(self, stream: Stream) -> None:
        if not self._context.execute_async_v3(stream.handle):
            raise self._plan.failure('TensorRT failed to enqueue')

    def _release(self) -> None:
        if self._graph is not None:
            self._graph.free()
        self._graph = self._context = None

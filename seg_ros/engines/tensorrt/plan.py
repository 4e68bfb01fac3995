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

"""A plan loaded by TensorRT's runtime: its tensors, memory requirement and execution contexts."""

from typing import Any

import numpy as np
from seg_ros.core.errors import EngineError, PlanError
from seg_ros.core.tensors import IMAGE
from seg_ros.engines.cuda.resources import Cuda
from seg_ros.engines.tensorrt.log import log_of


class Plan:
    """
    TensorRT's runtime and engine; nothing else refers to them, so that closing `cuda` frees them.

    :param trt: TensorRT's module.
    :param data: the serialised plan.
    :param dla_core: deep-learning accelerator that the plan is for; -1 is the GPU.
    :raises PlanError: if this TensorRT or this GPU refuses the plan.
    :raises EngineError: if GPU memory runs out, or a size is known only at run time.
    """

    def __init__(self, cuda: Cuda, trt: Any, data: bytes, dla_core: int) -> None:
        self._cuda = cuda
        self._trt = trt
        self._log = log_of(trt)
        self._runtime: Any = None
        self._engine: Any = None
        self._context: Any = None
        cuda.at_close(self._release)
        trt.init_libnvinfer_plugins(self._log, '')
        try:
            self._runtime = trt.Runtime(self._log)
        except TypeError as error:  # the bindings' error for a null pointer
            raise self.failure('TensorRT does not start') from error
        if dla_core >= 0:
            self._runtime.DLA_core = dla_core
        self._engine = self._runtime.deserialize_cuda_engine(data)
        if self._engine is None:
            raise self.failure('TensorRT refuses the plan', PlanError)
        self.shapes = self._read_shapes()

    def _read_shapes(self) -> dict[str, tuple[int, ...]]:
        """Return every tensor's shape at the largest batch, from an execution context."""
        names = [
            self._engine.get_tensor_name(index) for index in range(self._engine.num_io_tensors)
        ]
        max_batch, *sides = self._engine.get_tensor_shape(IMAGE)
        if max_batch < 0:
            max_batch = self._engine.get_tensor_profile_shape(IMAGE, 0)[2][0]
        self._context = self.make_context((max_batch, *sides))
        shapes = {name: tuple(map(int, self._context.get_tensor_shape(name))) for name in names}
        self._context = None
        for name, shape in shapes.items():
            if min(shape) < 0:
                raise EngineError(
                    f'{name} of shape {shape} in the plan', 'fixed sizes'
                )
        return shapes

    @property
    def workspace_size(self) -> int:
        """Return the size of the activation memory in bytes; renamed in TensorRT 10.1."""
        size = getattr(self._engine, 'device_memory_size_v2', None)
        return int(self._engine.device_memory_size if size is None else size)

    def dtype(self, name: str) -> 'np.dtype[Any]':
        """Return the type of a tensor."""
        dtype: np.dtype[Any] = np.dtype(self._trt.nptype(self._engine.get_tensor_dtype(name)))
        return dtype

    def make_context(self, shape: tuple[int, ...]) -> Any:
        """
        Return a TensorRT execution context without device memory.

        :param shape: of the image tensor.
        :raises EngineError: if TensorRT fails or refuses the shape.
        """
        # TensorRT 8 has a separate method instead of an argument.
        strategies = getattr(self._trt, 'ExecutionContextAllocationStrategy', None)
        if strategies is None:
            context = self._engine.create_execution_context_without_device_memory()
        else:
            context = self._engine.create_execution_context(strategies.USER_MANAGED)
        if context is None:
            raise self.failure('TensorRT cannot create an execution context')
        if not context.set_input_shape(IMAGE, shape):
            del context     # the error's traceback would keep it alive
            raise self.failure(f'TensorRT refuses shape {shape} of {IMAGE}')
        return context

    def failure(self, seen: str, kind: type[EngineError] = EngineError) -> EngineError:
        """Return the error to raise, with TensorRT's own message."""
        return self._cuda.failure(f'{seen}: {self._log.words()}', kind)

    def _release(self) -> None:
        self._context = self._engine = self._runtime = None

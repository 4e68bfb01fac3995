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

"""
The runtime's half of a TensorRT that is none: ONNX Runtime is enqueued as the GPU's work.

Public names are those of the real bindings. What it is to do wrong stands in the environment:

FAKE_TENSORRT_FAIL  names of `injected`, each for one failure, such as `enqueue,enqueue`
"""

from ctypes import byref, c_char, c_void_p, CDLL, CFUNCTYPE
from enum import Enum, IntEnum
import os
import warnings

import numpy as np
import onnxruntime as ort

from .building import facts_and_graph, OLD

WORKSPACE_BYTES = 4096


class DataType(Enum):
    FLOAT, HALF, INT8, INT32, BOOL, UINT8, FP8, BF16, INT64 = range(9)


class TensorIOMode(Enum):
    NONE, INPUT, OUTPUT = range(3)


class ExecutionContextAllocationStrategy(Enum):
    STATIC, ON_PROFILE_CHANGE, USER_MANAGED = range(3)


class ILogger:

    class Severity(IntEnum):
        INTERNAL_ERROR, ERROR, WARNING, INFO, VERBOSE = range(5)

    INTERNAL_ERROR, ERROR, WARNING, INFO, VERBOSE = Severity

    def __init__(self):
        pass


_TYPES = {
    'tensor(float)': DataType.FLOAT, 'tensor(float16)': DataType.HALF,
    'tensor(uint8)': DataType.UINT8, 'tensor(int32)': DataType.INT32,
    'tensor(int64)': DataType.INT64,
}
_DTYPES = {
    DataType.FLOAT: np.float32, DataType.HALF: np.float16, DataType.UINT8: np.uint8,
    DataType.INT32: np.int32, DataType.INT64: np.int64,
}


def nptype(trt_type):
    return _DTYPES[trt_type]


def init_libnvinfer_plugins(logger, namespace):
    return True


def injected(name):
    """Return whether a failure is asked for."""
    names = list(filter(None, os.environ.get('FAKE_TENSORRT_FAIL', '').split(',')))
    if name not in names:
        return False
    names.remove(name)
    os.environ['FAKE_TENSORRT_FAIL'] = ','.join(names)
    return True


def _context_is_current():
    context = c_void_p()
    return CDLL('libcuda.so.1').cuCtxGetCurrent(byref(context)) == 0 and bool(context)


class _OnGpu:
    """What must die in a thread where its CUDA context is current."""

    def __del__(self):
        if not _context_is_current():
            warnings.warn(
                f'{type(self).__name__} was let go of without its CUDA context', UserWarning,
                stacklevel=2,
            )


class Runtime(_OnGpu):

    def __new__(cls, logger):
        if injected('runtime'):
            logger.log(ILogger.ERROR, 'CUDA initialization failure with error: 35')
            raise TypeError('pybind11::init(): factory function returned nullptr')
        return super().__new__(cls)

    def __init__(self, logger):
        self._logger = logger
        self.DLA_core = -1

    def deserialize_cuda_engine(self, serialized_engine):
        complaint = ''
        if injected('deserialize_memory'):
            complaint = 'Error Code 1: Cuda Runtime (out of memory)'
        elif not _context_is_current():
            complaint = 'Error Code 1: Cuda Runtime (invalid device context)'
        elif injected('deserialize'):
            complaint = 'Error Code 1: Serialization (Version tag does not match)'
        else:
            try:
                return ICudaEngine(*facts_and_graph(serialized_engine), self._logger)
            except ValueError:
                complaint = 'Error Code 1: Serialization (magicTag does not match)'
        self._logger.log(ILogger.ERROR, complaint)
        return None


class ICudaEngine(_OnGpu):

    if OLD:
        device_memory_size = WORKSPACE_BYTES
    else:
        device_memory_size_v2 = WORKSPACE_BYTES

    def __init__(self, facts, graph, logger):
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        self._session = ort.InferenceSession(
            graph, options, providers=['CPUExecutionProvider']
        )
        self._profiles = facts['profiles']
        self._profile_is_free = True
        self._logger = logger
        self._inputs = {item.name: item for item in self._session.get_inputs()}
        self._outputs = {item.name: item for item in self._session.get_outputs()}
        self._tensors = {**self._inputs, **self._outputs}

    @property
    def num_io_tensors(self):
        return len(self._tensors)

    def get_tensor_name(self, index):
        return list(self._tensors)[index]

    def get_tensor_mode(self, name):
        return TensorIOMode.INPUT if name in self._inputs else TensorIOMode.OUTPUT

    def get_tensor_shape(self, name):
        """Return the shape; -1 stands where the batch goes."""
        shape = self._tensors[name].shape
        return tuple(side if isinstance(side, int) else -1 for side in shape)

    def get_tensor_dtype(self, name):
        return _TYPES[self._tensors[name].type]

    def get_tensor_profile_shape(self, name, profile_index):
        return self._profiles[profile_index]

    def create_execution_context_without_device_memory(self):
        return self.create_execution_context(ExecutionContextAllocationStrategy.USER_MANAGED)

    def create_execution_context(self, strategy=ExecutionContextAllocationStrategy.STATIC):
        if injected('context_memory'):
            self._logger.log(
                ILogger.ERROR, '[defaultAllocator.cpp::allocate::31] Error Code 1: Cuda Runtime '
                '(out of memory)'
            )
            return None
        return IExecutionContext(self, strategy)


_HOST_FUNCTION = CFUNCTYPE(None, c_void_p)


class IExecutionContext(_OnGpu):

    def __init__(self, engine, strategy):
        self._engine, self._logger = engine, engine._logger
        self._addresses, self._work = {}, []
        # What is fixed when the plan is built need not be set.
        shapes = {name: engine.get_tensor_shape(name) for name in engine._inputs}
        self._shapes = {name: shape for name, shape in shapes.items() if -1 not in shape}
        self._settled = False
        # Before TensorRT 10 a profile of several sizes served one context for good.
        wide = any(least != most for least, _, most in engine._profiles)
        self._has_profile = not (OLD and wide) or engine._profile_is_free
        engine._profile_is_free = False
        self.device_memory = 0
        if strategy != ExecutionContextAllocationStrategy.USER_MANAGED:
            self.device_memory = -1

    def set_input_shape(self, name, shape):
        fixed = self._engine.get_tensor_shape(name)
        low, _, high = (self._engine._profiles or [[shape] * 3])[0]
        right = not injected('shape') and len(fixed) == len(shape) and all(
            side in (-1, given) and least <= given <= most
            for side, given, least, most in zip(fixed, shape, low, high, strict=True)
        )
        if not right:
            self._logger.log(ILogger.ERROR, f'setInputShape: {tuple(shape)} fits no profile')
        self._shapes[name] = tuple(shape)
        self._settled = False
        return right

    def get_tensor_shape(self, name):
        """Return the shape that follows from the inputs'."""
        given = {
            key: np.zeros(shape, nptype(self._engine.get_tensor_dtype(key)))
            for key, shape in self._shapes.items()
        }
        if name in given:
            return given[name].shape
        (result,) = self._engine._session.run([name], given)
        return result.shape

    def set_tensor_address(self, name, memory):
        self._addresses[name] = int(memory)
        return name in self._engine._tensors and not injected('address')

    def execute_async_v3(self, stream_handle):
        lib = CDLL('libcuda.so.1')
        complaint = ''
        if injected('enqueue'):
            complaint = 'Error Code 1: Cask (Cask convolution execution)'
        elif not self._has_profile:
            complaint = 'Error Code 2: Internal Error (mOptimizationProfile >= 0 failed)'
        elif self._addresses.keys() != self._engine._tensors.keys() or not self.device_memory:
            complaint = 'Error Code 3: API Usage Error (an address is not set)'
        elif not _context_is_current():
            complaint = 'Error Code 1: Cuda Runtime (invalid device context)'
        if complaint:
            self._logger.log(ILogger.ERROR, complaint)
            return False
        if not self._settled:
            # What the real one puts off until the first run cannot be captured.
            lib.cuCtxSynchronize()
            self._settled = True
        work = _HOST_FUNCTION(self._run(dict(self._addresses), dict(self._shapes)))
        self._work.append(work)     # a graph may call it again
        code = lib.cuLaunchHostFunc(c_void_p(stream_handle), work, None)
        if code:
            self._logger.log(ILogger.ERROR, f'Error Code 1: Cuda Runtime ({code})')
        return code == 0

    def _run(self, addresses, shapes):
        engine = self._engine

        def view(name, shape):
            dtype = np.dtype(nptype(engine.get_tensor_dtype(name)))
            size = int(np.prod(shape)) * dtype.itemsize
            data = (c_char * size).from_address(addresses[name])
            return np.frombuffer(data, dtype).reshape(shape)

        def run(_):
            given = {name: view(name, shapes[name]).copy() for name in engine._inputs}
            results = engine._session.run(list(engine._outputs), given)
            for name, result in zip(engine._outputs, results, strict=True):
                view(name, result.shape)[...] = result

        return run

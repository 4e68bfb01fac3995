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

"""Checks of the GPU: driver, pycuda, TensorRT, copies and CUDA graphs."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from ctypes import byref, c_size_t, c_void_p
from importlib.util import find_spec
from statistics import median
from time import perf_counter

import numpy as np
from seg_ros.commands.checks.check import Check, checked
from seg_ros.core.errors import EngineError
from seg_ros.engines.cuda.gpu import find_gpu, Gpu
from seg_ros.engines.cuda.graph import CudaGraph
from seg_ros.engines.cuda.libcuda import call
from seg_ros.engines.cuda.resources import Cuda
from seg_ros.engines.tensorrt.flavour import load_flavour

COPY_BYTES = 1280 * 720 * 3
REPEATS = 50


def gpu_check(device: str) -> tuple[Check, Gpu | None]:
    """Check the driver and the GPU."""
    gpu = None
    with checked('driver and GPU') as check:
        gpu = find_gpu(device)
        check.seen = f'{gpu.name}, compute capability {gpu.compute_capability}'
        check.figures = {
            'driver': gpu.driver, 'memory_mib': gpu.memory_mib, 'integrated': gpu.integrated,
        }
    return check, gpu


def tensorrt_check() -> Check:
    """Check TensorRT."""
    with checked('TensorRT') as check:
        flavour = load_flavour()
        check.seen = f'{flavour.name} {flavour.version}'
    return check


def pycuda_check() -> Check:
    """Check that pycuda is installed and loads."""
    check = Check('pycuda')
    if not find_spec('pycuda'):
        check.fail('pycuda is not installed', 'pip install pycuda, which needs the CUDA toolkit')
        return check
    try:
        import pycuda.driver
    except ImportError as error:
        check.fail(f'pycuda does not load ({error})', 'build it against the CUDA of this driver')
    else:
        check.seen = getattr(pycuda, 'VERSION_TEXT', 'it loads')
    return check


@contextmanager
def gpu_memory(gpu: Gpu) -> Iterator[Callable[[], float]]:
    """
    Hold a CUDA context, through which GPU memory can be queried.

    :returns: a function that returns the memory in use by all processes, in MiB.
    """
    with closing(Cuda(gpu, lambda: None)):

        def used_mib() -> float:
            free, total = c_size_t(), c_size_t()
            call('cuMemGetInfo_v2', byref(free), byref(total))
            return (total.value - free.value) / (1 << 20)

        yield used_mib


def copy_check(gpu: Gpu) -> Check:
    """Copy bytes to the GPU and back through page-locked memory."""
    with checked('copies to the GPU and back') as check, closing(Cuda(gpu, _no_wake)) as cuda, \
            cuda.errors():
        sent = np.random.default_rng(0).integers(0, 256, (1, COPY_BYTES), np.uint8)
        stream, buffer = cuda.stream(), cuda.buffer(sent.shape, np.uint8)
        buffer.host[:] = sent
        directions = {'upload': buffer.upload, 'download': buffer.download}
        for name, copy in directions.items():
            samples = []
            for _ in range(REPEATS):
                start = perf_counter()
                copy(1, stream)
                stream.finish()
                samples.append(perf_counter() - start)
            check.figures[f'{name}_gb_per_s'] = COPY_BYTES / median(samples) / 1e9
            if name == 'upload' and not gpu.integrated:
                buffer.host[:] = 0
        if not np.array_equal(buffer.host, sent):
            check.fail('the bytes that came back differ from those sent')
        check.seen = check.seen or f'{COPY_BYTES} bytes, unchanged'
    return check


def recording_check(gpu: Gpu) -> Check:
    """Capture a copy on the GPU as a CUDA graph and launch it."""
    with checked('work recorded as a CUDA graph') as check, closing(Cuda(gpu, _no_wake)) as cuda, \
            cuda.errors():
        sent = np.random.default_rng(1).integers(0, 256, (1, COPY_BYTES), np.uint8)
        stream = cuda.stream()
        source, target = (cuda.buffer(sent.shape, np.uint8) for _ in range(2))
        source.host[:] = sent

        def work() -> None:
            call(
                'cuMemcpyDtoDAsync_v2', c_void_p(target.address), c_void_p(source.address),
                c_size_t(COPY_BYTES), c_void_p(stream.handle),
            )

        source.upload(1, stream)
        stream.finish()
        recording = CudaGraph(stream.handle, work)
        try:
            if target.host.any():
                raise EngineError('capturing the work also ran it')
            recording.launch(stream.handle)
            target.download(1, stream)
            stream.finish()
        finally:
            recording.free()
        if not np.array_equal(target.host, sent):
            check.fail('the captured copy gave other bytes')
        check.seen = check.seen or 'launched with the right bytes'
    return check


def _no_wake() -> None:
    """Do nothing: no other thread has to be woken."""

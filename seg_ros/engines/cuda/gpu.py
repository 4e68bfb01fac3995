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

"""GPU queries through the driver, without a context and without allocation."""

from ctypes import byref, c_int, c_size_t, create_string_buffer
from dataclasses import dataclass
from pathlib import Path
import re

from seg_ros.core.errors import EngineError
from seg_ros.engines.cuda.libcuda import call, libcuda

# Files with the release of a Jetson, and with the driver version of other machines.
RELEASES = (
    (Path('/etc/nv_tegra_release'), r'# (R\d+) .*REVISION: ([\d.]+)'),
    (Path('/proc/driver/nvidia/version'), r'\b(\d+\.\d+(?:\.\d+)?)\b'),
)
PCI_DEVICES = Path('/sys/bus/pci/devices')
NVIDIA = '0x10de'
# Signs of a GPU that is not on the PCI bus: on a board, under WSL, in a container.
GPU_TRACES = (Path('/proc/device-tree'), Path('/dev/dxg'), Path('/dev/nvidiactl'))
# CUdevice_attribute of cuda.h.
INTEGRATED, CAPABILITY_MAJOR, CAPABILITY_MINOR = 18, 75, 76


@dataclass(frozen=True)
class Gpu:
    """
    One GPU.

    :param index: its ordinal, as in `cuda:0`.
    :param compute_capability: e.g. `8.7`.
    :param driver: driver version, and the CUDA version that it supports.
    :param integrated: whether it shares the CPU's memory, as on a Jetson.
    :param memory_mib: total memory in MiB.
    """

    index: int
    name: str
    compute_capability: str
    driver: str
    integrated: bool
    memory_mib: int


def find_gpu(device: str = 'auto') -> Gpu:
    """
    Query a GPU.

    :param device: `auto` or `cuda` for the first, `cuda:N` for another.
    :raises EngineError: if there is no driver or no GPU with that number.
    """
    index, count = _index(device), gpu_count()
    if index >= count:
        raise EngineError(f'device {device!r}', f'one of {count} GPUs, counted from 0')
    handle, name, memory = c_int(), create_string_buffer(256), c_size_t()
    call('cuDeviceGet', byref(handle), index)
    call('cuDeviceGetName', name, len(name), handle)
    call('cuDeviceTotalMem_v2', byref(memory), handle)
    major, minor, integrated = (
        _attribute(handle, item) for item in (CAPABILITY_MAJOR, CAPABILITY_MINOR, INTEGRATED)
    )
    return Gpu(
        index, name.value.decode(), f'{major}.{minor}', _driver(), bool(integrated),
        memory.value >> 20,
    )


def gpu_count() -> int:
    """
    Return the number of GPUs that the driver reports.

    :raises EngineError: if there is no driver.
    """
    count = c_int()
    call('cuInit', 0)
    call('cuDeviceGetCount', byref(count))
    return count.value


def may_have_gpu() -> bool:
    """Return whether there seems to be an NVIDIA GPU, with or without a driver."""
    vendors = [path.read_text().strip() for path in PCI_DEVICES.glob('*/vendor')]
    if not vendors or NVIDIA in vendors or any(path.exists() for path in GPU_TRACES):
        return True
    try:
        libcuda()
    except EngineError:
        return False
    return True


def _index(device: str) -> int:
    match = re.fullmatch(r'auto|cuda(?::(\d{1,3}))?', device.lower())
    if not match:
        raise EngineError(f'TensorRT on device {device!r}', 'auto, cuda or cuda:N')
    return int(match[1] or 0)


def _attribute(handle: c_int, attribute: int) -> int:
    value = c_int()
    call('cuDeviceGetAttribute', byref(value), attribute, handle)
    return value.value


def _driver() -> str:
    version = c_int()
    call('cuDriverGetVersion', byref(version))
    cuda = f'CUDA {version.value // 1000}.{version.value % 1000 // 10}'
    for path, pattern in RELEASES:
        if path.is_file() and (match := re.search(pattern, path.read_text(errors='replace'))):
            return f'{".".join(match.groups())}, {cuda}'
    return cuda

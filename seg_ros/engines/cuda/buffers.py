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

"""Arrays shared by the host and the GPU, through copies or mapped memory."""

from typing import Any, Protocol

from numpy.typing import NDArray
from seg_ros.engines.cuda.streams import Stream


class Buffer(Protocol):
    """
    A host array and its counterpart in GPU memory.

    :param host: page-locked, so that copies can be asynchronous.
    :param address: device address of the first byte.
    """

    host: NDArray[Any]
    address: int

    def upload(self, count: int, stream: Stream) -> None:
        """Copy the first `count` rows to the GPU."""

    def download(self, count: int, stream: Stream) -> None:
        """Copy the first `count` rows to the host."""


class CopiedBuffer:
    """A buffer with separate memory on the GPU."""

    def __init__(self, host: NDArray[Any], address: int, pycuda: Any) -> None:
        self.host = host
        self.address = address
        self._pycuda = pycuda

    def upload(self, count: int, stream: Stream) -> None:
        """Enqueue the copy."""
        self._pycuda.memcpy_htod_async(self.address, self.host[:count], stream.queue)

    def download(self, count: int, stream: Stream) -> None:
        """Enqueue the copy."""
        self._pycuda.memcpy_dtoh_async(self.host[:count], self.address, stream.queue)


class MappedBuffer:
    """A buffer in memory shared by CPU and GPU, as on a Jetson; nothing is copied."""

    def __init__(self, host: NDArray[Any]) -> None:
        self.host = host
        allocation: Any = host.base
        self.address = int(allocation.get_device_pointer())

    def upload(self, count: int, stream: Stream) -> None:
        """Do nothing: the GPU reads the host array."""

    def download(self, count: int, stream: Stream) -> None:
        """Do nothing: the GPU writes to the host array."""

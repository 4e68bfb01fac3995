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

"""The CUDA driver library through ctypes, for what pycuda lacks and for use without pycuda."""

from ctypes import byref, c_char_p, CDLL
from functools import cache
from typing import Any

from seg_ros.core.errors import ContextLostError, EngineError, GpuMemoryError

NAME = 'libcuda.so.1'
OUT_OF_MEMORY = 2
# CUresults of cuda.h after which every call on the context fails, e.g. an uncorrectable memory
# error (214), an illegal address (700) or an unknown error (999).
LOST = frozenset({214, 220, 226, 700, 702, 709, 710, 714, 715, 716, 717, 718, 719, 721, 999})


@cache
def libcuda() -> CDLL:
    """
    Load the driver library.

    :raises EngineError: if there is no NVIDIA driver.
    """
    try:
        return CDLL(NAME)
    except OSError as error:
        raise EngineError(
            f'no NVIDIA driver ({error})',
            do="install the driver of this machine's GPU; without a GPU set engine: auto",
        ) from error


def call(function: str, *arguments: Any) -> None:
    """
    Call a driver function, without holding the GIL.

    :param arguments: ctypes objects, or plain ints that fit into 32 bits.
    :raises EngineError: of the type that matches the driver's error code.
    """
    try:
        entry = getattr(libcuda(), function)
    except AttributeError as error:
        raise EngineError(
            f'an NVIDIA driver without {function}', 'a driver of CUDA 12 or later',
            'update the driver',
        ) from error
    if code := entry(*arguments):
        raise error_from_code(code, function)


def error_from_code(code: int, seen: str) -> EngineError:
    """Return the EngineError for a CUresult, with the driver's description."""
    words = c_char_p()
    libcuda().cuGetErrorString(code, byref(words))
    text = words.value.decode() if words.value else 'unknown'
    kind = EngineError
    if code in LOST:
        kind = ContextLostError
    elif code == OUT_OF_MEMORY:
        kind = GpuMemoryError
    return kind(f'{seen}: {text} (CUDA error {code})')

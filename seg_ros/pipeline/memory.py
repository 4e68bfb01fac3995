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

"""Memory of image size that stays with the process, to be used again for the next frame."""

import ctypes

_MMAP_THRESHOLD, _TRIM_THRESHOLD = -3, -1   # of mallopt


def keep_freed_memory() -> None:
    """
    Have glibc keep image-sized blocks instead of returning them to the kernel.

    Page faults on every received image otherwise cost about as much as reading it.
    """
    try:
        libc = ctypes.CDLL(None)
        libc.mallopt(_MMAP_THRESHOLD, 32 << 20)
        libc.mallopt(_TRIM_THRESHOLD, 256 << 20)
    except (OSError, AttributeError):  # another C library: slower, not wrong
        pass

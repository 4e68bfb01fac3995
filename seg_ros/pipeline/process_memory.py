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

"""Memory of this process, and the temperature of the machine."""

import ctypes
import os
from pathlib import Path

ZONES = Path('/sys/class/thermal')
STATUS = Path('/proc/self/statm')
_MMAP_THRESHOLD, _TRIM_THRESHOLD = -3, -1   # of mallopt


def memory_mib(statm: Path = STATUS) -> float | None:
    """Return the resident memory of this process in MiB, or None if there is no /proc."""
    try:
        return int(statm.read_text().split()[1]) * os.sysconf('SC_PAGE_SIZE') / 2**20
    except OSError:
        return None


def temperature_c(zones: Path = ZONES) -> float | None:
    """Return the temperature of the hottest zone in degrees Celsius, or None if unknown."""
    found = []
    for zone in zones.glob('thermal_zone*/temp'):
        try:
            found.append(int(zone.read_text()) / 1000)
        except (OSError, ValueError):  # a zone that is off, as on Jetsons
            continue
    return max(found, default=None)


def keep_freed_memory() -> None:
    """
    Make glibc keep image-sized blocks instead of returning them to the kernel.

    Otherwise page faults on every received image cost about as much as reading it.
    """
    try:
        libc = ctypes.CDLL(None)
        libc.mallopt(_MMAP_THRESHOLD, 32 << 20)
        libc.mallopt(_TRIM_THRESHOLD, 256 << 20)
    except (OSError, AttributeError):  # another C library: only slower
        pass

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

"""Describes the machine of a benchmark: processor, versions, and speed of a memory copy."""

from importlib.metadata import PackageNotFoundError, version
import os
from pathlib import Path
import platform
import re
from typing import Any

import numpy as np
from seg_ros import __version__
from seg_ros.bench.samples import median_ms, WARM_ROUNDS

PACKAGES = ('numpy', 'opencv-python-headless', 'opencv-python', 'onnx', 'onnxruntime', 'openvino')


def machine() -> dict[str, Any]:
    """Describe this machine; packages that are not installed are left out."""
    return {
        'seg_ros': __version__,
        'python': platform.python_version(),
        'system': platform.platform(),
        'processor': _processor(),
        'cores': os.cpu_count(),
        **{name: found for name in PACKAGES if (found := _version(name))},
        'copy_GB_per_s': {
            f'{megabytes:g} MB': round(copy_rate(int(megabytes * 1e6)), 1)
            for megabytes in (0.9, 2.8, 64)
        },
    }


def copy_ms(count: int, rounds: int = 30) -> float:
    """Return the median time in milliseconds that one thread takes to copy `count` bytes."""
    source, target = np.ones(count, np.uint8), np.empty(count, np.uint8)
    return median_ms(lambda: np.copyto(target, source), rounds, WARM_ROUNDS)


def copy_rate(count: int) -> float:
    """Return the rate in GB/s of one thread copying `count` bytes; each byte counts once."""
    return count / copy_ms(count) / 1e6


def _processor() -> str:
    text = Path('/proc/cpuinfo').read_text() if Path('/proc/cpuinfo').exists() else ''
    found = re.search(r'model name\s*:\s*(.+)', text)
    return found[1] if found else platform.processor() or platform.machine()


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ''

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

"""TensorRT's logger, which keeps the last errors so that our errors can quote them."""

from collections import deque
from functools import cache
import re
from threading import local
from typing import Any

LINES = 6


def says_no_memory(words: str) -> bool:
    """Return whether an error text of TensorRT or the driver means that GPU memory ran out."""
    return bool(re.search(r'out ?of ?memory|could not be allocated', words, re.IGNORECASE))


@cache
def log_of(trt: Any) -> Any:
    """
    Return the process's only `trt.ILogger`, which keeps errors and drops the rest.

    It is never replaced: TensorRT keeps using the first logger, even after its owner drops it.

    :returns: the logger; `words()` returns and clears the last errors logged in this thread.
    """

    class Log(trt.ILogger):

        def __init__(self) -> None:
            super().__init__()
            self._logged = local()

        def log(self, severity: Any, message: str) -> None:
            if severity in (trt.ILogger.INTERNAL_ERROR, trt.ILogger.ERROR):
                self._lines().append(message.strip())

        def words(self) -> str:
            text = '; '.join(self._lines())
            self._lines().clear()
            return text or 'TensorRT gave no reason'

        def _lines(self) -> 'deque[str]':
            if not hasattr(self._logged, 'lines'):
                self._logged.lines = deque(maxlen=LINES)
            lines: deque[str] = self._logged.lines
            return lines

    return Log()

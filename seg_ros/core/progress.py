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

"""Progress reports and cancellation of long tasks."""

from collections.abc import Callable
from typing import TypeAlias

# Called with the name of the phase and the completed fraction of it, 0 to 1.
Report: TypeAlias = Callable[[str, float], None]
# Polled by the task; returns whether to cancel.
Cancelled: TypeAlias = Callable[[], bool]


def silent(phase: str, share: float) -> None:
    """Report nothing."""


def never() -> bool:
    """Never cancel."""
    return False

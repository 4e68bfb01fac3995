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

"""A diagnostic level that rises at once and falls only after some seconds."""

from collections.abc import Callable
from time import monotonic

from seg_ros.pipeline.camera_health import Level, Verdict

CALM_S = 3.0


class LevelHysteresis:
    """
    Reports an intermittent problem continuously.

    :param clock: returns seconds since an arbitrary time.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._reported = Verdict(Level.OK, '')
        self._since_s = 0.0

    def update(self, verdict: Verdict) -> Verdict:
        """Return the verdict to report, given the current one."""
        now_s = self._clock()
        if verdict.level >= self._reported.level or now_s - self._since_s >= CALM_S:
            self._reported, self._since_s = verdict, now_s
        return self._reported

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

"""Detection of simulated time that stands still."""

from time import monotonic

from rclpy.clock import ROSClock

STILL_S = 3.0   # shorter standstills are not reported


class ClockWatch:
    """
    Detects that simulated time stands still, which makes ages and `max_rate_hz` meaningless.

    :param clock: the node's clock, which follows /clock if `use_sim_time` is set.
    """

    def __init__(self, clock: ROSClock) -> None:
        self._clock = clock
        self._seen_ns = -1
        self._since_s = 0.0

    def problem(self) -> str:
        """Return for how long the clock has stood still, as text; empty while it runs."""
        now_ns: int = self._clock.now().nanoseconds
        if now_ns != self._seen_ns or not self._clock.ros_time_is_active:
            self._seen_ns, self._since_s = now_ns, monotonic()
        still_s = monotonic() - self._since_s
        if still_s < STILL_S:
            return ''
        if not now_ns:
            return (
                'use_sim_time is set, but nothing arrives on /clock: set it to false, or play the '
                'recording with --clock'
            )
        return f'simulated time has stood still for {still_s:.0f} s: nothing arrives on /clock'

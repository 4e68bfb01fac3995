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

"""Checks of an arriving image's time: its order, its age, and the rate limit."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from threading import Lock

RESTART_NS = 1_000_000_000
FOREIGN_NS, AHEAD_NS = 10_000_000_000, 1_000_000_000
_MIN_EQUAL = 10     # consecutive equal stamps that are reported
STEADY_NS, LEARN_NS = 500_000_000, 1_000_000_000
# Rates at which a learnt offset may grow and shrink, as fractions of the elapsed time: quartz
# clocks drift by less than the first; the second soon corrects an offset learnt from a slow image.
DRIFT, CATCH_UP = 2e-4, 1e-2


class ImageOrder:
    """
    Keeps one camera's images in the order of their arrival, from the message to the masks.

    If a stamp steps back by more than a second, the clock was reset, as when a recording restarts.
    After a smaller step back, the first image may just be late and is refused. If the very next
    image continues from it, the clock was reset too.

    `next_number` must be called from one thread; `turn` may be called from any.
    """

    def __init__(self) -> None:
        self._newest_ns: int | None = None
        self._behind_ns: int | None = None      # stamp of the last image if it was refused
        self._numbers = count()
        self._last = -1
        self._lock = Lock()     # held while an image's masks are published, over `_last`

    def next_number(self, stamp_ns: int) -> int | None:
        """Return the sequence number of an image that has arrived, or None if it is late."""
        behind_ns, self._behind_ns = self._behind_ns, None
        newest_ns = stamp_ns if self._newest_ns is None else self._newest_ns
        late = newest_ns - RESTART_NS < stamp_ns < newest_ns
        if late and (behind_ns is None or stamp_ns <= behind_ns):
            self._behind_ns = stamp_ns
            return None
        self._newest_ns = stamp_ns
        return next(self._numbers)

    @contextmanager
    def turn(self, number: int) -> Iterator[bool]:
        """
        Let one thread at a time publish an image's masks.

        :returns: False if a later image was published before.
        """
        with self._lock:
            in_turn = number > self._last
            self._last = max(number, self._last)
            yield in_turn


class CameraClock:
    """
    The offset between a camera's stamps and the node's clock, in nanoseconds.

    A stamp that is more than 10 s old or more than 1 s ahead on arrival may come from another
    clock, or the image may be old. The offset is learnt only if it stays within 0.5 s for a
    second; ages are then relative to it. It is relearnt by the same rule, or from the second image
    if the stamps of another clock step back by more than a second, as when a recording restarts.
    Otherwise it follows the images with the least delay, as slowly as clocks drift, so that late
    images still count as late.
    """

    def __init__(self) -> None:
        self.offset_ns = 0
        self._candidate_ns = 0
        self._since_ns: int | None = None
        self._arrival_ns = 0
        self._stamp_ns = 0
        self._behind_ns: int | None = None      # offset of the last image if it stepped back

    def observe(self, stamp_ns: int, arrival_ns: int) -> bool:
        """
        Register an image as it arrives.

        :param arrival_ns: time of arrival by the node's clock.
        :returns: whether a new offset was learnt from it.
        """
        offset_ns, passed_ns = arrival_ns - stamp_ns, max(0, arrival_ns - self._arrival_ns)
        self._arrival_ns = arrival_ns
        if self._starts_over(stamp_ns, offset_ns):
            self.offset_ns = offset_ns
        age_ns = offset_ns - self.offset_ns
        if not _is_plausible(age_ns):
            return self._learn(offset_ns, arrival_ns)
        self._since_ns = None
        if self.foreign:
            self.offset_ns += int(min(max(age_ns, -CATCH_UP * passed_ns), DRIFT * passed_ns))
        return False

    def _learn(self, offset_ns: int, arrival_ns: int) -> bool:
        """Learn an offset that has been steady for a second; return whether it has."""
        steady = abs(offset_ns - self._candidate_ns) <= STEADY_NS
        if self._since_ns is None or not steady or arrival_ns < self._since_ns:
            self._candidate_ns, self._since_ns = offset_ns, arrival_ns
        if arrival_ns - self._since_ns < LEARN_NS:
            return False
        own_clock = _is_plausible(offset_ns)
        self.offset_ns, self._since_ns = 0 if own_clock else self._candidate_ns, None
        return True

    def _starts_over(self, stamp_ns: int, offset_ns: int) -> bool:
        """Return whether a second image confirms that the stamps of another clock stepped back."""
        behind_ns, self._behind_ns = self._behind_ns, None
        steps_back = self.foreign and stamp_ns < self._stamp_ns - RESTART_NS
        if steps_back and (behind_ns is None or abs(offset_ns - behind_ns) > STEADY_NS):
            self._behind_ns = offset_ns
            return False
        self._stamp_ns = stamp_ns
        return steps_back

    @property
    def foreign(self) -> bool:
        """Whether the stamps come from a clock other than the node's."""
        return self.offset_ns != 0


def _is_plausible(age_ns: int) -> bool:
    return -AHEAD_NS <= age_ns <= FOREIGN_NS


class StampWatch:
    """Detects stamps that do not change, which consumers cannot match with other topics."""

    def __init__(self) -> None:
        self._last_ns = -1
        self._equal = 0

    def observe(self, stamp_ns: int) -> None:
        """Register an image."""
        self._equal = self._equal + 1 if stamp_ns == self._last_ns else 0
        self._last_ns = stamp_ns

    @property
    def problem(self) -> str:
        """Describe what is wrong with the last `_MIN_EQUAL` stamps; empty if nothing is."""
        if self._equal < _MIN_EQUAL:
            return ''
        kind = 'all have the same stamp' if self._last_ns else 'have no stamp'
        return (
            f'the images {kind}: their ages are unknown, and neither depth nor TF can be matched '
            'with them; check the camera driver'
        )


class RateLimit:
    """Admits images at an even rate; those that come too soon are refused."""

    def __init__(self) -> None:
        self._limit_hz = 0.0
        self._due_s = 0.0
        self._last_s = 0.0

    def admit(self, now_s: float, limit_hz: float) -> bool:
        """
        Return whether an image is admitted now.

        :param now_s: current time; if the clock is set back, the limit starts anew.
        :param limit_hz: maximum rate; 0 = no limit.
        """
        if limit_hz != self._limit_hz or now_s < self._last_s:
            self._limit_hz, self._due_s = limit_hz, now_s
        self._last_s = now_s
        if not limit_hz:
            return True
        if now_s < self._due_s:
            return False
        # Half a period of jitter is tolerated, or a camera at exactly this rate would lose images.
        self._due_s = max(self._due_s + 1 / limit_hz, now_s + 0.5 / limit_hz)
        return True

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

"""What the time of an image says as it arrives: its place, its age, and whether it is too soon."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from threading import Lock

RESTART_NS = 1_000_000_000
FOREIGN_NS, AHEAD_NS = 10_000_000_000, 1_000_000_000
EQUAL = 10      # stamps in turn that are one and the same
STEADY_NS, LEARN_NS = 500_000_000, 1_000_000_000
# How far a learnt offset follows, in parts of the time that passes: quartz clocks drift apart by
# less than the first, and the second soon makes up for a transit that was slow when it was learnt.
DRIFT, CATCH_UP = 2e-4, 1e-2


class ImageOrder:
    """
    The order of one camera's images: that of their arrival, from the message to the masks.

    An image that arrives late is no clock that went back: a step back of more than a
    second is a new run of the clock at once, as when a recording starts over. After a smaller one
    the first image may only be late, and is refused; a second that goes on from it, within a
    second, shows that the stamps continue there.

    One thread calls `number`; any calls `turn`.
    """

    def __init__(self) -> None:
        self._newest_ns: int | None = None
        self._behind_ns: int | None = None
        self._numbers = count()
        self._last = -1
        self._lock = Lock()     # held while an image's masks are published, over `_last`

    def number(self, stamp_ns: int) -> int | None:
        """Return the number of an image that has arrived, or None where it is late."""
        newest_ns, behind_ns = self._newest_ns, self._behind_ns
        if newest_ns is not None and newest_ns - RESTART_NS < stamp_ns < newest_ns:
            self._behind_ns = stamp_ns
            if behind_ns is None or not 0 < stamp_ns - behind_ns < RESTART_NS:
                return None
        self._newest_ns = stamp_ns
        return next(self._numbers)

    @contextmanager
    def turn(self, number: int) -> Iterator[bool]:
        """
        Let one thread at a time go on with an image's masks, and none that comes too late.

        :returns: whether no later image was here first.
        """
        with self._lock:
            in_turn = number > self._last
            self._last = max(number, self._last)
            yield in_turn


class CameraClock:
    """
    The offset between a camera's stamps and the node's clock, in nanoseconds.

    A stamp that arrives more than 10 s old, or more than 1 s ahead, may come from a foreign clock
    or be one old image. Only an offset that stays within 0.5 s for a second is learnt: ages count
    from it then. It is learnt anew by the same rule, and at once where the stamps of a foreign
    clock step back by more than a second, as where a recording starts over. Meanwhile it follows
    the images that arrive the fastest, as slowly as clocks drift, so that an image that is late
    counts as late.
    """

    def __init__(self) -> None:
        self.offset_ns = 0
        self._candidate_ns = 0
        self._since_ns: int | None = None
        self._arrival_ns = 0
        self._stamp_ns = 0

    def observe(self, stamp_ns: int, arrival_ns: int) -> bool:
        """
        Take note of an image as it arrives.

        :param arrival_ns: of the node's clock.
        :returns: whether another offset was learnt just now.
        """
        offset_ns, passed_ns = arrival_ns - stamp_ns, max(0, arrival_ns - self._arrival_ns)
        starts_over = self.foreign and stamp_ns < self._stamp_ns - RESTART_NS
        self._arrival_ns, self._stamp_ns = arrival_ns, stamp_ns
        if starts_over:
            self.offset_ns = offset_ns
        if -AHEAD_NS <= offset_ns - self.offset_ns <= FOREIGN_NS:
            self._since_ns = None
            if self.foreign:
                age_ns = offset_ns - self.offset_ns
                self.offset_ns += int(min(max(age_ns, -CATCH_UP * passed_ns), DRIFT * passed_ns))
            return False
        steady = abs(offset_ns - self._candidate_ns) <= STEADY_NS
        if self._since_ns is None or not steady or arrival_ns < self._since_ns:
            self._candidate_ns, self._since_ns = offset_ns, arrival_ns
            return False
        if arrival_ns - self._since_ns < LEARN_NS:
            return False
        own_clock = -AHEAD_NS <= offset_ns <= FOREIGN_NS
        self.offset_ns, self._since_ns = 0 if own_clock else self._candidate_ns, None
        return True

    @property
    def foreign(self) -> bool:
        """Whether the stamps come from another clock than the node's."""
        return self.offset_ns != 0


class StampWatch:
    """Notices stamps that say nothing, which consumers cannot match with anything else."""

    def __init__(self) -> None:
        self._last_ns = -1
        self._equal = 0

    def observe(self, stamp_ns: int) -> None:
        """Take note of an image."""
        self._equal = self._equal + 1 if stamp_ns == self._last_ns else 0
        self._last_ns = stamp_ns

    @property
    def problem(self) -> str:
        """Say what is wrong with the last `EQUAL` stamps; nothing where nothing is."""
        if self._equal < EQUAL:
            return ''
        kind = 'all have the same stamp' if self._last_ns else 'have no stamp'
        return (
            f'the images {kind}: their ages are unknown, and neither depth nor TF can be matched '
            'with them; see to the camera driver'
        )


class RateLimit:
    """Lets images through at an even pace; one that is too soon is refused."""

    def __init__(self) -> None:
        self._limit_hz = 0.0
        self._due_s = 0.0
        self._last_s = 0.0

    def admit(self, now_s: float, limit_hz: float) -> bool:
        """
        Return whether an image may pass now.

        :param now_s: of a clock that may be set back, after which the pace begins anew.
        :param limit_hz: 0 sets no limit.
        """
        if limit_hz != self._limit_hz or now_s < self._last_s:
            self._limit_hz, self._due_s = limit_hz, now_s
        self._last_s = now_s
        if not limit_hz:
            return True
        if now_s < self._due_s:
            return False
        # Half a period of jitter is forgiven, or a camera at the very rate would lose images.
        self._due_s = max(self._due_s + 1 / limit_hz, now_s + 0.5 / limit_hz)
        return True

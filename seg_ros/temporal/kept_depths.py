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

"""Depth that has come and waits for the masks of its image."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import Generic, TypeVar

from seg_ros.temporal.arrival import RESTART_NS

Depth = TypeVar('Depth')

KEPT_S = 2.0            # longer than masks take, but for those of very slow networks
MOST_BYTES = 128 << 20  # 72 depths of 1280x720 in 16 bits
BEHIND = 3              # depths in turn that go on from an earlier time
_REMEMBERED = 512       # stamps of what was dropped


@dataclass(frozen=True, eq=False)
class _Kept(Generic[Depth]):
    depth: Depth
    nbytes: int
    came_s: float


class KeptDepths(Generic[Depth]):
    """
    Depths by their stamps, for as long as an image may need them, and within bounds.

    What is full takes nothing new: the oldest are those whose images' masks come next. Depth that
    is late is kept like any other. A step back of more than a second is a new run of the clock;
    after a smaller one `BEHIND` depths that go on from each other show that the stamps continue
    there. What an earlier run has left is forgotten then.

    :param now_s: a clock that never steps, for how long depths are kept.
    """

    def __init__(self, now_s: Callable[[], float] = monotonic) -> None:
        self._now_s = now_s
        self._kept: dict[int, _Kept[Depth]] = {}    # as they came
        self._dropped: deque[int] = deque(maxlen=_REMEMBERED)
        self._newest_ns = self._behind = 0
        self.last_ns: int | None = None     # stamp of what came last, kept or not

    def __len__(self) -> int:
        """Return how many are kept."""
        return len(self._kept)

    def __contains__(self, stamp_ns: int) -> bool:
        """Return whether depth of this very stamp is kept."""
        return stamp_ns in self._kept

    def __getitem__(self, stamp_ns: int) -> Depth:
        """Return the depth of a stamp that is kept."""
        return self._kept[stamp_ns].depth

    def add(self, stamp_ns: int, depth: Depth, nbytes: int) -> None:
        """Keep a depth, in the place of one of the same stamp, if there is room."""
        self._follow_clock(stamp_ns)
        self.expire()
        self._kept.pop(stamp_ns, None)
        if self._kept and nbytes + sum(item.nbytes for item in self._kept.values()) > MOST_BYTES:
            self._dropped.append(stamp_ns)
        else:
            self._kept[stamp_ns] = _Kept(depth, nbytes, self._now_s())

    def _follow_clock(self, stamp_ns: int) -> None:
        last_ns, self.last_ns = self.last_ns, stamp_ns
        if last_ns is None or stamp_ns >= self._newest_ns:
            self._newest_ns, self._behind = stamp_ns, 0
            return
        self._behind = self._behind + 1 if self._behind and stamp_ns > last_ns else 1
        if self._behind >= BEHIND or stamp_ns < self._newest_ns - RESTART_NS:
            self._newest_ns, self._behind = stamp_ns, 0
            self._dropped.clear()
            self._kept = {stamp: item for stamp, item in self._kept.items() if (
                stamp_ns - RESTART_NS < stamp < stamp_ns
            )}

    def nearest_ns(self, stamp_ns: int) -> int | None:
        """Return which stamp is the nearest of those that are kept; of equals, the last."""
        return min(reversed(self._kept), key=lambda other: abs(other - stamp_ns), default=None)

    def release_before(self, stamp_ns: int) -> None:
        """
        Forget what is earlier than a depth that was used: images come in their order.

        What came after it is kept whatever its stamp is, which may be that of another run.
        """
        earlier = []
        for stamp in self._kept:
            if stamp == stamp_ns:
                break
            if stamp < stamp_ns:
                earlier.append(stamp)
        for stamp in earlier:
            del self._kept[stamp]

    def expire(self) -> None:
        """Drop what has been kept for too long."""
        since_s = self._now_s() - KEPT_S
        for stamp in [stamp for stamp, item in self._kept.items() if item.came_s < since_s]:
            self._dropped.append(stamp)
            del self._kept[stamp]

    def was_dropped(self, stamp_ns: int, tolerance_ns: float) -> bool:
        """Return whether depth within a tolerance has come, and had to be dropped unused."""
        return any(abs(other - stamp_ns) <= tolerance_ns for other in self._dropped)

    def forget(self) -> None:
        """Begin anew."""
        self._kept.clear()
        self._dropped.clear()
        self.last_ns = None

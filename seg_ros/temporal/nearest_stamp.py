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

"""Images and depth of the same moment, which come in two streams."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from threading import Lock
from time import monotonic
from typing import Generic, TypeVar

from seg_ros.temporal.kept_depths import Depth, KeptDepths

Image = TypeVar('Image')

# What was seen longer ago than this and the masks took is of little use to who plans or maps as
# it moves, and a second of images is what synchronising consumers hold.
WAIT_S = 1.0
MOST_BYTES = 128 << 20      # of images with masks that wait: 16 of 1920x1080
REORDERED_NS = 100_000_000  # by which depth may come after a later one
NEAR_IN_TURN = 10           # after which equal stamps are no longer the rule
_REMEMBERED, _REMEMBERED_S = 100, 10.0  # images that waited in vain, and for how long


class Cause(Enum):
    """Why an image found no depth."""

    OFFSET = 'the nearest depth was taken at another time, or has another clock'
    MASKS = 'its depth was dropped before the masks came'
    DEPTH = 'its depth came too long after the masks'


@dataclass(frozen=True, eq=False)
class _Waiting(Generic[Image]):
    stamp_ns: int
    image: Image
    nbytes: int
    since_s: float
    offset_ms: float | None     # of the nearest depth there was then


class NearestStamp(Generic[Image, Depth]):
    """
    Pairs each image with the depth of its stamp, or else with the nearest within a tolerance.

    Equal stamps are paired at once, whichever comes first, if the image waits for no more than
    `WAIT_S` and the depth for no more than `KEPT_S`. Without one, the nearest is taken as soon as
    none can come that is nearer: once a later one has come. Where equal stamps are the rule that
    is not before one has come that is later by `REORDERED_NS`. Images are paired in the order in
    which they were added; those before one that is paired are given up.

    Safe for any number of threads.

    :param now_s: a clock that never steps, for how long both wait.
    """

    def __init__(self, now_s: Callable[[], float] = monotonic) -> None:
        self._now_s = now_s
        self._depths: KeptDepths[Depth] = KeptDepths(now_s)
        self._images: list[_Waiting[Image]] = []
        self._late: dict[int, float] = {}   # when images that waited in vain were added
        self._late_s = -WAIT_S              # when depth of one of them came last
        self._near_in_turn = NEAR_IN_TURN
        self._in_vain = False   # no depth came while an image waited as long as it may
        self._lock = Lock()     # over what waits on either side, and what is said of it
        self.unpaired = 0
        self.cause: Cause | None = None     # of the last image that was given up, until a pair
        self.offset_ms = 0.0    # of the nearest depth, or by how much depth came after the masks

    @property
    def waiting(self) -> int:
        """Return how many images wait."""
        return len(self._images)

    def add_image(
        self, stamp_ns: int, image: Image, tolerance_ms: float, nbytes: int = 0
    ) -> tuple[Image, Depth] | None:
        """
        Note an image, in the place of one of the same stamp, in the order of the camera's images.

        :param nbytes: how much memory it holds.
        :returns: the newest image that can be paired now, with its depth.
        """
        with self._lock:
            self._expire()
            # While no depth comes at all, one image is enough to wait for it.
            if self._images and (self._in_vain or self._images[-1].stamp_ns == stamp_ns):
                self._images.pop()
                self.unpaired += 1
            offset_ms = self._offset_ms(stamp_ns)
            self._images.append(_Waiting(stamp_ns, image, nbytes, self._now_s(), offset_ms))
            pair = self._pair(tolerance_ms)
            if len(self._images) > 1 and sum(each.nbytes for each in self._images) > MOST_BYTES:
                self._lose(self._images.pop())
            return pair

    def add_depth(
        self, stamp_ns: int, depth: Depth, tolerance_ms: float, nbytes: int = 0
    ) -> tuple[Image, Depth] | None:
        """
        Note a depth image.

        :param nbytes: how much memory it holds.
        :returns: the newest image that can be paired now, with its depth.
        """
        with self._lock:
            self._expire()
            self._depths.add(stamp_ns, depth, nbytes)
            self._in_vain = False
            since_s = self._late.pop(stamp_ns, None)
            # Later than that it is rather depth of the next round of a recording.
            if since_s is not None and self._now_s() - since_s < _REMEMBERED_S:
                self._late_s = self._now_s()
                self.cause, self.offset_ms = Cause.DEPTH, 1e3 * (self._late_s - since_s)
            return self._pair(tolerance_ms)

    def nearest(self, stamp_ns: int, tolerance_ms: float) -> Depth | None:
        """
        Return the nearest depth that has come so far, without waiting for a nearer one.

        Images come in their order: what is earlier is not kept for those that follow.
        """
        with self._lock:
            near_ns = self._depths.nearest_ns(stamp_ns)
            if near_ns is None or abs(near_ns - stamp_ns) > 1e6 * tolerance_ms:
                return None
            if not self._images:
                self._depths.release_before(near_ns)
            return self._depths[near_ns]

    def expire(self) -> None:
        """Give up what has waited too long; to be called where neither may come any more."""
        with self._lock:
            self._expire()

    def forget(self) -> None:
        """Begin anew."""
        with self._lock:
            self._depths.forget()
            self._images.clear()
            self._late.clear()
            self._near_in_turn = NEAR_IN_TURN
            self._in_vain, self.cause = False, None

    def _pair(self, tolerance_ms: float) -> tuple[Image, Depth] | None:
        for position in reversed(range(len(self._images))):
            each = self._images[position]
            found_ns = self._depth_for(each.stamp_ns, tolerance_ms)
            if found_ns is not None:
                del self._images[:position + 1]
                self.unpaired += position
                self.cause = None
                self._near_in_turn = 0 if found_ns == each.stamp_ns else self._near_in_turn + 1
                depth = self._depths[found_ns]
                self._depths.release_before(found_ns)
                return each.image, depth
        for each in [each for each in self._images if self._is_decided(each.stamp_ns)]:
            self._images.remove(each)
            self.unpaired += 1
            dropped = self._depths.was_dropped(each.stamp_ns, 1e6 * tolerance_ms)
            self._explain(self._offset_ms(each.stamp_ns), dropped)
        return None

    def _depth_for(self, stamp_ns: int, tolerance_ms: float) -> int | None:
        """Return the stamp of the depth that an image gets, if that is known already."""
        if stamp_ns in self._depths:
            return stamp_ns
        near_ns = self._depths.nearest_ns(stamp_ns) if self._is_decided(stamp_ns) else None
        if near_ns is None or abs(near_ns - stamp_ns) > 1e6 * tolerance_ms:
            return None
        return near_ns

    def _is_decided(self, stamp_ns: int) -> bool:
        """Return whether no depth is expected that is nearer to an image than what has come."""
        # By what came last: what came before it may be of another run of the clock.
        last_ns = self._depths.last_ns
        margin_ns = REORDERED_NS if self._near_in_turn < NEAR_IN_TURN else 0
        return last_ns is not None and last_ns >= stamp_ns + margin_ns

    def _offset_ms(self, stamp_ns: int) -> float | None:
        """Return how far the nearest depth is that has come so far."""
        near_ns = self._depths.nearest_ns(stamp_ns)
        near_ns = self._depths.last_ns if near_ns is None else near_ns
        return None if near_ns is None else (near_ns - stamp_ns) / 1e6

    def _explain(self, offset_ms: float | None, dropped: bool = False) -> None:
        """Note why an image has no depth; nothing is known where no depth came at all."""
        if dropped:
            self.cause = Cause.MASKS
        elif offset_ms is not None:
            self.cause, self.offset_ms = Cause.OFFSET, offset_ms

    def _expire(self) -> None:
        self._depths.expire()
        since_s = self._now_s() - WAIT_S
        while self._images and self._images[0].since_s < since_s:
            self._lose(self._images.pop(0))
            self._in_vain = not self._depths

    def _lose(self, waiting: _Waiting[Image]) -> None:
        """Give up an image that has waited as long as it may; its depth may still come."""
        self.unpaired += 1
        self._late[waiting.stamp_ns] = waiting.since_s
        if len(self._late) > _REMEMBERED:
            del self._late[next(iter(self._late))]
        if self._now_s() - self._late_s > WAIT_S:   # else it is known to come late
            self._explain(waiting.offset_ms)

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

"""Matching of images and depth images by stamp."""

from collections.abc import Callable
from threading import Lock
from time import monotonic
from typing import Generic, TypeVar

from seg_ros.temporal.arrival import RESTART_NS
from seg_ros.temporal.waiting import Waiting

Image = TypeVar('Image')
Depth = TypeVar('Depth')

# A result that is late by more than this, apart from inference, is of little use to a planner or
# mapper, and consumers that synchronise topics hold about a second of images.
WAIT_S = 1.0
KEPT_S = 2.0            # longer than inference takes, except with very slow networks
MAX_BYTES = 128 << 20   # for each: 16 images of 1920x1080 with masks, 72 depth images of 1280x720


class NearestStamp(Generic[Image, Depth]):
    """
    Pairs each image with the depth of the same stamp, or with the nearest within a tolerance.

    Equal stamps are paired at once, whichever arrives first. Otherwise the nearest depth is used
    once a later one has arrived, since none can be nearer then. An image waits for at most
    `WAIT_S`, depth for `KEPT_S`. Images are paired in the order in which they were added; when one
    is paired, earlier ones are dropped. Thread-safe.

    ApproximateTimeSynchronizer of message_filters takes the first depth within its tolerance, even
    if the next is nearer, bounds the number of messages rather than their age and memory, and does
    not report images that stay unpaired.

    :param now_s: a monotonic clock.
    """

    def __init__(self, now_s: Callable[[], float] = monotonic) -> None:
        # Each with the offset in milliseconds to the nearest depth when it was added.
        self._images: Waiting[tuple[Image, float | None]] = Waiting(WAIT_S, MAX_BYTES, now_s)
        self._depths: Waiting[Depth] = Waiting(KEPT_S, MAX_BYTES, now_s)
        self._last_ns: int | None = None    # stamp of the latest depth to arrive
        self._lock = Lock()
        self.unpaired = 0
        # Offset to the nearest depth of the last image that was dropped; None after a pair.
        self.offset_ms: float | None = None

    @property
    def waiting(self) -> int:
        """Return the number of waiting images."""
        return len(self._images)

    def add_image(
        self, stamp_ns: int, image: Image, tolerance_ms: float, nbytes: int = 0
    ) -> tuple[Image, Depth] | None:
        """
        Add an image; images must be added in the camera's order.

        :param nbytes: memory size of the image.
        :returns: the newest image that can be paired now, with its depth.
        """
        with self._lock:
            self._expire()
            replaced = stamp_ns in self._images
            kept = self._images.add(stamp_ns, (image, self._offset_ms(stamp_ns)), nbytes)
            self.unpaired += replaced or not kept
            return self._pair(tolerance_ms)

    def add_depth(
        self, stamp_ns: int, depth: Depth, tolerance_ms: float, nbytes: int = 0
    ) -> tuple[Image, Depth] | None:
        """
        Add a depth image.

        :param nbytes: memory size of the depth image.
        :returns: the newest image that can be paired now, with its depth.
        """
        with self._lock:
            self._expire()
            if self._last_ns is not None and stamp_ns < self._last_ns - RESTART_NS:
                self._depths.clear()    # from before the clock was reset
            self._last_ns = stamp_ns
            self._depths.add(stamp_ns, depth, nbytes)
            return self._pair(tolerance_ms)

    def nearest(self, stamp_ns: int, tolerance_ms: float) -> Depth | None:
        """
        Return the nearest depth that has arrived, without waiting for a nearer one.

        Images come in order, so earlier depth is dropped.
        """
        with self._lock:
            near_ns = self._nearest_ns(stamp_ns, tolerance_ms)
            if near_ns is None:
                return None
            self._drop_before(near_ns)
            return self._depths[near_ns]

    def expire(self) -> None:
        """Drop what has waited too long; for when neither images nor depth arrive any more."""
        with self._lock:
            self._expire()

    def clear(self) -> None:
        """Drop all waiting images and depth."""
        with self._lock:
            self._depths.clear()
            self._images.clear()
            self._last_ns = self.offset_ms = None

    def _pair(self, tolerance_ms: float) -> tuple[Image, Depth] | None:
        for stamp_ns in reversed(list(self._images)):
            near_ns = self._nearest_ns(stamp_ns, tolerance_ms)
            if near_ns == stamp_ns or (near_ns is not None and self._is_decided(stamp_ns)):
                return self._take(stamp_ns, near_ns)
        for stamp_ns in self._images:
            if self._is_decided(stamp_ns):
                self._images.remove(stamp_ns)
                self._give_up(self._offset_ms(stamp_ns))
        return None

    def _take(self, stamp_ns: int, depth_ns: int) -> tuple[Image, Depth]:
        """Remove a pair from the waiting items, with everything before it, and return it."""
        image, depth = self._images[stamp_ns][0], self._depths[depth_ns]
        for earlier_ns in self._images:
            self._images.remove(earlier_ns)
            if earlier_ns == stamp_ns:
                break
            self.unpaired += 1
        self._drop_before(depth_ns)
        self.offset_ms = None
        return image, depth

    def _drop_before(self, depth_ns: int) -> None:
        for earlier_ns in self._depths:
            if earlier_ns < depth_ns:
                self._depths.remove(earlier_ns)

    def _nearest_ns(self, stamp_ns: int, tolerance_ms: float) -> int | None:
        """Return the stamp of the nearest depth so far, None if not within the tolerance."""
        near_ns = min(self._depths, key=lambda other: abs(other - stamp_ns), default=None)
        if near_ns is None or abs(near_ns - stamp_ns) > 1e6 * tolerance_ms:
            return None
        return near_ns

    def _is_decided(self, stamp_ns: int) -> bool:
        """
        Return whether no nearer depth is expected for an image, since a later one has arrived.

        Depth that is later by `RESTART_NS` or more is ignored: the clock was reset in between.
        """
        return any(stamp_ns <= other < stamp_ns + RESTART_NS for other in self._depths)

    def _offset_ms(self, stamp_ns: int) -> float | None:
        """Return the offset to the nearest depth that has arrived so far."""
        offsets_ms = [(other - stamp_ns) / 1e6 for other in self._depths]
        if self._last_ns is not None:
            offsets_ms.append((self._last_ns - stamp_ns) / 1e6)
        return min(offsets_ms, key=abs, default=None)

    def _expire(self) -> None:
        self._depths.expire()
        for _, offset_ms in self._images.expire():
            self._give_up(offset_ms)

    def _give_up(self, offset_ms: float | None) -> None:
        self.unpaired += 1
        self.offset_ms = offset_ms

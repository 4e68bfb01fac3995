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

from collections import deque
from threading import Lock
from typing import Generic, TypeVar

Image = TypeVar('Image')
Depth = TypeVar('Depth')

KEPT = 12   # depths that wait for their image: 0.4 s at 30 Hz, longer than masks take


class NearestStamp(Generic[Image, Depth]):
    """
    Pairs the newest image with the depth that was taken nearest to it.

    Equal stamps are paired at once. Where there are none, a depth within the tolerance is taken as
    soon as none can come that is nearer: once a later one has come. Depth comes in the order of
    its stamps. Safe for any number of threads.
    """

    def __init__(self) -> None:
        self._depths: deque[tuple[int, Depth]] = deque(maxlen=KEPT)
        self._image: tuple[int, Image] | None = None
        self._lock = Lock()     # over what waits on either side, and what is said of it
        self.unpaired = 0
        self.offset_ms: float | None = None

    def add_image(
        self, stamp_ns: int, image: Image, tolerance_ms: float
    ) -> tuple[Image, Depth] | None:
        """
        Note an image; an older one that still waits is given up.

        :returns: the image with its depth, where that is there already.
        """
        with self._lock:
            self._give_up()
            self._image = stamp_ns, image
            return self._pair(tolerance_ms)

    def add_depth(
        self, stamp_ns: int, depth: Depth, tolerance_ms: float
    ) -> tuple[Image, Depth] | None:
        """Note a depth image; return it with the image that waited for it, if one did."""
        with self._lock:
            if self._depths and stamp_ns < self._depths[-1][0]:     # the clock went back
                self._depths.clear()
            self._depths.append((stamp_ns, depth))
            return self._pair(tolerance_ms)

    def nearest(self, stamp_ns: int, tolerance_ms: float) -> Depth | None:
        """Return the nearest depth that has come so far, without waiting for a nearer one."""
        with self._lock:
            near = self._nearest(stamp_ns)
        return near[1] if near and abs(near[0] - stamp_ns) <= 1e6 * tolerance_ms else None

    def forget(self) -> None:
        """Begin anew."""
        with self._lock:
            self._depths.clear()
            self._image = None

    def _nearest(self, stamp_ns: int) -> tuple[int, Depth] | None:
        # From the newest on, which is the one to take where a driver stamps nothing.
        return min(reversed(self._depths), key=lambda item: abs(item[0] - stamp_ns), default=None)

    def _pair(self, tolerance_ms: float) -> tuple[Image, Depth] | None:
        if self._image is None or not self._depths:
            return None
        stamp_ns, image = self._image
        near = self._nearest(stamp_ns)
        assert near is not None
        nearer_may_come = self._depths[-1][0] < stamp_ns
        if near[0] != stamp_ns and (
            nearer_may_come or abs(near[0] - stamp_ns) > 1e6 * tolerance_ms
        ):
            return None
        self._image, self.offset_ms = None, None
        return image, near[1]

    def _give_up(self) -> None:
        """Count an image that found no depth, and note how far the nearest was."""
        if self._image is None:
            return
        self.unpaired += 1
        near = self._nearest(self._image[0])
        self.offset_ms = (near[0] - self._image[0]) / 1e6 if near else None

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

"""A queue of items that wait for a counterpart, limited in time and memory."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

Item = TypeVar('Item')


@dataclass(frozen=True, eq=False)
class _Kept(Generic[Item]):
    item: Item
    nbytes: int
    since_s: float


class Waiting(Generic[Item]):
    """
    Items by stamp, in the order of their arrival.

    When full, new items are refused, since the oldest are needed next.

    :param max_s: how long an item is kept.
    :param max_bytes: maximum memory of all items; a single one is always kept.
    :param now_s: a monotonic clock.
    """

    def __init__(self, max_s: float, max_bytes: int, now_s: Callable[[], float]) -> None:
        self._max_s, self._max_bytes, self._now_s = max_s, max_bytes, now_s
        self._kept: dict[int, _Kept[Item]] = {}

    def __len__(self) -> int:
        """Return the number of items."""
        return len(self._kept)

    def __iter__(self) -> Iterator[int]:
        """Iterate over the stamps, the oldest arrival first."""
        return iter(list(self._kept))

    def __contains__(self, stamp_ns: int) -> bool:
        """Return whether there is an item with this stamp."""
        return stamp_ns in self._kept

    def __getitem__(self, stamp_ns: int) -> Item:
        """Return the item with this stamp."""
        return self._kept[stamp_ns].item

    def add(self, stamp_ns: int, item: Item, nbytes: int) -> bool:
        """Add an item, replacing one with the same stamp; return whether there was room."""
        self._kept.pop(stamp_ns, None)
        held = sum(kept.nbytes for kept in self._kept.values())
        if self._kept and held + nbytes > self._max_bytes:
            return False
        self._kept[stamp_ns] = _Kept(item, nbytes, self._now_s())
        return True

    def remove(self, stamp_ns: int) -> None:
        """Remove an item."""
        del self._kept[stamp_ns]

    def expire(self) -> list[Item]:
        """Remove and return the items that have waited too long."""
        since_s = self._now_s() - self._max_s
        old = {stamp: kept.item for stamp, kept in self._kept.items() if kept.since_s < since_s}
        for stamp_ns in old:
            self.remove(stamp_ns)
        return list(old.values())

    def clear(self) -> None:
        """Remove all items."""
        self._kept.clear()

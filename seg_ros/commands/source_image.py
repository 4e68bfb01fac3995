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

"""An image and the source that it is read from."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from seg_ros.core.errors import SegError
from seg_ros.core.frame import Frame

Skip: TypeAlias = Callable[[str, SegError], None]
Note: TypeAlias = Callable[[str], None]


def ignore_note(words: str) -> None:
    """Do nothing with a note."""


@dataclass(frozen=True, eq=False)
class SourceImage:
    """
    An image that was read.

    :param name: what its files are to be called, without a suffix; it may occur twice in a run.
    :param source: the file that it came from, as the user gave it.
    :param topic: of a bag that it came from.
    :param received_ns: when the bag received it.
    """

    name: str
    source: str
    frame: Frame
    topic: str = ''
    received_ns: int = 0


class Source(Protocol):
    """
    Something that holds images; its length is how many it announces.

    :param storage: the storage plugin of a bag, `sqlite3` or `mcap`; empty for all else.
    :param rate_hz: frames a second of a video; 0 for all else.
    """

    storage: str
    rate_hz: float

    def __len__(self) -> int: ...

    def images(self, skip: Skip) -> Iterator[SourceImage]:
        """Read in order; what cannot be read is reported by `skip`, and the rest follows."""

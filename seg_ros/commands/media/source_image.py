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


def ignore_note(text: str) -> None:
    """Ignore a note."""


@dataclass(frozen=True, eq=False)
class SourceImage:
    """
    An image that was read.

    :param name: name for its output files, without suffix; may occur twice in a run.
    :param source: the file that it came from, as the user gave it.
    :param topic: its topic, if it came from a bag.
    :param received_ns: its receive time, if it came from a bag.
    """

    name: str
    source: str
    frame: Frame
    topic: str = ''
    received_ns: int = 0


class Source(Protocol):
    """
    A source of images; its length is the announced number of images.

    :param storage: the storage plugin of a bag, `sqlite3` or `mcap`; empty for other sources.
    :param rate_hz: frames per second of a video; 0 for other sources.
    """

    storage: str
    rate_hz: float

    def __len__(self) -> int: ...

    def images(self, skip: Skip) -> Iterator[SourceImage]:
        """Yield the images in order; `skip` is called for those that cannot be read."""

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

"""The images of rosbag2 recordings, read without ROS."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
import struct
from typing import Any

from rosbags.interfaces import Connection
from rosbags.rosbag2 import Reader, ReaderError
from rosbags.serde import SerdeError
from rosbags.typesys import get_typestore, Stores
from seg_ros.commands.bag_topics import file_name, left_out
from seg_ros.commands.source_image import Note, Skip, SourceImage, untold
from seg_ros.core.errors import ImageError
from seg_ros.core.frame import Frame
from seg_ros.image.brightness_range import BrightnessRange
from seg_ros.image.encodings import frame_from_bytes, frame_from_file

IMAGE = 'sensor_msgs/msg/Image'
COMPRESSED = 'sensor_msgs/msg/CompressedImage'
REPAIRS = {
    'mcap': 'repair it with: mcap recover FILE.mcap -o REPAIRED.mcap',
    'sqlite3': 'repair it with: sqlite3 FILE.db3 .recover, then ros2 bag reindex',
}

# The package that rosbags reads sqlite3 with: apsw since 0.11.
STORAGE_ERROR: type[Exception] = import_module('apsw' if find_spec('apsw') else 'sqlite3').Error
# Damaged storage and damaged messages surface as any of these; a damaged length as the last two.
_DAMAGE = (
    ReaderError, SerdeError, STORAGE_ERROR, struct.error, OSError, EOFError, AssertionError,
    LookupError, TypeError, ValueError, OverflowError, MemoryError,
)
# Images are the same in all of ROS 2, and recordings before Iron carry no definitions.
TYPES = get_typestore(Stores.ROS2_HUMBLE)


class Bag:
    """
    The images of a recording, raw and compressed, in the order of their arrival.

    :param path: a rosbag2 folder, or one of its files.
    :param topics: the image topics to take; none means those of cameras: not depth, not masks,
        and of raw and compressed images of one camera the raw ones.
    :param note: called with what is not taken for that.
    :param brightness: `brightness_range` of each topic.
    :raises ImageError: if it cannot be opened, is empty or lacks a topic.
    """

    def __init__(
        self, path: Path, topics: Sequence[str], note: Note = untold, brightness: str = 'auto'
    ) -> None:
        self._path = path
        self._brightness = partial(BrightnessRange, brightness)
        is_mcap = path.suffix == '.mcap' or any(path.glob('*.mcap*'))
        self.storage = 'mcap' if is_mcap else 'sqlite3'
        self.rate_hz = 0.0
        try:
            with Reader(path) as reader:
                chosen = _chosen(reader, topics, lambda words: note(f'{path}: {words}'))
                self._topics = [item.topic for item in chosen]
                self._count = sum(item.msgcount for item in chosen)
        except _DAMAGE as error:
            raise self._damaged(error) from error

    def __len__(self) -> int:
        return self._count

    def images(self, skip: Skip) -> Iterator[SourceImage]:
        """Read image after image; where the file itself breaks off, the rest counts as one."""
        try:
            yield from self._images(skip)
        except _DAMAGE as error:
            skip(str(self._path), self._damaged(error))

    def _images(self, skip: Skip) -> Iterator[SourceImage]:
        ranges: dict[str, BrightnessRange] = defaultdict(self._brightness)
        with Reader(self._path) as reader:
            chosen = [item for item in _images_of(reader) if item.topic in self._topics]
            for connection, received_ns, data in reader.messages(chosen):
                topic = connection.topic
                try:
                    frame = _frame(_message(data, connection), ranges[topic])
                except ImageError as error:
                    skip(f'{self._path}, {topic}', error)
                    continue
                name = f'{file_name(topic)}_{frame.stamp_ns}'
                yield SourceImage(name, str(self._path), frame, topic, received_ns)

    def _damaged(self, error: Exception) -> ImageError:
        # A recording that is whole but for its metadata is none that the tools above can repair.
        broken = self._path.is_dir() and 'metadata' in str(error)
        do = 'write its metadata.yaml anew: ros2 bag reindex FOLDER' if broken else (
            REPAIRS[self.storage])
        return ImageError(f'a damaged recording ({error or type(error).__name__})', do=do)


def _images_of(reader: Reader) -> list[Connection]:
    return [item for item in reader.connections if item.msgtype in (IMAGE, COMPRESSED)]


def _chosen(reader: Reader, topics: Sequence[str], note: Note) -> list[Connection]:
    images = _images_of(reader)
    known = sorted({item.topic for item in images})
    missing = sorted({*topics}.difference(known))
    if missing or not images:
        raise ImageError(
            f'a recording without image topic {" and ".join(missing)}'.rstrip(),
            f'some of {", ".join(known)}' if known else f'{IMAGE} or {COMPRESSED}',
        )
    if not any(item.msgcount for item in images):
        raise ImageError('an empty recording: its image topics have no messages')
    if topics:
        return [item for item in images if item.topic in topics]
    reasons = left_out({item.topic: _kind(reader, item) for item in images})
    for topic, reason in reasons.items():
        note(f'{topic} is left out, {reason}; --topic takes it')
    if set(known) <= reasons.keys():
        raise ImageError(
            'a recording of ' + ', '.join(sorted(set(reasons.values()))), 'images of a camera',
            'name what to take with --topic, and of thermal images --brightness-range LOW..HIGH',
        )
    return [item for item in images if item.topic not in reasons]


def _kind(reader: Reader, connection: Connection) -> str:
    """Return the encoding or format of a topic's first message, or nothing if it is damaged."""
    try:
        _, _, data = next(iter(reader.messages([connection])))
        message = _message(data, connection)
    except (ImageError, StopIteration):
        return ''
    return str(message.format if connection.msgtype == COMPRESSED else message.encoding)


def _message(data: bytes | memoryview, connection: Connection) -> Any:
    """
    Read a serialised Image or CompressedImage.

    :raises ImageError: if it is damaged.
    """
    try:
        return TYPES.deserialize_cdr(data, connection.msgtype)
    except _DAMAGE as error:
        raise ImageError(f'a damaged message ({error or type(error).__name__})') from error


def _frame(message: Any, brightness: BrightnessRange) -> Frame:
    """
    Decode an image.

    :raises ImageError: if it contradicts itself or its encoding cannot be read.
    """
    stamp = message.header.stamp
    stamp_ns = stamp.sec * 1_000_000_000 + stamp.nanosec
    frame_id = message.header.frame_id
    if message.__msgtype__ == COMPRESSED:
        return frame_from_file(
            message.data, message.format, stamp_ns=stamp_ns, frame_id=frame_id,
            brightness=brightness,
        )
    return frame_from_bytes(
        message.data, (message.height, message.width), message.encoding, message.step,
        big_endian=bool(message.is_bigendian), stamp_ns=stamp_ns, frame_id=frame_id,
        brightness=brightness,
    )

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
from pathlib import Path
import struct
from typing import Any

from rosbags.interfaces import Connection
from rosbags.rosbag2 import Reader
from rosbags.serde import SerdeError
from rosbags.typesys import get_typestore, Stores
from seg_ros.commands.media.bag_topics import file_name, left_out
from seg_ros.commands.media.source_image import ignore_note, Note, Skip, SourceImage
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
REINDEX = 'recreate its metadata.yaml: ros2 bag reindex FOLDER'
ZSTD_MAGIC = b'\x28\xb5\x2f\xfd'

# Errors of damaged messages; a damaged length raises one of the last two.
_DAMAGE = (
    SerdeError, struct.error, AssertionError, LookupError, TypeError, ValueError, OverflowError,
    MemoryError,
)
# Image messages are the same in all of ROS 2; recordings before Iron carry no definitions.
TYPES = get_typestore(Stores.ROS2_HUMBLE)


class Bag:
    """
    The images of a recording, raw and compressed, in the order of their arrival.

    :param path: a rosbag2 folder, or one of its files.
    :param topics: image topics to read. By default those of cameras: no depth and no masks, and
        if a camera has raw and compressed images, the raw ones.
    :param note: called with each topic that is therefore left out.
    :param brightness: `brightness_range` of each topic.
    :raises ImageError: if it cannot be opened, is empty or lacks a topic.
    """

    def __init__(
        self, path: Path, topics: Sequence[str], note: Note = ignore_note, brightness: str = 'auto'
    ) -> None:
        self._path = path
        self._brightness = partial(BrightnessRange, brightness)
        is_mcap = path.suffix == '.mcap' or any(path.glob('*.mcap*'))
        self.storage = 'mcap' if is_mcap else 'sqlite3'
        self.rate_hz = 0.0
        try:
            with Reader(path) as reader:
                chosen = _chosen(reader, topics, lambda text: note(f'{path}: {text}'))
                self._topics = [item.topic for item in chosen]
                self._count = max(0, sum(item.msgcount for item in chosen))
        except ImageError:
            raise
        except Exception as error:  # storage and compression raise many kinds
            raise self._damaged(error) from error

    def __len__(self) -> int:
        return self._count

    def images(self, skip: Skip) -> Iterator[SourceImage]:
        """Yield the images in order; the rest of a truncated file counts as one skipped image."""
        try:
            yield from self._images(skip)
        except ImageError:      # raised by `skip`, if this is the only input
            raise
        except Exception as error:  # noqa: BLE001 - as above
            skip(str(self._path), self._damaged(error))

    def _images(self, skip: Skip) -> Iterator[SourceImage]:
        found = 0
        ranges: dict[str, BrightnessRange] = defaultdict(self._brightness)
        with Reader(self._path) as reader:
            chosen = [item for item in _images_of(reader) if item.topic in self._topics]
            for connection, received_ns, data in reader.messages(chosen):
                topic = connection.topic
                found += 1
                try:
                    frame = _frame(_message(data, connection), ranges[topic])
                except ImageError as error:
                    skip(f'{self._path}, {topic}', error)
                    continue
                name = f'{file_name(topic)}_{frame.stamp_ns}'
                yield SourceImage(name, str(self._path), frame, topic, received_ns)
        if found < self._count:
            skip(str(self._path), ImageError(
                f'a recording of {found} images', f'{self._count} by its metadata', REINDEX,
            ))

    def _damaged(self, error: Exception) -> ImageError:
        cause = ' '.join(str(error).split()) or type(error).__name__
        if 'not supported' in cause:
            return ImageError(f'a recording that rosbags does not read ({cause})')
        # If only the metadata is damaged, the repair tools above do not help.
        broken = 'metadata' in cause or 'missing' in cause or isinstance(error, UnicodeDecodeError)
        do = REINDEX if broken and self._path.is_dir() else REPAIRS[self.storage]
        return ImageError(f'a damaged recording ({cause})', do=do)


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
    kinds = {item.topic: _kind(reader, item) for item in images}
    filled = {topic: kind for topic, kind in kinds.items() if kind is not None}
    if not filled.keys() & (topics or filled):
        raise ImageError('an empty recording: its image topics have no messages')
    if topics:
        return [item for item in images if item.topic in topics]
    reasons = left_out(filled)
    for topic, reason in reasons.items():
        note(f'{topic} is left out, {reason}; select it with --topic')
    if filled.keys() <= reasons.keys():
        raise ImageError(
            'a recording of ' + ', '.join(sorted(set(reasons.values()))), 'images of a camera',
            'select it with --topic; for thermal images also set --brightness-range LOW..HIGH',
        )
    return [item for item in images if item.topic not in reasons]


def _kind(reader: Reader, connection: Connection) -> str | None:
    """
    Return the encoding or format of a topic's first message.

    :returns: empty if the message is damaged; None if there is none, whatever the metadata says.
    """
    first = next(iter(reader.messages([connection])), None)
    if first is None:
        return None
    try:
        message = _message(first[2], connection)
    except ImageError:
        return ''
    return str(message.format if connection.msgtype == COMPRESSED else message.encoding)


def _message(data: bytes | memoryview, connection: Connection) -> Any:
    """
    Deserialise an Image or CompressedImage.

    :raises ImageError: if it is damaged.
    """
    try:
        return TYPES.deserialize_cdr(data, connection.msgtype)
    except _DAMAGE as error:
        if data[:4] == ZSTD_MAGIC:
            raise ImageError(
                'a message compressed with zstd, which only metadata.yaml records',
                'the folder with metadata.yaml', REINDEX,
            ) from error
        raise ImageError(f'a damaged message ({error or type(error).__name__})') from error


def _frame(message: Any, brightness: BrightnessRange) -> Frame:
    """
    Decode an image.

    :raises ImageError: if its fields are inconsistent or its encoding is not supported.
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

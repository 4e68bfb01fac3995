"""Rosbag2 recordings, read and written without ROS."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
import struct
from types import TracebackType
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from rosbags.interfaces import Connection
from rosbags.rosbag2 import Reader, ReaderError, StoragePlugin, Writer, WriterError
from rosbags.serde import SerdeError
from rosbags.typesys import get_typestore, Stores
from seg_ros.commands.names import UniqueNames
from seg_ros.commands.source_image import Skip, SourceImage
from seg_ros.core.errors import ImageError, SettingError
from seg_ros.core.frame import Frame
from seg_ros.core.segmentation import Segmentation
from seg_ros.image.encodings import frame_from_bytes, frame_from_file

IMAGE = 'sensor_msgs/msg/Image'
COMPRESSED = 'sensor_msgs/msg/CompressedImage'
ENCODINGS = {'uint8': 'mono8', 'uint16': '16UC1', 'int32': '32SC1'}
METADATA_VERSION: Literal[8] = 8  # the newest that every rosbag2 from Humble on can read

# The package that rosbags reads sqlite3 with: apsw since 0.11.
_StorageError: type[Exception] = import_module('apsw' if find_spec('apsw') else 'sqlite3').Error
# Damaged storage and damaged messages surface as any of these; a damaged length as the last two.
_DAMAGE = (
    ReaderError, SerdeError, _StorageError, struct.error, OSError, EOFError, AssertionError,
    LookupError, TypeError, ValueError, OverflowError, MemoryError,
)
# Images are the same in all of ROS 2, and recordings before Iron carry no definitions.
_TYPES = get_typestore(Stores.ROS2_HUMBLE)


class Bag:
    """
    The images of a recording, raw and compressed, in the order of their arrival.

    :param path: a rosbag2 folder, or one of its files.
    :param topics: the image topics to take; none means all.
    :raises ImageError: if it cannot be opened or lacks a topic.
    """

    def __init__(self, path: Path, topics: Sequence[str]) -> None:
        self._path = path
        self._topics = topics
        is_mcap = path.suffix == '.mcap' or any(path.glob('*.mcap*'))
        self.storage = 'mcap' if is_mcap else 'sqlite3'
        try:
            with Reader(path) as reader:
                self._count = sum(item.msgcount for item in self._chosen(reader))
        except _DAMAGE as error:
            raise _damaged(error) from error

    def __len__(self) -> int:
        return self._count

    def images(self, skip: Skip) -> Iterator[SourceImage]:
        """Read image after image; where the file itself breaks off, the rest counts as one."""
        try:
            yield from self._images(skip)
        except _DAMAGE as error:
            skip(str(self._path), _damaged(error))

    def _images(self, skip: Skip) -> Iterator[SourceImage]:
        with Reader(self._path) as reader:
            for connection, received_ns, data in reader.messages(self._chosen(reader)):
                topic = connection.topic
                try:
                    frame = _frame_from_message(data, connection.msgtype)
                except ImageError as error:
                    skip(f'{self._path}, {topic}', error)
                    continue
                name = f'{topic.strip("/").replace("/", "_")}_{frame.stamp_ns}'
                yield SourceImage(name, str(self._path), frame, topic, received_ns)

    def _chosen(self, reader: Reader) -> list[Connection]:
        images = [item for item in reader.connections if item.msgtype in (IMAGE, COMPRESSED)]
        known = sorted({item.topic for item in images})
        missing = sorted({*self._topics}.difference(known))
        if missing or not images:
            raise ImageError(
                f'a recording without image topic {" and ".join(missing)}'.rstrip(),
                f'some of {", ".join(known)}' if known else f'{IMAGE} or {COMPRESSED}',
            )
        return [item for item in images if item.topic in (self._topics or known)]


def _damaged(error: Exception) -> ImageError:
    return ImageError(
        f'a damaged recording ({error or type(error).__name__})',
        do='repair it with ros2 bag reindex',
    )


def _frame_from_message(data: bytes | memoryview, kind: str) -> Frame:
    """
    Read a serialised Image or CompressedImage.

    :raises ImageError: if it is damaged or its encoding cannot be read.
    """
    try:
        message: Any = _TYPES.deserialize_cdr(data, kind)
    except _DAMAGE as error:
        raise ImageError(f'a damaged message ({error or type(error).__name__})') from error
    stamp = message.header.stamp
    stamp_ns = stamp.sec * 1_000_000_000 + stamp.nanosec
    frame_id = message.header.frame_id
    if kind == COMPRESSED:
        return frame_from_file(
            message.data, message.format, stamp_ns=stamp_ns, frame_id=frame_id
        )
    return frame_from_bytes(
        message.data, (message.height, message.width), message.encoding, message.step,
        big_endian=bool(message.is_bigendian), stamp_ns=stamp_ns, frame_id=frame_id,
    )


class BagWriter:
    """
    A recording of what the node would publish, as a sink of masks.

    :param path: a folder that does not exist yet; it is made with the first image.
    :param storage: `sqlite3` or `mcap`.
    """

    def __init__(self, path: Path, storage: str) -> None:
        self._path = path
        self._writer = Writer(
            path, version=METADATA_VERSION, storage_plugin=StoragePlugin[storage.upper()]
        )
        self._cameras: dict[str, str] = {}
        self._camera_names = UniqueNames()
        self._connections: dict[str, Connection] = {}

    def __enter__(self) -> 'BagWriter':
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._connections:
            with self._disk():
                self._writer.close()

    def write(self, name: str, image: SourceImage, segmentation: Segmentation) -> None:
        """
        Write the masks of one image under its header, at the time that it was received.

        :raises SettingError: if the disk does not take them.
        """
        if image.topic not in self._cameras:
            wanted = camera_from_topic(image.topic)
            self._cameras[image.topic] = self._camera_names.claim(wanted)
        camera = self._cameras[image.topic]
        with self._disk():
            for output, array in _outputs(segmentation):
                data = _TYPES.serialize_cdr(_image_message(array, image.frame), IMAGE)
                connection = self._connection(f'/segmentation/{camera}/{output}')
                self._writer.write(connection, image.received_ns, data)

    @contextmanager
    def _disk(self) -> Iterator[None]:
        try:
            yield
        except (WriterError, OSError, _StorageError) as error:
            raise SettingError(
                f'{self._path} cannot be written ({error})', 'a new folder, and room on its disk'
            ) from error

    def _connection(self, topic: str) -> Connection:
        if not self._connections:
            self._writer.open()
        if topic not in self._connections:
            connection = self._writer.add_connection(topic, IMAGE, typestore=_TYPES)
            self._connections[topic] = connection
        return self._connections[topic]


def camera_from_topic(topic: str) -> str:
    """Return what names the camera in a topic: `front` of `/front/image_raw/compressed`."""
    words = [word for word in topic.split('/') if word and word != 'compressed']
    if words and words[-1].startswith('image'):
        words.pop()
    return '_'.join(words) or 'camera'


def _outputs(segmentation: Segmentation) -> Iterator[tuple[str, NDArray[Any]]]:
    maps = {
        'semantic': segmentation.classes,
        'instance': segmentation.instances,
        'panoptic': segmentation.panoptic(),
        'confidence': segmentation.confidence,
    }
    return ((name, array) for name, array in maps.items() if array is not None)


def _image_message(array: NDArray[Any], frame: Frame) -> Any:
    """Make a sensor_msgs Image with packed rows, little-endian, under the frame's header."""
    packed = np.ascontiguousarray(array, array.dtype.newbyteorder('<'))
    height, width = packed.shape
    kinds = _TYPES.types
    sec, nanosec = divmod(frame.stamp_ns, 1_000_000_000)
    stamp = kinds['builtin_interfaces/msg/Time'](sec, nanosec)
    return kinds[IMAGE](
        kinds['std_msgs/msg/Header'](stamp, frame.frame_id), height, width,
        ENCODINGS[array.dtype.name], 0, packed.strides[0], packed.reshape(-1).view(np.uint8),
    )

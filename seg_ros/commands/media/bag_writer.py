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

"""Rosbag2 recordings of masks, written without ROS."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from importlib.util import find_spec
import os
from pathlib import Path
from secrets import token_hex
from shutil import rmtree
from types import TracebackType
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from rosbags.interfaces import Connection
from rosbags.rosbag2 import StoragePlugin, Writer, WriterError
from seg_ros.commands.media.bag import IMAGE, TYPES
from seg_ros.commands.media.bag_topics import camera_from_topic
from seg_ros.commands.media.source_image import SourceImage
from seg_ros.commands.media.unique_names import UniqueNames
from seg_ros.core.errors import SettingError
from seg_ros.core.frame import Frame
from seg_ros.core.segmentation import Segmentation

# rosbags writes sqlite3 through apsw since 0.11.
STORAGE_ERROR: type[Exception] = import_module('apsw' if find_spec('apsw') else 'sqlite3').Error
ENCODINGS = {'uint8': 'mono8', 'uint16': '16UC1', 'int32': '32SC1'}
METADATA_VERSION: Literal[8] = 8  # the newest that rosbag2 of Humble reads


class BagWriter:
    """
    A sink of masks that records what the node would publish.

    The recording appears at the end of the run. If the run is interrupted, it holds what was done
    by then; if it cannot be written, nothing of it remains.

    :param path: a folder that does not exist yet.
    :param storage: `sqlite3` or `mcap`.
    """

    def __init__(self, path: Path, storage: str) -> None:
        self._path = path
        self._part = path.with_name(f'.{path.name}.{token_hex(4)}.part')
        self._writer = Writer(
            self._part / path.name, version=METADATA_VERSION,
            storage_plugin=StoragePlugin[storage.upper()],
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
        try:
            if self._connections and not isinstance(error, SettingError):
                with self._disk():
                    self._writer.close()
                    os.replace(self._part / self._path.name, self._path)
        finally:
            with suppress(Exception):
                self._writer.abort()
            rmtree(self._part, ignore_errors=True)

    def write(self, name: str, image: SourceImage, segmentation: Segmentation) -> None:
        """
        Write the masks of one image with its header and its receive time.

        :raises SettingError: if they cannot be written.
        """
        if image.topic not in self._cameras:
            wanted = camera_from_topic(image.topic)
            self._cameras[image.topic] = self._camera_names.claim(wanted)
        camera = self._cameras[image.topic]
        with self._disk():
            for output, array in _outputs(segmentation):
                data = TYPES.serialize_cdr(_image_message(array, image.frame), IMAGE)
                connection = self._connection(f'/segmentation/{camera}/{output}')
                self._writer.write(connection, image.received_ns, data)

    @contextmanager
    def _disk(self) -> Iterator[None]:
        try:
            yield
        except (WriterError, OSError, STORAGE_ERROR) as error:
            raise SettingError(
                f'{self._path} cannot be written ({error})', 'a new folder, and free disk space'
            ) from error

    def _connection(self, topic: str) -> Connection:
        if not self._connections:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._writer.open()
        if topic not in self._connections:
            connection = self._writer.add_connection(topic, IMAGE, typestore=TYPES)
            self._connections[topic] = connection
        return self._connections[topic]


def _outputs(segmentation: Segmentation) -> Iterator[tuple[str, NDArray[Any]]]:
    maps = {
        'semantic': segmentation.classes,
        'instance': segmentation.instances,
        'panoptic': segmentation.panoptic(),
        'confidence': segmentation.confidence,
    }
    return ((name, array) for name, array in maps.items() if array is not None)


def _image_message(array: NDArray[Any], frame: Frame) -> Any:
    """Return a sensor_msgs Image with packed rows, little-endian, with the frame's header."""
    packed = np.ascontiguousarray(array, array.dtype.newbyteorder('<'))
    height, width = packed.shape
    kinds = TYPES.types
    sec, nanosec = divmod(frame.stamp_ns, 1_000_000_000)
    stamp = kinds['builtin_interfaces/msg/Time'](sec, nanosec)
    return kinds[IMAGE](
        kinds['std_msgs/msg/Header'](stamp, frame.frame_id), height, width,
        ENCODINGS[array.dtype.name], 0, packed.strides[0], packed.reshape(-1).view(np.uint8),
    )

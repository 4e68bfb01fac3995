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

"""Whatever a recording or a model file holds, it is read, skipped or one clear error."""

from pathlib import Path
import shutil
import tempfile

from fuzz import fuzz, unless
from hypothesis import strategies as st
from inputs import damaged
import numpy as np
import pytest
from seg_ros.commands.media.sources import open_sources
from seg_ros.core.compiled_file import read_compiled
from seg_ros.core.errors import ModelError, SegError
from seg_ros.engines.model_path import DEFAULT_NETWORK


def recording(storage: str) -> tuple[str, bytes]:
    """Give the name and the bytes of the file of a small recording."""
    rosbag2 = pytest.importorskip('rosbags.rosbag2', reason='rosbags is not installed')
    from rosbags.typesys import get_typestore, Stores

    store = get_typestore(Stores.ROS2_HUMBLE)
    kind = 'sensor_msgs/msg/Image'
    stamp = store.types['builtin_interfaces/msg/Time'](1, 2)
    message = store.types[kind](
        store.types['std_msgs/msg/Header'](stamp, 'cam'), 4, 6, 'rgb8', 0, 18,
        np.arange(72, dtype=np.uint8),
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, 'bag')
        plugin = rosbag2.StoragePlugin[storage.upper()]
        with rosbag2.Writer(path, version=8, storage_plugin=plugin) as writer:
            connection = writer.add_connection('/cam/image_raw', kind, typestore=store)
            for number in range(3):
                writer.write(connection, number, store.serialize_cdr(message, kind))
        (file,) = (item for item in path.iterdir() if item.suffix != '.yaml')
        return file.name, file.read_bytes()


@pytest.mark.parametrize('storage', ['sqlite3', 'mcap'])
def test_any_recording_is_read_or_skipped(storage: str) -> None:
    name, whole = recording(storage)
    folder = Path(tempfile.mkdtemp())

    def check(data: bytes) -> None:
        path = folder / name
        path.write_bytes(data)

        def read() -> None:
            for source in open_sources([path], (), lambda *_: None):
                for image in source.images(lambda *_: None):
                    assert image.frame.size_hw

        unless(SegError, read)

    try:
        fuzz(damaged(st.just(whole)), check)
    finally:
        shutil.rmtree(folder)


def test_any_model_file_is_read_or_a_model_error() -> None:
    whole = DEFAULT_NETWORK.read_bytes()
    tail = whole[-20000:]       # the metadata; weights are only skipped
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, 'm.onnx')

        def check(data: bytes) -> None:
            path.write_bytes(data)
            unless(ModelError, lambda: read_compiled(path))

        fuzz(st.one_of(damaged(st.just(tail)), st.binary(max_size=300)), check)
        fuzz(damaged(st.just(tail)).map(lambda end: whole[:-len(tail)] + end), check)

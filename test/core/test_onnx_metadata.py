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

"""Metadata are read as onnx reads them, from any bytes, without reading more than they need."""

from pathlib import Path

import numpy as np
import pytest
from seg_ros.core.errors import ModelError
from seg_ros.core.onnx_metadata import read_metadata
from seg_ros.core.wire import varint_bytes

WORDS = {'first': 'one', 'second': 'zwei \u00e4\u00f6', 'empty': ''}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    onnx = pytest.importorskip('onnx', reason='onnx is not installed')
    weights = onnx.numpy_helper.from_array(np.arange(1000.0), 'w')
    node = onnx.helper.make_node('Add', ['x', 'w'], ['y'])
    given = onnx.helper.make_tensor_value_info('x', 11, [1000])
    output = onnx.helper.make_tensor_value_info('y', 11, None)
    graph = onnx.helper.make_graph([node], 'sum', [given], [output], [weights])
    whole = onnx.helper.make_model(graph, producer_name='nobody')
    onnx.helper.set_model_props(whole, WORDS)
    path = tmp_path / 'm.onnx'
    onnx.save(whole, path)
    return path


def test_every_entry_is_read(model: Path) -> None:
    assert read_metadata(model) == WORDS


def test_a_file_cut_anywhere_but_between_fields_is_refused(model: Path) -> None:
    data = model.read_bytes()
    for end in [*range(200), *range(200, len(data), 97)]:
        model.write_bytes(data[:end])
        with pytest.raises(ModelError, match=r'm\.onnx is (empty|truncated or not an ONNX file)'):
            read_metadata(model)


def test_random_bytes_are_refused_or_read_and_nothing_else(model: Path) -> None:
    rng = np.random.default_rng(0)
    data = np.frombuffer(model.read_bytes(), np.uint8)
    for _ in range(500):
        spoilt = data.copy()
        places = rng.integers(0, len(data), 8)
        spoilt[places] = rng.integers(0, 256, 8)
        model.write_bytes(spoilt.tobytes()[rng.integers(0, 2):])
        try:
            read_metadata(model)
        except ModelError:
            pass


@pytest.mark.parametrize('data', [
    b'', b'\0' * 100, b'\x3a' + b'\xff' * 20, b'\x3b\x08', b'\xff' * 9, b'PK\x03\x04' * 9,
    b'\x3a\x00\x72' + varint_bytes(1 << 62), b'\x3a\x00\x72\x03\x0a\x01\xff',
])
def test_what_is_no_message_is_refused(model: Path, data: bytes) -> None:
    model.write_bytes(data)
    with pytest.raises(ModelError, match='an ONNX file'):
        read_metadata(model)


def test_a_file_larger_than_any_model_is_refused_unread(model: Path) -> None:
    with model.open('r+b') as stream:
        stream.truncate(80_000_000_000)     # takes no room on the disk
    with pytest.raises(ModelError, match=r'has 80\.0 GB.*of at most 2 GB'):
        read_metadata(model)


def test_a_folder_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / 'none.onnx'):
        with pytest.raises(ModelError, match='cannot be read'):
            read_metadata(path)

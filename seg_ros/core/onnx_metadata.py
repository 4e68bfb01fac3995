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

"""Metadata of an ONNX file, read without the onnx package and without the weights."""

from pathlib import Path
from typing import BinaryIO

from seg_ros.core.errors import ModelError
from seg_ros.core.foreign_file import refuse_foreign
from seg_ros.core.whole_file import open_plain
from seg_ros.core.wire import BYTES, Field, fields, WireError

# Fields of onnx.proto's ModelProto and StringStringEntryProto.
GRAPH, METADATA = 7, 14
_KEY, _VALUE = 1, 2
LARGEST_FILE = (1 << 31) - 1    # maximum size of a protobuf message
_MAX_ENTRY = 1 << 24            # bytes; a card of 65000 classes takes half of it
_MAX_FIELDS = 1 << 16


def read_metadata(path: Path) -> dict[str, str]:
    """
    Read the metadata entries written by exporters and `seg_ros compile`.

    :raises ModelError: if the file is missing, truncated, too large or not ONNX.
    """
    try:
        size = path.stat().st_size
        if size > LARGEST_FILE:
            raise ModelError(
                f'{path.name} has {size / 1e9:.1f} GB', 'an ONNX file of at most 2 GB',
            )
        with open_plain(path) as stream:
            refuse_foreign(stream, path)
            return _metadata(stream, size)
    except OSError as error:
        raise ModelError(f'{path} cannot be read ({error.strerror})', 'an ONNX file') from error
    except (WireError, UnicodeDecodeError) as error:
        raise ModelError(
            f'{path.name} is truncated or not an ONNX file', 'a whole ONNX file',
            'copy or export it again',
        ) from error


def _metadata(stream: BinaryIO, size: int) -> dict[str, str]:
    texts, has_graph = {}, False
    for count, field in enumerate(fields(stream, 0, size)):
        if count > _MAX_FIELDS:
            raise WireError('too many fields')
        has_graph |= field.number == GRAPH and field.kind == BYTES
        if field.number == METADATA:
            key, value = _entry(stream, field)
            texts[key] = value
    if not has_graph:
        raise WireError('no graph')
    return texts


def _entry(stream: BinaryIO, field: Field) -> tuple[str, str]:
    if field.kind != BYTES or field.end - field.start > _MAX_ENTRY:
        raise WireError('an entry that is not a text')
    entry = {_KEY: '', _VALUE: ''}
    for part in fields(stream, field.start, field.end):
        if part.number in entry and part.kind == BYTES:
            entry[part.number] = part.read(stream).decode()
    return entry[_KEY], entry[_VALUE]

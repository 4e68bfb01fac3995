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

"""Fields of messages in Protocol Buffers' wire format; only headers are read."""

from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
_FIXED = {FIXED64: 8, FIXED32: 4}
_MAX_VARINT_BYTES = 10


class WireError(ValueError):
    """Bytes that are not a message, or a truncated one."""


class Field(NamedTuple):
    """
    One field of a message.

    :param begin: offset of its header.
    :param start: offset of its content.
    :param end: offset after its content.
    """

    number: int
    kind: int
    begin: int
    start: int
    end: int

    def read(self, stream: BinaryIO) -> bytes:
        """Return the content."""
        stream.seek(self.start)
        return stream.read(self.end - self.start)


def fields(stream: BinaryIO, start: int, end: int) -> Iterator[Field]:
    """
    Yield the fields of the message between two offsets, without reading their content.

    The format: https://protobuf.dev/programming-guides/encoding

    :raises WireError: if a field is invalid or extends beyond `end`.
    """
    at = start
    while at < end:
        stream.seek(at)
        tag, begin = varint(stream), at
        number, kind = tag >> 3, tag & 7
        if kind == VARINT:
            content = stream.tell()
            varint(stream)
            at = stream.tell()
        elif kind == BYTES:
            size = varint(stream)
            content = stream.tell()
            at = content + size
        elif kind in _FIXED:
            content = stream.tell()
            at = content + _FIXED[kind]
        else:
            raise WireError(f'a field of kind {kind}')
        if not number or at > end:
            raise WireError(f'field {number} reaches beyond its message')
        yield Field(number, kind, begin, content, at)


def varint(stream: BinaryIO) -> int:
    """
    Read a number with seven bits per byte, the least significant first.

    :raises WireError: if it does not end.
    """
    value = 0
    for position in range(_MAX_VARINT_BYTES):
        byte = stream.read(1)
        if not byte:
            break
        value |= (byte[0] & 0x7F) << 7 * position
        if byte[0] < 0x80:
            return value
    raise WireError('a number that does not end')


def varint_bytes(value: int) -> bytes:
    """Encode a number in the form that `varint` reads."""
    written = bytearray()
    while value > 0x7F:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*written, value])

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

"""Protocol Buffers' wire format, as far as finding fields takes; nothing is read but headers."""

from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
_FIXED = {FIXED64: 8, FIXED32: 4}
_LONGEST_VARINT = 10


class WireError(ValueError):
    """Bytes that are no message, or the beginning of one."""


class Field(NamedTuple):
    """
    One field of a message.

    :param begin: where its header stands.
    :param start: where its content begins.
    :param end: after its content.
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
    Give the fields of the message between two positions, without reading what is in them.

    The format: https://protobuf.dev/programming-guides/encoding

    :raises WireError: where there is no field or it reaches beyond `end`.
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
    Read a number of seven bits a byte, the least first.

    :raises WireError: if it does not end.
    """
    value = 0
    for position in range(_LONGEST_VARINT):
        byte = stream.read(1)
        if not byte:
            break
        value |= (byte[0] & 0x7F) << 7 * position
        if byte[0] < 0x80:
            return value
    raise WireError('a number that does not end')


def varint_bytes(value: int) -> bytes:
    """Write a number as `varint` reads it."""
    written = bytearray()
    while value > 0x7F:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*written, value])

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

"""
Image size from a file's header, checked before decoding.

A few hundred bytes can claim a gigapixel, for which a decoder would allocate memory. References:
ISO/IEC 15948 (PNG), RFC 9649 (WebP), TIFF 6.0, ISO/IEC 23008-12 (AVIF), ISO/IEC 15444-1 (JPEG
2000), and the specifications of BMP, GIF, Netpbm and Sun raster files.
"""

from collections.abc import Callable
import re
import struct

from seg_ros.core.errors import ImageError
from seg_ros.image.jpeg_structure import read_structure

# The largest camera sensors have about 150 million pixels, those of robots 50.
MAX_PIXELS = 160_000_000
# A black JPEG has 64 to 340, and PNG's compression is limited to 1032.
MAX_PIXELS_PER_BYTE = 1100
FREE_PIXELS = 1 << 20   # allowed for any file

_CODESTREAM = b'\xff\x4f\xff\x51'
SizeReader = Callable[[bytes], tuple[int, int]]


def _png(data: bytes) -> tuple[int, int]:
    width, height = struct.unpack_from('>II', data, 16)
    return height, width


def _gif(data: bytes) -> tuple[int, int]:
    width, height = struct.unpack_from('<HH', data, 6)
    return height, width


def _bmp(data: bytes) -> tuple[int, int]:
    if struct.unpack_from('<I', data, 14)[0] == 12:
        width, height = struct.unpack_from('<HH', data, 18)
    else:
        width, height = struct.unpack_from('<ii', data, 18)
    return abs(height), abs(width)


def _sun_raster(data: bytes) -> tuple[int, int]:
    width, height = struct.unpack_from('>II', data, 4)
    return height, width


def _webp(data: bytes) -> tuple[int, int]:
    kind = data[12:16]
    if kind == b'VP8X':
        width = 1 + int.from_bytes(data[24:27], 'little')
        height = 1 + int.from_bytes(data[27:30], 'little')
    elif kind == b'VP8L':
        bits = int.from_bytes(data[21:25], 'little')
        width, height = 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    else:
        width, height = (side & 0x3FFF for side in struct.unpack_from('<HH', data, 26))
    return height, width


def _tiff(data: bytes) -> tuple[int, int]:
    """Return the size in the first directory: tags 256 and 257."""
    order = '<' if data[:2] == b'II' else '>'
    start = struct.unpack_from(f'{order}I', data, 4)[0]
    sides = {256: 0, 257: 0}
    for entry in range(struct.unpack_from(f'{order}H', data, start)[0]):
        place = start + 2 + 12 * entry
        tag, kind = struct.unpack_from(f'{order}HH', data, place)
        if tag in sides:
            sides[tag] = struct.unpack_from(f'{order}{"H" if kind == 3 else "I"}', data,
                                            place + 8)[0]
    return sides[257], sides[256]


def _avif(data: bytes) -> tuple[int, int]:
    """Return the largest size in ispe boxes, since tiles have them too."""
    sizes = [
        struct.unpack_from('>II', data, found.end() + 4)
        for found in re.finditer(b'ispe', data[:1 << 16])
    ]
    width, height = max(sizes, key=lambda sides: int(sides[0]) * int(sides[1]))
    return height, width


def _jpeg2000(data: bytes) -> tuple[int, int]:
    """Read the SIZ marker of the codestream, which JP2 wraps in boxes."""
    right, bottom, left, top = struct.unpack_from('>IIII', data, data.index(_CODESTREAM) + 8)
    return bottom - top, right - left


def _netpbm(data: bytes) -> tuple[int, int]:
    plain = re.sub(rb'#[^\n]*\n', b' ', data[:4096])
    if plain[:2] == b'P7':
        sides = dict(re.findall(rb'(WIDTH|HEIGHT)\s+(\d+)', plain))
        return int(sides[b'HEIGHT']), int(sides[b'WIDTH'])
    width, height = map(int, plain[2:].split(maxsplit=2)[:2])
    return height, width


_READERS: tuple[tuple['re.Pattern[bytes]', SizeReader], ...] = tuple(
    (re.compile(magic, re.DOTALL), read) for magic, read in (
        (rb'\xff\xd8', lambda data: read_structure(data).size_hw),
        (rb'\x89PNG\r\n\x1a\n', _png),
        (rb'GIF8', _gif),
        (rb'BM', _bmp),
        (rb'RIFF....WEBP', _webp),
        (rb'II\*\0|MM\0\*', _tiff),
        (rb'....ftyp(?:avi[fs]|mif1|msf1)', _avif),
        (rb'\0\0\0\x0cjP  |\xff\x4f\xff\x51', _jpeg2000),
        (rb'P[1-7]\s', _netpbm),
        (rb'\x59\xa6\x6a\x95', _sun_raster),
    )
)


MAGIC_BYTES = 12     # length of the longest magic number above


def is_image(head: bytes) -> bool:
    """Return whether a file that begins with `head` has a known image format."""
    return any(magic.match(head) for magic, _ in _READERS)


def check_size(data: bytes) -> None:
    """
    Check that a file does not claim more pixels than its length allows, or than cameras have.

    :param data: the whole file.
    :raises ImageError: if it does, its format is unknown or its header is damaged.
    """
    height, width = _size_hw(data)
    bound = min(MAX_PIXELS, max(FREE_PIXELS, MAX_PIXELS_PER_BYTE * len(data)))
    if height * width > bound:
        raise ImageError(
            f'a compressed image of {len(data)} bytes that claims {width} x {height} pixels',
            f'at most {bound} pixels in so many bytes', 'it is damaged, or not from a camera',
        )


def _size_hw(data: bytes) -> tuple[int, int]:
    seen = f'a compressed image of {len(data)} bytes that cannot be decoded'
    for magic, read in _READERS:
        if magic.match(data):
            try:
                return read(data)
            except (struct.error, ValueError, KeyError, IndexError) as error:
                raise ImageError(f'{seen}: its header is damaged', 'an undamaged file') from error
    raise ImageError(f'{seen}: it begins with {data[:8].hex(" ") or "nothing"}',
                     'a JPEG, PNG, WebP, TIFF, BMP or GIF file')

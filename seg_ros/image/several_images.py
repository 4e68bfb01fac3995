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

"""Detection of files with several images (animations, pages), of which only the first is read."""

import struct

_GIF_IMAGE, _GIF_EXTENSION = 0x2C, 0x21


def holds_several(data: bytes) -> bool:
    """Return whether a GIF, PNG, TIFF or WebP declares more than one image."""
    if data.startswith(b'RIFF'):
        return data.count(b'ANMF') > 1
    try:
        if data.startswith(b'GIF8'):
            return _has_two_images(data)
        if data.startswith(b'\x89PNG'):
            place = data.find(b'acTL', 0, 1 << 12)
            return place > 0 and struct.unpack_from('>I', data, place + 4)[0] > 1
        return data.startswith((b'II*\0', b'MM\0*')) and _next_page(data) > 0
    except (struct.error, IndexError):
        return False


def _has_two_images(gif: bytes) -> bool:
    """Read the blocks of a GIF (GIF89a, CompuServe 1990) up to its second image."""
    place, images = 13 + _palette_bytes(gif[10]), 0
    while images < 2 and gif[place] in (_GIF_IMAGE, _GIF_EXTENSION):
        if gif[place] == _GIF_IMAGE:
            images += 1
            place += 11 + _palette_bytes(gif[place + 9])
        else:
            place += 2
        while gif[place]:
            place += 1 + gif[place]
        place += 1
    return images > 1


def _palette_bytes(flags: int) -> int:
    return 3 << 1 + (flags & 7) if flags & 0x80 else 0


def _next_page(data: bytes) -> int:
    """Return the offset of a TIFF's second directory, 0 if there is none."""
    order = '<' if data[:2] == b'II' else '>'
    start = struct.unpack_from(f'{order}I', data, 4)[0]
    entries = struct.unpack_from(f'{order}H', data, start)[0]
    return int(struct.unpack_from(f'{order}I', data, start + 2 + 12 * entries)[0])

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
EXIF orientation of image files, applied as image viewers do.

Reference: Exif 2.32 (CIPA DC-008), tag 0x0112 of a TIFF header, which is in a segment of JPEG, or
a chunk of PNG and WebP.
"""

from dataclasses import replace
import struct

import numpy as np
from seg_ros.core.frame import Frame, Pixels

_TAG, _SHORT = 0x0112, 3
_AS_STORED = 1
# Marks before the TIFF header, with the distance to it in PNG and WebP, and JPEG's search range.
_JPEG = b'Exif\0\0'
_CHUNKS = {b'\x89PNG': (b'eXIf', 4), b'RIFF': (b'EXIF', 8)}
_HEADER_BYTES = 1 << 16


def upright(frame: Frame, data: bytes) -> Frame:
    """
    Rotate and mirror a frame by its file's EXIF orientation; unchanged if there is none.

    :param data: the JPEG, PNG or WebP file that the frame was decoded from.
    """
    orientation = _orientation(data)
    if orientation == _AS_STORED:
        return frame
    return replace(frame, pixels=np.ascontiguousarray(_turned(frame.pixels, orientation)))


def _turned(pixels: Pixels, orientation: int) -> Pixels:
    if orientation >= 5:            # transposed
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return pixels[:, ::-1] if orientation in (2, 3, 6, 7) else pixels


def _orientation(data: bytes) -> int:
    """Return 1 to 8; 1 if there is none or it is damaged."""
    name, size = _CHUNKS.get(data[:4], (_JPEG, len(_JPEG)))
    place = data.find(name, 0, _HEADER_BYTES if name == _JPEG else len(data))
    if place < 0:
        return _AS_STORED
    try:
        found = _tag(data[place + size:].removeprefix(_JPEG))
    except struct.error:
        return _AS_STORED
    return found if 1 <= found <= 8 else _AS_STORED


def _tag(tiff: bytes) -> int:
    order = {b'II*\0': '<', b'MM\0*': '>'}.get(tiff[:4])
    if order is None:
        return _AS_STORED
    start = struct.unpack_from(f'{order}I', tiff, 4)[0]
    for entry in range(struct.unpack_from(f'{order}H', tiff, start)[0]):
        tag, kind, _, value = struct.unpack_from(f'{order}HHIH', tiff, start + 2 + 12 * entry)
        if (tag, kind) == (_TAG, _SHORT):
            return int(value)
    return _AS_STORED

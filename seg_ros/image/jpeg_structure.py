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
Structure of a JPEG, read without decoding: its size, its scans, and where they end.

Reference: ITU-T T.81, annex B for the markers, annex G for progressive scans.
"""

from dataclasses import dataclass, field
import re

from seg_ros.core.errors import ImageError

START, END = b'\xff\xd8', b'\xff\xd9'
MAX_SCANS = 100     # about ten are usual; each costs a pass over the whole image
_SCAN = 0xDA
# Starts of frames: C0 to CF, except tables (C4, CC) and an extension (C8).
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_PROGRESSIVE = frozenset({0xC2, 0xC6, 0xCA, 0xCE})
_STANDALONE = frozenset({0x01, *range(0xD0, 0xD9)})      # markers without a length
_MARKER = re.compile(rb'\xff+([^\x00\xff])', re.DOTALL)
# Within a scan, FF is followed by 0 or is part of a restart marker.
_AFTER_SCAN = re.compile(rb'\xff[^\x00\xd0-\xd7\xff]', re.DOTALL)
_COEFFICIENTS = frozenset(range(64))


@dataclass
class JpegStructure:
    """
    The frame and the scans of a JPEG.

    :param size_hw: height and width in pixels.
    :param bits: bits per sample.
    :param components: 1 for gray, 3 for colour, 4 for CMYK.
    :param scans: number of scans.
    :param last_scan: offset of the last scan's compressed data in bytes.
    :param end: offset of the end marker in bytes, None if there is none.
    :param progressive: whether scans refine each other.
    :param lacking: coefficients that no scan has completed to the last bit, by component.
    """

    size_hw: tuple[int, int] = (0, 0)
    bits: int = 8
    components: int = 0
    scans: int = 0
    last_scan: int = 0
    end: int | None = None
    progressive: bool = False
    lacking: dict[int, frozenset[int]] = field(default_factory=dict)


def read_structure(data: bytes) -> JpegStructure:
    """
    Read the markers of a JPEG.

    :param data: the whole file.
    :raises ImageError: if it ends within its header, is inconsistent or lacks scans.
    """
    found, place = JpegStructure(), len(START)
    while found.end is None and (marker := _MARKER.search(data, place)):
        code, place = marker[1][0], marker.end()
        if code == END[1]:
            found.end = place - len(END)
        elif code not in _STANDALONE:
            body = _body(data, place)
            place += 2 + len(body)
            if code in _FRAMES:
                found.progressive = code in _PROGRESSIVE
                _read_frame(found, body)
            elif code == _SCAN:
                _read_scan(found, body, place)
                after = _AFTER_SCAN.search(data, place)
                place = after.start() if after else len(data)
    if not found.scans or not all(found.size_hw):
        raise _incomplete(data, 'before its first scan')
    if any(found.lacking.values()):
        raise _incomplete(data, 'before its last scan')
    return found


def whole_file(data: bytes, structure: JpegStructure) -> bytes:
    """
    Return the file up to its end marker, adding one if a USB camera has left it out.

    Such a camera may pad its buffer; two bytes of padding are kept, as they may be the scan's.
    """
    if structure.end is not None:
        return data[:structure.end + len(END)]
    scan = data.rstrip(b'\0\xff')
    return scan + data[len(scan):len(scan) + 2] + END


def _body(data: bytes, place: int) -> bytes:
    length = int.from_bytes(data[place:place + 2], 'big')
    body = data[place + 2:place + length]
    if length < 2 or len(body) != length - 2:
        raise _incomplete(data, 'within its header')
    return body


def _read_frame(found: JpegStructure, body: bytes) -> None:
    if len(body) < 6 or len(body) < 6 + 3 * body[5] or found.scans:
        raise ImageError('a JPEG whose frame header is damaged', 'an undamaged JPEG')
    found.bits, found.components = body[0], body[5]
    found.size_hw = int.from_bytes(body[1:3], 'big'), int.from_bytes(body[3:5], 'big')
    found.lacking = dict.fromkeys(body[6:6 + 3 * body[5]:3], _COEFFICIENTS)


def _read_scan(found: JpegStructure, body: bytes, place: int) -> None:
    """Remove the coefficients that a scan completes to the last bit from the incomplete ones."""
    found.scans, found.last_scan = found.scans + 1, place
    count = body[0] if body else 0
    if not count or len(body) < 4 + 2 * count or found.scans > MAX_SCANS:
        raise ImageError('a JPEG whose scans are damaged', f'1 to {MAX_SCANS} scans')
    first, last, approximation = body[1 + 2 * count:4 + 2 * count]
    done = frozenset(range(first, last + 1)) if found.progressive else _COEFFICIENTS
    for component in body[1:1 + 2 * count:2]:
        if component in found.lacking and not (found.progressive and approximation & 15):
            found.lacking[component] -= done


def _incomplete(data: bytes, where: str) -> ImageError:
    return ImageError(
        f'a JPEG of {len(data)} bytes that ends too soon, {where}', 'a whole JPEG'
    )

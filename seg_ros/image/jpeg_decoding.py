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
Decoding of JPEGs that refuses truncated and damaged ones.

A decoder fills missing parts with grey, which would get masks. simplejpeg raises the warnings of
libjpeg-turbo; OpenCV drops them. With OpenCV, a scan is complete if other bytes after it do not
change the image, but other bytes in place of its last ones do; this check takes three times as
long. It does not work for progressive JPEGs, for which only the presence of all scans is checked.
"""

from collections.abc import Callable
from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec
import re
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from seg_ros.core.errors import ImageError
from seg_ros.image.jpeg_structure import END, JpegStructure, read_structure, whole_file

FLAGS = cv2.IMREAD_ANYDEPTH | cv2.IMREAD_ANYCOLOR | cv2.IMREAD_IGNORE_ORIENTATION
# Many USB cameras leave some extra bytes before a marker in every image.
_EXTRA_BYTES = re.compile(r'(\d+) extraneous bytes before marker')
_TOLERATED = 8
_WARNING = re.compile(r'Corrupt JPEG|Premature end|Unsupported marker|Invalid|Bogus|Inconsistent')
_NOISE = b'\x55\xa3\x1b\x6e' * 1024


@lru_cache(maxsize=1)
def strict_decoder() -> tuple[Callable[..., Any] | None, str]:
    """
    Return simplejpeg's `decode_jpeg`, or None and the reason, empty if it is not installed.

    The result is cached.
    """
    if not find_spec('simplejpeg'):
        return None, ''
    try:
        return import_module('simplejpeg').decode_jpeg, ''
    except Exception as error:  # noqa: BLE001 - a broken package may raise anything
        return None, f'simplejpeg is installed but does not load ({error}): OpenCV is used'


def decode_jpeg(data: bytes) -> NDArray[np.uint8]:
    """
    Decode a JPEG.

    The EXIF orientation is ignored. Motion-JPEG of cameras may lack an end marker and Huffman
    tables.

    :param data: the whole file; bytes after its end marker are ignored.
    :returns: uint8, (H, W) or (H, W, 3) in the order blue, green, red.
    :raises ImageError: if it is damaged, truncated or not a JPEG that OpenCV reads.
    """
    structure = read_structure(data)
    file = whole_file(data, structure)
    decode, _ = strict_decoder()
    if decode is not None and structure.components in (1, 3) and structure.bits == 8:
        pixels = _decoded_strictly(decode, file, 'GRAY' if structure.components == 1 else 'BGR')
        if pixels is not None:
            return pixels
    pixels = imdecode(file)
    if not structure.progressive:
        _check_scan(pixels, file, structure)
    return pixels


def _decoded_strictly(
    decode: Callable[..., Any], file: bytes, order: str
) -> NDArray[np.uint8] | None:
    """Decode by simplejpeg; return None if it does not support this kind of JPEG."""
    try:
        try:
            pixels = decode(file, order)
        except ValueError as error:
            extra = _EXTRA_BYTES.search(str(error))
            if not extra or int(extra[1]) > _TOLERATED:
                raise
            pixels = decode(file, order, strict=False)
    except (ValueError, RuntimeError) as error:
        if _WARNING.search(str(error)):
            raise ImageError(
                f'a damaged JPEG of {len(file)} bytes ({error})', 'an undamaged JPEG'
            ) from error
        return None
    return np.asarray(pixels[:, :, 0] if order == 'GRAY' else pixels, np.uint8)


def _check_scan(pixels: NDArray[np.uint8], file: bytes, structure: JpegStructure) -> None:
    """
    Check that a sequential JPEG's last scan has as many bits as its blocks need.

    The end marker is removed, or libjpeg would warn on stderr about the bytes added here.

    :raises ImageError: if it has fewer, or many more.
    """
    scan = file[:-len(END)].rstrip(b'\xff')
    if not _same(pixels, scan):
        raise ImageError(
            f'a JPEG of {len(file)} bytes that ends too soon or is damaged', 'a whole JPEG'
        )
    last = len(scan) - structure.last_scan
    if last >= 4 * _TOLERATED and _same(pixels, scan[:-2 * _TOLERATED]):
        raise ImageError(
            f'a damaged JPEG of {len(file)} bytes: its last bytes are not needed',
            'an undamaged JPEG',
        )


def _same(pixels: NDArray[np.uint8], scan: bytes) -> bool:
    """Return whether noise appended to a scan leaves the image unchanged."""
    try:
        return np.array_equal(pixels, imdecode(scan.rstrip(b'\xff') + _NOISE))
    except ImageError:      # newer versions of OpenCV refuse an image without an end
        return False


def imdecode(data: bytes) -> NDArray[Any]:
    """
    Decode an image file by OpenCV.

    :returns: samples of the file's own type and number of channels, without alpha.
    :raises ImageError: if OpenCV cannot decode it.
    """
    seen = f'a compressed image of {len(data)} bytes that cannot be decoded'
    try:
        samples = cv2.imdecode(np.frombuffer(data, np.uint8), FLAGS)
    except cv2.error as error:
        raise ImageError(f'{seen}: {error}') from error
    if samples is None:
        raise ImageError(seen, 'an undamaged JPEG or PNG')
    return np.asarray(samples)

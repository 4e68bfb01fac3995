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

"""Reads images and maps of class ids from files."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from seg_ros.core.errors import ImageError
from seg_ros.core.frame import Pixels


def read_rgb(path: Path) -> Pixels:
    """
    Read an image: uint8 (H, W, 3).

    :raises ImageError: if it is missing or cannot be decoded.
    """
    bgr = cv2.imread(str(path)) if path.is_file() else None
    if bgr is None:
        raise ImageError(f'{path} is missing or not an image', 'an image')
    return np.asarray(bgr[..., ::-1], np.uint8)


def read_class_ids(path: Path) -> NDArray[Any]:
    """
    Read class ids, which are the indexes in images with a palette: uint8 or uint16 (H, W).

    :raises ImageError: if the file is missing, has colours, or does not have 8 or 16 bits.
    """
    ids = cv2.imread(str(path), cv2.IMREAD_UNCHANGED) if path.is_file() else None
    if ids is None:
        raise ImageError(f'{path} is missing or not an image', 'an image of class ids')
    if ids.ndim == 3 or path.suffix.lower() == '.bmp':     # may be a palette of grey levels
        return _palette_indexes(path)
    if ids.dtype not in (np.uint8, np.uint16):
        raise ImageError(f'{path} is an image of {ids.dtype}', 'class ids of 8 or 16 bits')
    return np.asarray(ids // _png_scale(path))


def check_sizes(image: Path, rgb: Pixels, masks: Path, numbers: NDArray[np.generic]) -> None:
    """
    Check that an image and its map have the same size.

    :raises ImageError: naming both files if the sizes differ.
    """
    if rgb.shape[:2] != numbers.shape:
        height, width = rgb.shape[:2]
        raise ImageError(
            f'{image} has {width}x{height} pixels and {masks} '
            f'{numbers.shape[1]}x{numbers.shape[0]}: they differ in size', 'one size',
        )


def _png_scale(path: Path) -> int:
    """Return the factor by which OpenCV scales the values of greyscale PNGs of 1, 2 or 4 bits."""
    with path.open('rb') as file:
        head = file.read(26)
    bits, color = head[24:26] if head[:4] == b'\x89PNG' else (8, 0)
    return 255 // (2 ** bits - 1) if bits < 8 and color == 0 else 1


def _palette_indexes(path: Path) -> NDArray[np.uint8]:
    """Return the palette indexes, which OpenCV replaces by the palette's colours."""
    try:
        from PIL import Image, UnidentifiedImageError
    except ImportError as error:
        raise ImageError(
            f'{path} has colours, or a palette', 'one channel of class ids',
            'images with a palette, as of Pascal VOC or labelme, need Pillow: pip install pillow',
        ) from error
    try:
        with Image.open(path) as image:
            if image.mode in ('P', 'L', '1'):
                return np.asarray(image, np.uint8)
    except (OSError, UnidentifiedImageError) as error:
        raise ImageError(f'{path}: {error}', 'an image of class ids') from error
    raise ImageError(
        f'{path} has colours without a palette', 'one channel of class ids',
        'write the id of each colour instead',
    )

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

"""Encoding of images as files in memory."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from seg_ros.core.frame import Pixels


def encode_jpeg(rgb: Pixels, quality: int = 90) -> bytes:
    """
    Compress uint8 rgb (H, W, 3) as JPEG.

    :param quality: 1 to 100.
    """
    return _encoded('.jpg', rgb, (cv2.IMWRITE_JPEG_QUALITY, quality))


def encode_png(image: Pixels | NDArray[np.uint16]) -> bytes:
    """
    Compress as PNG, with OpenCV's default setting, its fastest.

    :param image: uint8 or uint16, one channel (H, W) or rgb (H, W, 3).
    """
    return _encoded('.png', image, ())


def _encoded(suffix: str, image: NDArray[Any], options: tuple[int, ...]) -> bytes:
    if image.ndim == 3:
        image = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    return bytes(cv2.imencode(suffix, image, options)[1])

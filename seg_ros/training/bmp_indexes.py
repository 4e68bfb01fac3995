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

"""The indexes of a BMP with a palette, where image libraries give its colours or grey levels."""

from pathlib import Path
import struct

import numpy as np
from numpy.typing import NDArray
from seg_ros.core.errors import ImageError

_HEADER = struct.Struct('<2s8x2I2i2xHI')


def bmp_indexes(path: Path) -> NDArray[np.uint8] | None:
    """
    Read the indexes, (H, W), of a BMP of 8 bits or fewer; `None` of any other file.

    :raises ImageError: if it is compressed, or cut short.
    """
    with path.open('rb') as file:
        head = file.read(_HEADER.size)
        if len(head) < _HEADER.size or head[:2] != b'BM':
            return None
        _, start, size, width, height, bits, compression = _HEADER.unpack(head)
        if bits > 8 or size < 40:   # 40: what is of OS/2 has another header
            return None
        if compression:
            raise ImageError(f'{path} is a compressed BMP', 'one as it is, or PNG')
        stride = (width * bits + 31) // 32 * 4
        file.seek(start)
        data = file.read(abs(height) * stride)
    if len(data) != abs(height) * stride:
        raise ImageError(f'{path} is cut short', 'a whole image')
    rows = np.frombuffer(data, np.uint8).reshape(abs(height), stride, 1)
    shifts = np.arange(8 - bits, -1, -bits, dtype=np.uint8)
    spread: NDArray[np.uint8] = rows >> shifts & (2 ** bits - 1)
    indexes = spread.reshape(abs(height), -1)[:, :width]
    return indexes if height < 0 else indexes[::-1]     # rows are usually from the bottom up

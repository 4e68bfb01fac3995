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

"""Cells of 4 x 4 pixels of an image; those at its right and lower edge may be smaller."""

import cv2
import numpy as np
from numpy.typing import NDArray
from seg_ros.depth.morphology import square

CELL_PX = 4

_CELL = np.ones((CELL_PX, CELL_PX), np.uint8)


def marked_cells(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Mark the cells with marked pixels of a mask (H, W)."""
    found = cv2.dilate(mask.view(np.uint8), _CELL, anchor=(0, 0))[::CELL_PX, ::CELL_PX]
    return np.ascontiguousarray(found).view(bool)


def pixels_of_cells(cells: NDArray[np.bool_], size_hw: tuple[int, ...]) -> NDArray[np.bool_]:
    """Mark the pixels of marked cells, bool (H, W)."""
    height, width = size_hw
    return cells.repeat(CELL_PX, 0).repeat(CELL_PX, 1)[:height, :width]


def nearest_in_cells(metres: NDArray[np.float32]) -> NDArray[np.float32]:
    """
    Return the least depth in each cell; a median over the cells removes single near pixels.

    :param metres: float32 (H, W), NaN = none.
    :returns: float32 (h, w), infinity = none.
    """
    without_nan = np.fmin(metres, np.float32(np.inf))
    # The default border is the largest finite number, which would count as depth.
    nearest = cv2.erode(without_nan, _CELL, anchor=(0, 0), borderType=cv2.BORDER_REPLICATE)
    return np.asarray(cv2.medianBlur(nearest[::CELL_PX, ::CELL_PX].copy(), 3))


def nearest_around(metres: NDArray[np.float32], reach: int) -> NDArray[np.float32]:
    """
    Return the least depth around each cell.

    :param metres: float32 (h, w), infinity = none.
    :param reach: cells in rows and columns.
    """
    return np.asarray(cv2.erode(metres, square(reach), borderType=cv2.BORDER_REPLICATE))

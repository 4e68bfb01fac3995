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

"""The pinhole model of the camera to which depth is registered."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from seg_ros.core.errors import ImageError

_MAX_PX = 1e6


@dataclass(frozen=True)
class Intrinsics:
    """
    A camera without distortion; the centre of pixel (row, column) is at (row, column).

    A point of the optical frame (x right, y down, z forward, metres; REP 103) projects to column
    fx x / z + cx and row fy y / z + cy.

    :param fx: focal length in pixels along a row.
    :param fy: focal length in pixels along a column.
    :param cx: column of the optical axis.
    :param cy: row of the optical axis.
    :param size_hw: height and width of the image in pixels.
    :raises ImageError: if a value is not finite or too large, or a focal length is not positive.
    """

    fx: float
    fy: float
    cx: float
    cy: float
    size_hw: tuple[int, int]

    def __post_init__(self) -> None:
        numbers = (self.fx, self.fy, self.cx, self.cy)
        if not (np.max(np.abs(numbers)) < _MAX_PX and min(self.fx, self.fy) > 1 / _MAX_PX):
            raise ImageError(
                f'camera intrinsics fx, fy, cx, cy = {numbers}', 'focal lengths above 0',
                'calibrate the camera: points cannot be computed without K in camera_info',
            )

    @cached_property
    def slopes_xy(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return x / z of every column as float32 (1, W), and y / z of every row as (H, 1)."""
        height, width = self.size_hw
        x = (np.arange(width) - self.cx) / self.fx
        y = (np.arange(height) - self.cy) / self.fy
        return x.astype(np.float32)[None, :], y.astype(np.float32)[:, None]

    def ray_along(self, direction: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
        """
        Return how far each pixel's ray goes along a direction per metre of depth, float32 (H, W).

        :param direction: (3,), unit vector in the optical frame.
        """
        across, down = self.slopes_xy
        x, y, z = direction.astype(np.float32)
        return np.asarray(x * across + (y * down + z))

    def subsampled(self, step: int) -> 'Intrinsics':
        """Return the camera whose image is every `step`-th pixel, starting at the first."""
        height, width = self.size_hw
        return Intrinsics(
            self.fx / step, self.fy / step, self.cx / step, self.cy / step,
            (-(-height // step), -(-width // step)),
        )


def intrinsics_from_matrix(matrix: Sequence[float], size_hw: tuple[int, int]) -> Intrinsics:
    """
    Read camera_info's K (9 numbers) or P (12), row by row.

    :raises ImageError: if a focal length is not a positive number.
    """
    rows = np.asarray(matrix, float).reshape(3, -1)
    return Intrinsics(
        float(rows[0, 0]), float(rows[1, 1]), float(rows[0, 2]), float(rows[1, 2]), size_hw
    )

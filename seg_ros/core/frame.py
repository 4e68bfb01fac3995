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

"""A camera image with its metadata."""

from dataclasses import dataclass
from typing import get_args, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from seg_ros.core.errors import ImageError
from seg_ros.core.shown import shown

ColorOrder: TypeAlias = Literal['rgb', 'bgr', 'gray']
Pixels: TypeAlias = NDArray[np.uint8]

LONGEST_SIDE = 16384    # pixels; larger numbers are mistakes


@dataclass(frozen=True, eq=False)
class Frame:
    """
    One image, with the stamp and frame id for all results.

    :param pixels: uint8, (H, W, 3) for `rgb` and `bgr`, (H, W) for `gray`. May be a read-only view
        of a message's data, with any row stride.
    :param color: order of the channels in `pixels`.
    :param stamp_ns: acquisition time in nanoseconds by the camera's clock.
    :param frame_id: name of the camera's optical frame.
    :raises ImageError: if `color` is invalid, `pixels` does not have the shape and type for it, or
        `stamp_ns` is not an integer.
    """

    pixels: Pixels
    color: ColorOrder = 'rgb'
    stamp_ns: int = 0
    frame_id: str = ''

    def __post_init__(self) -> None:
        if self.color not in get_args(ColorOrder):
            raise ImageError(f'color: {shown(self.color)}', 'one of rgb, bgr, gray')
        if not isinstance(self.stamp_ns, int | np.integer):
            raise ImageError(f'stamp_ns: {shown(self.stamp_ns)}', 'a whole number of nanoseconds')
        planes = self.pixels.shape[2:]
        if (
            self.pixels.dtype != np.uint8
            or self.pixels.ndim not in (2, 3)
            or planes != (() if self.color == 'gray' else (3,))
            or 0 in self.pixels.shape
        ):
            raise ImageError(
                f'a {self.color} image of type {self.pixels.dtype} and shape '
                f'{self.pixels.shape}',
                'uint8 of shape (H, W) for gray or (H, W, 3) for rgb and bgr, neither side 0',
            )

    @property
    def size_hw(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.pixels.shape[0], self.pixels.shape[1]

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

"""Images with ground truth of a table with moving objects, drawn only with OpenCV."""

import cv2
import numpy as np
from numpy.typing import NDArray
from seg_ros.core.frame import Pixels

_COLORS = (
    (214, 64, 54), (58, 122, 201), (70, 160, 84), (62, 66, 76), (150, 86, 178), (36, 158, 168),
)


class Tabletop:
    """
    Six shaded objects that move over a wooden table without touching.

    :param size_hw: size of the images, in pixels.
    """

    def __init__(self, size_hw: tuple[int, int] = (480, 640), seed: int = 7) -> None:
        random = np.random.default_rng(seed)
        height, width = size_hw
        noise = random.normal(0, 14, size_hw).astype(np.float32)
        grain = cv2.GaussianBlur(noise, (0, 0), sigmaX=9, sigmaY=1)
        rings = 6 * np.sin(np.linspace(0, 40, height) + random.uniform(0, 6))[:, None]
        shade = np.linspace(1.03, 0.93, width)[None, :]
        wood = np.array([206, 186, 158], np.float32)
        table = (wood + (grain * 3 + rings)[..., None]) * shade[..., None]
        self._table = np.clip(table, 0, 255).astype(np.uint8)
        self._size_hw = size_hw

    def image(self, time_s: float) -> tuple[Pixels, NDArray[np.uint8]]:
        """
        Draw the table at a point in time.

        :returns: rgb uint8 (H, W, 3), and a map uint8 (H, W) of object numbers, 0 = table.
        """
        image = self._table.copy()
        truth = np.zeros(self._size_hw, np.uint8)
        height, width = self._size_hw
        reach = round(0.2 * height)
        for number, color in enumerate(_COLORS):
            column, row = number % 3, number // 3
            phase = 0.7 * time_s + 1.9 * number
            x = round(width * ((column + 0.5) / 3 + 0.06 * np.cos(phase)))
            y = round(height * ((row + 0.5) / 2 + 0.08 * np.sin(1.3 * phase)))
            window = slice(max(0, y - reach), y + reach), slice(max(0, x - reach), x + reach)
            center = min(x, reach), min(y, reach)
            mask = np.zeros(truth[window].shape, np.uint8)
            outline = _outline(number, center, 0.13 * height, 0.5 * phase)
            cv2.fillPoly(mask, [outline], 255, cv2.LINE_AA)
            _cast_shadow(image[window], mask)
            _paint(image[window], mask, color, center, reach)
            truth[window][mask > 127] = number + 1
        return cv2.GaussianBlur(image, (3, 3), 0), truth


def _outline(
    number: int, center: tuple[int, int], radius: float, angle: float
) -> NDArray[np.int32]:
    """Return the outline of a disc, box, bar, triangle, hexagon or ellipse around a centre."""
    corners = (48, 4, 4, 3, 6, 48)[number]
    stretch = (1.0, 1.0, 0.5, 1.1, 1.0, 0.65)[number]
    turns = np.arange(corners) * 2 * np.pi / corners
    x, y = radius * np.cos(turns), radius * stretch * np.sin(turns)
    cos, sin = np.cos(angle), np.sin(angle)
    points = np.stack([x * cos - y * sin, x * sin + y * cos], axis=1) + center
    return np.rint(points).astype(np.int32)


def _cast_shadow(image: Pixels, mask: NDArray[np.uint8]) -> None:
    moved = cv2.warpAffine(mask, np.array([[1.0, 0, 5], [0, 1, 6]]), mask.shape[::-1])
    soft = cv2.GaussianBlur(moved, (0, 0), 4).astype(np.float32) / 255
    image[:] = (image * (1 - 0.18 * soft[..., None])).astype(np.uint8)


def _paint(
    image: Pixels, mask: NDArray[np.uint8], color: tuple[int, int, int],
    center: tuple[int, int], reach: int,
) -> None:
    """Shade an object as lit from the upper left, and blend its edge."""
    rows, columns = np.ogrid[:mask.shape[0], :mask.shape[1]]
    light = 1.12 - 0.3 * ((columns - center[0]) + (rows - center[1])) / (2 * reach)
    lit = np.clip(np.array(color, np.float32) * light[..., None], 0, 255)
    alpha = mask[..., None].astype(np.float32) / 255
    image[:] = (image * (1 - alpha) + lit * alpha).astype(np.uint8)

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

"""Confusion matrix of classes, as text and as an image."""

from collections.abc import Mapping, Sequence

import cv2
import numpy as np
from seg_ros.core.frame import Pixels

_CELL_HW = (44, 92)
_INK, _PAPER = (20, 20, 20), (255, 255, 255)
_BLUE = np.array([33, 102, 172])


def confusion_lines(shares: Mapping[str, Mapping[str, float]]) -> list[str]:
    """Format the shares as a table in percent, one line per true class."""
    names = _columns(shares)
    lines = [f'{"true class, % found as":<28}' + ''.join(f'{name:>12}' for name in names)]
    for true, row in shares.items():
        lines.append(f'{true:<28}' + ''.join(f'{100 * row[name]:>12.1f}' for name in names))
    return lines


def draw_confusion(shares: Mapping[str, Mapping[str, float]]) -> Pixels:
    """
    Draw the shares as a table, darker where they are larger.

    :param shares: by true class and predicted class; 0 to 1.
    :returns: rgb uint8 (H, W, 3).
    """
    names = _columns(shares)
    height, width = _CELL_HW[0] * (len(shares) + 1), _CELL_HW[1] * (len(names) + 1)
    image = np.full((height, width, 3), _PAPER, np.uint8)
    for column, name in enumerate(names, 1):
        _write(image, name, 0, column, _INK)
    for row, (true, found) in enumerate(shares.items(), 1):
        _write(image, true, row, 0, _INK)
        for column, name in enumerate(names, 1):
            _fill(image, found[name], row, column)
    return image


def _columns(shares: Mapping[str, Mapping[str, float]]) -> Sequence[str]:
    return list(next(iter(shares.values()))) if shares else []


def _fill(image: Pixels, share: float, row: int, column: int) -> None:
    y, x = row * _CELL_HW[0], column * _CELL_HW[1]
    color = np.rint(255 + share * (_BLUE - 255)).astype(np.uint8)
    image[y:y + _CELL_HW[0] - 1, x:x + _CELL_HW[1] - 1] = color
    _write(image, f'{100 * share:.1f}', row, column, _PAPER if share > 0.5 else _INK)


def _write(
    image: Pixels, text: str, row: int, column: int, ink: tuple[int, int, int]
) -> None:
    at = column * _CELL_HW[1] + 8, row * _CELL_HW[0] + 28
    cv2.putText(image, text, at, cv2.FONT_HERSHEY_SIMPLEX, 0.5, ink, 1, cv2.LINE_AA)

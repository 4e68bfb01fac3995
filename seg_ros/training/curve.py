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

"""Plots the losses of a training run as an image."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from seg_ros.core.frame import Pixels

_SIZE_HW = (420, 720)
_MARGIN = 46
_COLORS = ((214, 64, 54), (58, 122, 201), (70, 160, 84))


def draw_curve(losses: Sequence[Sequence[float]], names: Sequence[str]) -> Pixels:
    """
    Plot the running mean of each loss over the steps, on a logarithmic scale.

    :param losses: for each step, one value per name.
    :returns: rgb uint8 (420, 720, 3).
    """
    image = np.full((*_SIZE_HW, 3), 255, np.uint8)
    values = np.log10(np.maximum(np.asarray(losses, float), 1e-4))
    smooth = _running_mean(values, max(1, len(values) // 100))
    low, high = np.floor(10 * smooth.min()) / 10, np.ceil(10 * smooth.max()) / 10 + 1e-6
    bottom, right = _SIZE_HW[0] - _MARGIN, _SIZE_HW[1] - _MARGIN
    xs = np.linspace(_MARGIN, right, len(smooth))
    for column, (name, ink) in enumerate(zip(names, _COLORS, strict=True)):
        ys = bottom - (smooth[:, column] - low) / (high - low) * (bottom - _MARGIN)
        points = np.rint(np.stack([xs, ys], axis=1)).astype(np.int32)
        cv2.polylines(image, [points], False, ink, 2, cv2.LINE_AA)
        last = f'{name} {10 ** smooth[-1, column]:.3g}'
        _put_text(image, last, (right - 150, 24 + 18 * column), ink)
    for level in (low, high):
        y = bottom if level == low else _MARGIN
        cv2.line(image, (_MARGIN, y), (right, y), (210, 210, 210))
        _put_text(image, f'{10 ** level:.2g}', (4, y + 4))
    _put_text(image, f'{len(values)} steps', (right - 80, bottom + 24))
    return image


def _running_mean(values: NDArray[np.float64], window: int) -> NDArray[np.float64]:
    """Average over the last `window` steps, over fewer at the beginning."""
    sums = np.cumsum(np.vstack([np.zeros(values.shape[1]), values]), axis=0)
    ends = np.arange(1, len(values) + 1)
    starts = np.maximum(0, ends - window)
    return np.asarray((sums[ends] - sums[starts]) / (ends - starts)[:, None])


def _put_text(
    image: Pixels, text: str, at: tuple[int, int], ink: tuple[int, int, int] = (90, 90, 90)
) -> None:
    cv2.putText(image, text, at, cv2.FONT_HERSHEY_SIMPLEX, 0.45, ink, 1, cv2.LINE_AA)

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

"""Training targets: classes at full size, centres and offsets at the network's output size."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from seg_ros.training.sample import instances_known, TrainingSample

_SIGMA = 1.6    # standard deviation of a centre's peak, in cells
_MIN_PIXELS = 24    # smaller visible parts of things get no centre
_SMALL_PX = 1200    # the class loss weighs smaller things more
_MAX_PIXEL_WEIGHT = 2.5


class Targets(NamedTuple):
    """
    Target outputs of the network for one image.

    :param classes: uint8 (H, W), channel numbers, `OTHER` or `VOID`.
    :param pixel_weights: float32 (H, W), weight in the class loss: 1, and more on small things.
    :param centers: float32 (h, w), 1 at each centre, falling off around it.
    :param center_mask: float32 (h, w), 1 where it is known whether there is a centre, else 0.
    :param offsets: float32 (2, h, w), dy and dx from each cell's middle to its thing's centre.
    :param offset_weights: float32 (h, w), weight in the offset loss: 0 outside things, more for
        each cell of a small thing.
    """

    classes: NDArray[np.uint8]
    pixel_weights: NDArray[np.float32]
    centers: NDArray[np.float32]
    center_mask: NDArray[np.float32]
    offsets: NDArray[np.float32]
    offset_weights: NDArray[np.float32]


def make_targets(sample: TrainingSample, things: NDArray[np.bool_], stride: int) -> Targets:
    """
    Derive all targets from a labelled image.

    :param things: (C), which classes are things.
    """
    classes, instances = sample.classes, sample.instances
    height, width = classes.shape[0] // stride, classes.shape[1] // stride
    middle = stride // 2
    cells = instances[middle::stride, middle::stride]
    rows, columns = np.mgrid[:height, :width].astype(np.float32) + 0.5
    centers = np.zeros((height, width), np.float32)
    offsets = np.zeros((2, height, width), np.float32)
    offset_weights = np.zeros((height, width), np.float32)
    ys, xs = np.nonzero(instances)
    numbers = instances[ys, xs]
    areas = np.bincount(numbers, minlength=256)
    sums_y, sums_x = np.bincount(numbers, ys + 0.5), np.bincount(numbers, xs + 0.5)
    for number in np.flatnonzero(areas >= _MIN_PIXELS):
        y, x = sums_y[number] / areas[number] / stride, sums_x[number] / areas[number] / stride
        _draw_peak(centers, y, x)
        mask = cells == number
        offsets[0][mask], offsets[1][mask] = y - rows[mask], x - columns[mask]
        offset_weights[mask] = 6 / np.sqrt(max(int(mask.sum()), 4))
    scale = np.sqrt(_SMALL_PX / np.maximum(areas, 1)).clip(1, _MAX_PIXEL_WEIGHT)
    pixel_weights = np.append(1, scale[1:]).astype(np.float32)[instances]
    known = instances_known(sample, things)[middle::stride, middle::stride] | (centers > 0.1)
    return Targets(
        classes, pixel_weights, centers, known.astype(np.float32), offsets, offset_weights
    )


def _draw_peak(centers: NDArray[np.float32], y: float, x: float) -> None:
    """Draw a Gaussian peak around a centre, with exactly 1 in the centre's cell."""
    radius = int(4 * _SIGMA)
    row, column = min(int(y), centers.shape[0] - 1), min(int(x), centers.shape[1] - 1)
    top, left = max(0, row - radius), max(0, column - radius)
    window = centers[top:row + radius + 1, left:column + radius + 1]
    rows = np.arange(window.shape[0])[:, None] + top + 0.5 - y
    columns = np.arange(window.shape[1])[None] + left + 0.5 - x
    bell = np.exp(-(rows ** 2 + columns ** 2) / (2 * _SIGMA ** 2)).astype(np.float32)
    np.maximum(window, bell, out=window)
    centers[row, column] = 1

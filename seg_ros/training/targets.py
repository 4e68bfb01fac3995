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

"""What the network should say of an image: classes, centres and offsets at a quarter size."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from seg_ros.training.sample import instances_known, TrainingSample

_SIGMA = 1.6    # of a centre's bump, in cells
_LEAST = 24     # pixels below which a visible rest is not asked for
_SMALL = 1200   # pixels below which a thing's class is asked for with more emphasis
_EMPHASIS = 2.5     # at most


@dataclass(frozen=True, eq=False)
class Targets:
    """
    What an image's outputs should be.

    :param classes: uint8 (H, W), channel numbers, `ABSENT` or `VOID`.
    :param emphasis: float32 (H, W), 1, and more on small things.
    :param centers: float32 (h, w), 1 at each centre, falling off around it.
    :param offsets: float32 (2, h, w), dy and dx from each cell's middle to its thing's centre.
    :param weights: float32 (h, w), 0 outside of things; small things weigh more a cell.
    :param known: float32 (h, w), 1 where it is known whether there is a centre, else 0.
    """

    classes: NDArray[np.uint8]
    emphasis: NDArray[np.float32]
    centers: NDArray[np.float32]
    offsets: NDArray[np.float32]
    weights: NDArray[np.float32]
    known: NDArray[np.float32]


def make_targets(sample: TrainingSample, things: NDArray[np.bool_], stride: int) -> Targets:
    """
    Derive all targets from what is known of an image.

    :param things: (C), which classes are things.
    """
    classes, instances = sample.classes, sample.instances
    height, width = classes.shape[0] // stride, classes.shape[1] // stride
    middle = stride // 2
    cells = instances[middle::stride, middle::stride]
    rows, columns = np.mgrid[:height, :width].astype(np.float32) + 0.5
    centers = np.zeros((height, width), np.float32)
    offsets = np.zeros((2, height, width), np.float32)
    weights = np.zeros((height, width), np.float32)
    ys, xs = np.nonzero(instances)
    numbers = instances[ys, xs]
    areas = np.bincount(numbers, minlength=256)
    sums_y, sums_x = np.bincount(numbers, ys + 0.5), np.bincount(numbers, xs + 0.5)
    for number in np.flatnonzero(areas >= _LEAST):
        y, x = sums_y[number] / areas[number] / stride, sums_x[number] / areas[number] / stride
        _bump(centers, y, x)
        mask = cells == number
        offsets[0][mask], offsets[1][mask] = y - rows[mask], x - columns[mask]
        weights[mask] = 6 / np.sqrt(max(int(mask.sum()), 4))
    scale = np.sqrt(_SMALL / np.maximum(areas, 1)).clip(1, _EMPHASIS).astype(np.float32)
    emphasis = np.append(np.float32(1), scale[1:])[instances]
    asked = instances_known(sample, things)[middle::stride, middle::stride] | (centers > 0.1)
    return Targets(classes, emphasis, centers, offsets, weights, asked.astype(np.float32))


def _bump(centers: NDArray[np.float32], y: float, x: float) -> None:
    """Raise the map to 1 in the cell of a centre, and around it as a bell."""
    reach = int(4 * _SIGMA)
    row, column = min(int(y), centers.shape[0] - 1), min(int(x), centers.shape[1] - 1)
    top, left = max(0, row - reach), max(0, column - reach)
    window = centers[top:row + reach + 1, left:column + reach + 1]
    rows = np.arange(window.shape[0])[:, None] + top + 0.5 - y
    columns = np.arange(window.shape[1])[None] + left + 0.5 - x
    bell = np.exp(-(rows ** 2 + columns ** 2) / (2 * _SIGMA ** 2)).astype(np.float32)
    np.maximum(window, bell, out=window)
    centers[row, column] = 1

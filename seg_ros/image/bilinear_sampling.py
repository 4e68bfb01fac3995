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

"""Bilinear sampling of a smaller map at the source's pixels."""

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from seg_ros.core.signature import Upsampling
from seg_ros.image.fit import Fit, Xyxy

Indices: TypeAlias = NDArray[np.intp]

_BLOCK = 128    # source indices interpolated by one matrix product


@dataclass(frozen=True, eq=False)
class AxisInterpolation:
    """
    The source's rows or columns as weighted sums of neighbouring ones in a smaller map.

    :param first: the map's index of each source index's first neighbour.
    :param weights: float32 (2 or 3, source indices), of the neighbours in order; they sum to 1.
    :param size: number of indices of the map; the last one stands for neighbours after it.
    """

    first: Indices
    weights: NDArray[np.float32]
    size: int

    @cached_property
    def nearest(self) -> Indices:
        """Return the map's index that weighs most at each source index, the last of equal ones."""
        return np.asarray(self.first + len(self.weights) - 1 - self.weights[::-1].argmax(axis=0))

    @cached_property
    def matrix(self) -> NDArray[np.float32]:
        """Return the weight of each map index at each source index, (source indices, size)."""
        matrix = np.zeros((len(self.first), self.size), np.float32)
        at = np.arange(len(self.first))
        for offset, weights in enumerate(self.weights):
            matrix[at, np.minimum(self.first + offset, self.size - 1)] += weights
        return matrix

    def reached(self, marked: NDArray[np.bool_]) -> NDArray[np.intp]:
        """
        Return the spans of source indices that marked indices of the map weigh in.

        :param marked: bool (n, size).
        :returns: (n, 2), the first and the one after the last; without any mark it means nothing.
        """
        first = marked.argmax(axis=1)
        last = self.size - 1 - marked[:, ::-1].argmax(axis=1)
        return np.stack([
            np.searchsorted(self.first, first + 1 - len(self.weights), 'left'),
            np.searchsorted(self.first, last, 'right'),
        ], axis=1)

    def apply(
        self, values: NDArray[np.float32], begin: int, end: int, start: int = 0
    ) -> NDArray[np.float32]:
        """
        Interpolate along the first axis, at source indices from `begin` up to but not `end`.

        Each block of source indices is a matrix product with the map indices around it, which
        takes fewer passes over the data than sums of neighbours.

        :param values: float32 (indices, n), values at the map's indices from `start`.
        """
        result = np.empty((end - begin, values.shape[1]), np.float32)
        for low in range(begin, end, _BLOCK):
            high = min(low + _BLOCK, end)
            near, far = self.first[low], self.first[high - 1] + len(self.weights)
            np.matmul(
                self.matrix[low:high, near:far], values[near - start:far - start],
                out=result[low - begin:high - begin],
            )
        return result


def interpolation_at(position: NDArray[Any], size: int) -> AxisInterpolation:
    """Return the interpolation at positions in `size` pixels, clamped; 0 is the first's centre."""
    position = np.clip(position, 0, size - 1)
    first = np.minimum(position.astype(np.intp), max(0, size - 2))
    weight = (position - first).astype(np.float32)
    return AxisInterpolation(first, np.stack([1 - weight, weight]), size)


@lru_cache(maxsize=128)
def row_and_column_interpolation(
    fit: Fit, size_hw: tuple[int, ...], rule: Upsampling = 'half_pixel', enlarged: bool = False
) -> tuple[AxisInterpolation, AxisInterpolation]:
    """
    Return how the source's rows and columns are interpolated in a map of the network's input.

    :param rule: how the map's pixels are aligned with the network's.
    :param enlarged: interpolate to the network's size and then to the source's, instead of
        directly. Results differ, and need a third neighbour, only where a source pixel lies
        between network pixels of different cells.
    """
    make = _by_way_of_network if enlarged else _direct
    return make(fit, size_hw, 0, rule), make(fit, size_hw, 1, rule)


def _direct(
    fit: Fit, size_hw: tuple[int, ...], axis: int, rule: Upsampling
) -> AxisInterpolation:
    slope, start = fit.grid(size_hw, axis, rule)
    return interpolation_at(slope * np.arange(fit.source_hw[axis]) + start, size_hw[axis])


def _by_way_of_network(
    fit: Fit, size_hw: tuple[int, ...], axis: int, rule: Upsampling
) -> AxisInterpolation:
    network = fit.network_hw[axis]
    same = Fit(fit.network_hw, fit.network_hw, fit.network_hw, (0, 0))
    inner = _direct(same, size_hw, axis, rule)
    outer = _direct(fit, fit.network_hw, axis, 'half_pixel')
    first = inner.first[outer.first]
    weights = np.zeros((3, len(first)), np.float32)
    at = np.arange(len(first))
    for offset, outer_weights in enumerate(outer.weights):
        index = np.minimum(outer.first + offset, network - 1)
        shift = inner.first[index] - first
        for step, inner_weights in enumerate(inner.weights):
            weights[shift + step, at] += outer_weights * inner_weights[index]
    used = weights if weights[2].any() else weights[:2]
    return AxisInterpolation(first, used, size_hw[axis])


def interpolated(
    small: NDArray[Any], rows: AxisInterpolation, columns: AxisInterpolation,
    xyxy: Xyxy | None = None,
) -> NDArray[np.float32]:
    """
    Interpolate bytes or floats bilinearly; columns first, since the map has fewer rows.

    :param xyxy: region of the source to return; None = all of it.
    :returns: float32 (rows, columns), not rounded, since rounding shifts a threshold by half a
        level.
    """
    x0, y0, x1, y1 = xyxy or (0, 0, len(columns.first), len(rows.first))
    top, bottom = rows.first[y0], rows.first[y1 - 1] + len(rows.weights)
    spread = columns.apply(small[top:bottom].T.astype(np.float32), x0, x1)
    return rows.apply(spread.T, y0, y1, top)

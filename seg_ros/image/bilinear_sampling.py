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
class Sampling:
    """
    Positions of the source's rows or columns in a smaller map.

    :param below: the map's index at or before each source index.
    :param weight: float32, weight of the map's next index, 0 to 1.
    :param size: number of indices of the map.
    """

    below: Indices
    weight: NDArray[np.float32]
    size: int

    @property
    def nearest(self) -> Indices:
        """Return the map's index closest to each source index."""
        return self.below + (self.weight >= 0.5)

    @cached_property
    def shares(self) -> NDArray[np.float32]:
        """Return the weight of each map index at each source index, (source indices, size)."""
        shares = np.zeros((len(self.below), self.size), np.float32)
        at = np.arange(len(self.below))
        shares[at, np.minimum(self.below + 1, self.size - 1)] = self.weight
        shares[at, self.below] += 1 - self.weight
        return shares

    def reached(self, marked: NDArray[np.bool_]) -> NDArray[np.intp]:
        """
        Return the spans of source indices that marked indices of the map weigh in.

        :param marked: bool (n, size).
        :returns: (n, 2), the first and the one after the last; without any mark it means nothing.
        """
        first = marked.argmax(axis=1)
        last = self.size - 1 - marked[:, ::-1].argmax(axis=1)
        return np.stack([
            np.searchsorted(self.below, first - 1, 'left'),
            np.searchsorted(self.below, last, 'right'),
        ], axis=1)

    def interpolated(
        self, values: NDArray[np.float32], first: int, last: int, begin: int = 0
    ) -> NDArray[np.float32]:
        """
        Interpolate along the first axis, at source indices from `first` up to but not `last`.

        Each block of source indices is a matrix product with the map indices around it, which
        takes fewer passes over the data than sums of neighbours.

        :param values: float32 (indices, n), values at the map's indices, starting at `begin`.
        """
        result = np.empty((last - first, values.shape[1]), np.float32)
        for low in range(first, last, _BLOCK):
            high = min(low + _BLOCK, last)
            start, stop = self.below[low], self.below[high - 1] + 2
            np.matmul(
                self.shares[low:high, start:stop], values[start - begin:stop - begin],
                out=result[low - first:high - first],
            )
        return result


def sampling_at(position: NDArray[Any], size: int) -> Sampling:
    """Return the sampling at positions in `size` pixels, clamped; 0 is the first's centre."""
    position = np.clip(position, 0, size - 1)
    below = np.minimum(position.astype(np.intp), max(0, size - 2))
    return Sampling(below, (position - below).astype(np.float32), size)


@lru_cache(maxsize=128)
def bilinear_sampling(
    fit: Fit, size_hw: tuple[int, ...], axis: int, rule: Upsampling = 'half_pixel'
) -> Sampling:
    """Return the sampling of the source's pixels in a map that spans the network's input."""
    slope, start = fit.grid(size_hw, axis, rule)
    return sampling_at(slope * np.arange(fit.source_hw[axis]) + start, size_hw[axis])


@dataclass(frozen=True, eq=False)
class Taps:
    """
    Rows or columns of the source as weighted sums of two or three neighbours in a smaller map.

    :param below: index of the first neighbour.
    :param weights: float32 (neighbours, source indices), which sum to 1.
    """

    below: Indices
    weights: NDArray[np.float32]


@lru_cache(maxsize=128)
def taps(fit: Fit, size_hw: tuple[int, ...], axis: int, rule: Upsampling, twice: bool) -> Taps:
    """
    Return the interpolation weights of the source's pixels in a map of the network's input.

    :param twice: interpolate to the network's size and then to the source's, instead of directly.
        Results differ, and need a third neighbour, only where a source pixel lies between network
        pixels of different cells.
    """
    if not twice:
        direct = bilinear_sampling(fit, size_hw, axis, rule)
        return Taps(direct.below, np.stack([1 - direct.weight, direct.weight]))
    network = fit.network_hw[axis]
    same = Fit(fit.network_hw, fit.network_hw, fit.network_hw, (0, 0))
    inner = bilinear_sampling(same, size_hw, axis, rule)
    outer = bilinear_sampling(fit, fit.network_hw, axis)
    after = np.minimum(outer.below + 1, network - 1)
    below = inner.below[outer.below]
    weights = np.zeros((3, len(below)), np.float32)
    at = np.arange(len(below))
    for index, share in ((outer.below, 1 - outer.weight), (after, outer.weight)):
        first = inner.below[index] - below
        weights[first, at] += share * (1 - inner.weight[index])
        weights[first + 1, at] += share * inner.weight[index]
    return Taps(below, weights if weights[2].any() else weights[:2])


def interpolated(
    small: NDArray[Any], rows: Sampling, columns: Sampling, xyxy: Xyxy | None = None
) -> NDArray[np.float32]:
    """
    Interpolate bytes or floats bilinearly; columns first, since the map has fewer rows.

    :param xyxy: region of the source to return; None = all of it.
    :returns: float32 (rows, columns), not rounded, since rounding shifts a threshold by half a
        level.
    """
    x0, y0, x1, y1 = xyxy or (0, 0, len(columns.below), len(rows.below))
    top, bottom = rows.below[y0], rows.below[y1 - 1] + 2
    spread = columns.interpolated(small[top:bottom].T.astype(np.float32), x0, x1)
    return rows.interpolated(spread.T, y0, y1, top)

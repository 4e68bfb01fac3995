"""Where the source's pixels lie among those of a smaller map, and bytes interpolated there."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from seg_ros.core.contract import Upsampling
from seg_ros.core.geometry import Fit

Indices = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Lattice:
    """
    Rows or columns of the source among those of a smaller map.

    :param below: the map's index at or before each source index.
    :param weight: float32, share of the index after it, 0 to 1.
    """

    below: Indices
    weight: NDArray[np.float32]

    @property
    def nearest(self) -> Indices:
        """Return the map's index closest to each source index."""
        return self.below + (self.weight >= 0.5)

    def span(self, first: int, last: int) -> 'Lattice':
        """Return the same for source indices from `first` to before `last`."""
        return Lattice(self.below[first:last], self.weight[first:last])


def lattice_at(position: NDArray[Any], size: int) -> Lattice:
    """Lay positions over `size` pixels, of which 0 is the first's centre, and clamp the others."""
    position = np.clip(position, 0, size - 1)
    below = np.minimum(position.astype(np.intp), max(0, size - 2))
    return Lattice(below, (position - below).astype(np.float32))


@lru_cache(maxsize=128)
def lattice(
    fit: Fit, size_hw: tuple[int, ...], axis: int, rule: Upsampling = 'half_pixel'
) -> Lattice:
    """Lay the source's pixel centres over a map of `size_hw` that spans the network's input."""
    slope, start = fit.grid(size_hw, axis, rule)
    return lattice_at(slope * np.arange(fit.source_hw[axis]) + start, size_hw[axis])


@dataclass(frozen=True, eq=False)
class Taps:
    """
    Rows or columns of the source as weighted sums of three neighbours in a smaller map.

    :param below: the first neighbour's index.
    :param weights: float32 (3, source indices), which sum to 1.
    :param wide: where the third neighbour weighs anything.
    """

    below: Indices
    weights: NDArray[np.float32]
    wide: NDArray[np.bool_]


@lru_cache(maxsize=128)
def taps(fit: Fit, size_hw: tuple[int, ...], axis: int, rule: Upsampling, twice: bool) -> Taps:
    """
    Say how the source's pixels are interpolated from a map that spans the network's input.

    :param twice: first to the network's size and from there to the source's, instead of directly.
        The two agree but where a source pixel lies between two network pixels of different cells.
    """
    if not twice:
        direct = lattice(fit, size_hw, axis, rule)
        none = np.zeros_like(direct.weight)
        weights = np.stack([1 - direct.weight, direct.weight, none])
        return Taps(direct.below, weights, none > 0)
    network = fit.network_hw[axis]
    same = Fit(fit.network_hw, fit.network_hw, fit.network_hw, (0, 0))
    inner = lattice(same, size_hw, axis, rule)
    outer = lattice(fit, fit.network_hw, axis)
    after = np.minimum(outer.below + 1, network - 1)
    below = inner.below[outer.below]
    weights = np.zeros((3, len(below)), np.float32)
    at = np.arange(len(below))
    for index, share in ((outer.below, 1 - outer.weight), (after, outer.weight)):
        first = inner.below[index] - below
        weights[first, at] += share * (1 - inner.weight[index])
        weights[first + 1, at] += share * inner.weight[index]
    return Taps(below, weights, weights[2] > 0)


def interpolated(small: NDArray[np.uint8], rows: Lattice, columns: Lattice) -> NDArray[np.int16]:
    """
    Interpolate bytes bilinearly: columns first, while there are few rows.

    16 bits hold the difference of two bytes times 128, at half the traffic of floats.

    :returns: int16 (rows, columns), 128ths of a level, true to about a quarter of a level. They
        are not rounded to levels: a threshold on rounded levels would cut half a level off.
    """
    first, last = rows.below[0], rows.below[-1] + 2
    low, step = _neighbours(small[first:last].astype(np.int16), columns.below, 1)
    step *= np.rint(128 * columns.weight).astype(np.int16)
    step += (low << 7) + 32
    step >>= 6
    low, step = _neighbours(step, rows.below - first, 0)
    step *= np.rint(64 * rows.weight[:, None]).astype(np.int16)
    step += low << 6
    return step


def _neighbours(
    values: NDArray[np.int16], below: Indices, axis: int
) -> tuple[NDArray[np.int16], NDArray[np.int16]]:
    """Return the values at `below` and the way to the ones after them."""
    low = values.take(below, axis=axis)
    step: NDArray[np.int16] = values.take(below + 1, axis=axis, mode='clip')
    step -= low
    return low, step

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

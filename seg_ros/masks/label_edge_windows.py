"""Windows of a small map, and the source's pixels that lie between their places."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from seg_ros.image.bilinear_sampling import Indices, Taps

Scores = NDArray[np.float32]


class _Runs(NamedTuple):
    """
    Source rows or columns by their first neighbour.

    :param sources: source indices, in order.
    :param first: where in `sources` those of each neighbour begin.
    :param many: how many they are.
    """

    sources: Indices
    first: Indices
    many: Indices


class Windows(NamedTuple):
    """
    Parts of a small map, between whose places source pixels lie.

    :param y: the first row (windows); so `x`.
    :param reach_yx: how many rows and columns of the map a window has.
    :param down: the source's rows; so `across`.
    """

    y: Indices
    x: Indices
    reach_yx: tuple[int, int]
    down: _Runs
    across: _Runs


class Strips(NamedTuple):
    """
    The source's pixels in some windows: strips one column wide.

    All arrays have the strips last: pixels that are near each other in memory follow each other.

    :param window: which of those windows, counted from 0, (strips).
    :param y: source rows (rows, strips); the last one again where a window has fewer.
    :param x: source columns (strips).
    :param row_weights: float32 (reach - 1, rows, strips), of all neighbours but the first.
    :param column_weights: float32 (reach - 1, strips).
    """

    window: Indices
    y: Indices
    x: Indices
    row_weights: Scores
    column_weights: Scores

    def interpolated(self, scores: Scores) -> Scores:
        """Interpolate scores (rows, columns, channels, windows), to (channels, rows, strips)."""
        near = scores.take(self.window, axis=3)
        across = _mean(near.swapaxes(0, 1), self.column_weights)
        return _mean(across[:, :, None], self.row_weights)


def _mean(values: Scores, weights: Scores) -> Scores:
    """
    Return a weighted mean.

    :param values: (reach, ...).
    :param weights: (reach - 1, ...), of all but the first: they sum to 1 with that one's.
    """
    first = values[0]
    total: Scores = first + (values[1] - first) * weights[0]
    for value, weight in zip(values[2:], weights[1:], strict=True):
        total += (value - first) * weight
    return total


def windows_in(
    mixed: NDArray[np.bool_], rows: Taps, columns: Taps, reach_yx: tuple[int, int]
) -> Windows:
    """
    Find the windows of one reach that cover a marked cell and have source pixels in them.

    :param mixed: bool (h - 1, w - 1), the marks of the cells between four places of the map.
    :param reach_yx: 2, or 3 for those source rows and columns that have a third neighbour.
    """
    down, across = (
        _runs(way, reach, size)
        for way, reach, size in zip((rows, columns), reach_yx, mixed.shape, strict=True)
    )
    if not (down.sources.size and across.sources.size):
        return Windows(down.sources[:0], down.sources[:0], reach_yx, down, across)
    marks = mixed.copy()
    if reach_yx[0] == 3:
        marks[:-1] |= mixed[1:]
    if reach_yx[1] == 3:
        marks[:, :-1] |= marks[:, 1:].copy()
    marks &= (down.many > 0)[:, None] & (across.many > 0)
    y, x = np.nonzero(marks)
    return Windows(y, x, reach_yx, down, across)


@lru_cache(maxsize=256)
def _runs(way: Taps, reach: int, size: int) -> _Runs:
    sources = np.flatnonzero(way.wide == (reach == 3))
    below = way.below[sources]
    first = np.searchsorted(below, np.arange(size))
    return _Runs(sources, first, np.searchsorted(below, np.arange(size), 'right') - first)


def strips_of(windows: Windows, those: Indices, rows: Taps, columns: Taps) -> Strips:
    """
    Lay out the source's pixels in some windows.

    :param those: numbers of windows.
    """
    (tall, broad), down, across = windows.reach_yx, windows.down, windows.across
    top, left = windows.y[those], windows.x[those]
    columns_each = across.many[left]
    window = np.repeat(np.arange(len(those)), columns_each)
    skipped = across.first[left] - (np.cumsum(columns_each) - columns_each)
    x = across.sources[np.arange(len(window)) + skipped[window]]
    most = np.arange(down.many.max())[:, None]
    y_of = down.sources.take(down.first + np.minimum(most, down.many - 1), mode='clip')
    row = top[window]
    return Strips(
        window, y_of.take(row, axis=1), x, rows.weights[1:tall, y_of].take(row, axis=2),
        columns.weights[1:broad, x],
    )

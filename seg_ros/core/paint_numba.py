"""One instance's pixels in a window of the source, compiled to machine code: the extra `fast`."""

from typing import Any

from numba import njit, types
import numpy as np

_INDICES, _WEIGHTS = types.Array(types.int64, 1, 'C'), types.Array(types.float32, 1, 'C')
_FIVE = types.UniTuple(types.int64, 5)  # type: ignore[no-untyped-call]
_SIGNATURES = [_FIVE(
    types.Array(types.uint8, 2, 'C', readonly=True), _INDICES, _WEIGHTS, _INDICES, _WEIGHTS,
    types.float32, types.float64, types.Array(types.boolean, 2, 'A'), types.boolean[:, ::1],
)]


@njit(nogil=True, cache=True)
def _spread_columns(small: Any, first: int, count: int, below: Any, weights: Any) -> Any:
    """
    Interpolate some rows of bytes along the columns.

    :returns: float32 (count, columns).
    """
    rows, columns = small.shape
    spread = np.empty((count, len(below)), np.float32)
    for number in range(count):
        row = min(first + number, rows - 1)
        for x in range(len(below)):
            low = np.float32(small[row, below[x]])
            after = np.float32(small[row, min(below[x] + 1, columns - 1)])
            spread[number, x] = low + (after - low) * weights[x]
    return spread


@njit(_SIGNATURES, nogil=True, cache=True)
def cut_window(
    small: Any, row_below: Any, row_weights: Any, column_below: Any, column_weights: Any,
    level: Any, visible: Any, free: Any, mask: Any,
) -> Any:
    """
    Set the pixels whose interpolated value exceeds a level, where no other instance has them.

    :param visible: share of the pixels that has to be free; `free` stays as it is otherwise.
    :param free: bool (rows, columns), what belongs to nobody; the pixels that are set are cleared.
    :param mask: bool of the same shape, written.
    :returns: how many are set, 0 where too few are free; x0, y0, x1, y1 of them.
    """
    first = row_below[0]
    spread = _spread_columns(
        small, first, row_below[-1] - first + 2, column_below, column_weights
    )
    whole, area = 0, 0
    height, width = mask.shape
    x0, y0, x1, y1 = width, height, 0, 0
    for y in range(height):
        low, after = spread[row_below[y] - first], spread[row_below[y] - first + 1]
        share, inside, left = row_weights[y], 0, 0
        for x in range(width):
            covered = low[x] + (after[x] - low[x]) * share > level
            mask[y, x] = covered & free[y, x]
            inside += covered
            left += mask[y, x]
        whole += inside
        area += left
        if left:
            y0, y1 = min(y0, y), y + 1
            x = 0
            while x < x0 and not mask[y, x]:
                x += 1
            x0 = min(x0, x)
            x = width
            while x > x1 and not mask[y, x - 1]:
                x -= 1
            x1 = max(x1, x)
    if not area or area < visible * whole:
        return 0, 0, 0, 0, 0
    for y in range(y0, y1):
        for x in range(x0, x1):
            free[y, x] ^= mask[y, x]
    return area, x0, y0, x1, y1

"""Class scores interpolated along label edges, compiled to machine code: the extra `fast`."""

from math import exp
from typing import Any

from numba import njit
import numpy as np

_SIGNATURES = [
    f'void({kind}[:, ::1], uint8[:, ::1], boolean, int32[:, ::1], float32[:, :, ::1], '
    f'{kind}[::1], int64[::1], float32[:, ::1], boolean[::1], int64[::1], float32[:, ::1], '
    'boolean[::1])'
    for kind in ('uint8', 'uint16')
]


@njit(nogil=True, cache=True)
def _mark_mixed(mixed: Any, labels: Any, top: int, tall: int) -> None:
    """Mark the windows of two and of three columns whose labels are not all one."""
    rows, columns = labels.shape
    for wide in range(2):
        for left in range(columns):
            first = labels[top, left]
            found = rows == 1 or columns == 1
            for down in range(tall):
                row = min(top + down, rows - 1)
                for right in range(2 + wide):
                    found = found or labels[row, min(left + right, columns - 1)] != first
            mixed[wide, left] = found


@njit(nogil=True, cache=True)
def _blend(out: Any, points: Any, column: int, top: int, weights: Any) -> None:
    """Blend the scores of one column's neighbours, float32 (C,)."""
    out[:] = 0
    last = points.shape[0] - 1
    for down in range(len(weights)):
        row = min(top + down, last)
        for channel in range(len(out)):
            out[channel] += weights[down] * points[row, column, channel]


@njit(nogil=True, cache=True)
def _best(scores: Any) -> int:
    best = 0
    for channel in range(1, len(scores)):
        if scores[channel] > scores[best]:
            best = channel
    return best


@njit(nogil=True, cache=True)
def _certainty(scores: Any, best: int) -> Any:
    """Return 255 times the winner's softmax probability."""
    odds = np.float32(0)
    for channel in range(len(scores)):
        odds += exp(scores[channel] - scores[best])
    return np.uint8(np.rint(255 / odds))


@njit(_SIGNATURES, nogil=True, cache=True)
def refine_edges(
    classes: Any, confidence: Any, lowers: bool, labels: Any, points: Any, ids: Any,
    row_below: Any, row_weights: Any, row_wide: Any,
    column_below: Any, column_weights: Any, column_wide: Any,
) -> None:
    """
    Do what `core.edges` does, pixel by pixel; columns of scores are blended once for each row.

    :param lowers: whether `confidence` is to be lowered; it may be any map otherwise.
    :param labels: int32 (h, w).
    :param points: float32 (h, w, C), scores of the channels that compete.
    :param ids: card id of each of these channels.
    """
    height, width = classes.shape
    columns, channels = points.shape[1:]
    blended = np.empty((columns, channels), np.float32)
    blended_for = np.full(columns, -1, np.int64)
    mixed = np.zeros((2, columns), np.bool_)
    scores = np.empty(channels, np.float32)
    seen = (-1, -1)
    for y in range(height):
        top, tall = row_below[y], 2 + row_wide[y]
        if (top, tall) != seen:
            seen = (top, tall)
            _mark_mixed(mixed, labels, top, tall)
        for x in range(width):
            left = column_below[x]
            if not mixed[int(column_wide[x]), left]:
                continue
            scores[:] = 0
            for right in range(2 + column_wide[x]):
                column = min(left + right, columns - 1)
                if blended_for[column] != y:
                    blended_for[column] = y
                    _blend(blended[column], points, column, top, row_weights[:tall, y])
                for channel in range(channels):
                    scores[channel] += column_weights[right, x] * blended[column, channel]
            best = _best(scores)
            classes[y, x] = ids[best]
            if lowers:
                confidence[y, x] = min(confidence[y, x], _certainty(scores, best))

"""Class scores interpolated along label edges, compiled to machine code: the extra `fast`."""

from math import exp
from typing import Any

from numba import njit, types
import numpy as np
from seg_ros.core.rivals_numba import BROAD, levels_of, locate, peaks, rivals, TALL

_INDICES, _TAPS = types.Array(types.int64, 1, 'C'), types.Array(types.float32, 2, 'C')
_FLAGS = types.Array(types.boolean, 1, 'C')
_SIGNATURES = [
    types.void(
        kind[:, ::1], types.uint8[:, ::1], types.boolean, types.int32[:, ::1],
        types.Array(types.float32, 3, 'C', readonly=True), kind[::1],
        _INDICES, _TAPS, _FLAGS, _INDICES, _TAPS, _FLAGS,
    )
    for kind in (types.uint8, types.uint16)
]
# A channel that is lower by this much everywhere lowers a share by less than one of 255 levels.
_FAINT = np.float32(6)


@njit(nogil=True, cache=True)
def _runs(below: Any, wide: Any, exact: bool) -> Any:
    """
    Find the runs of source indices that share their first neighbour.

    :param exact: whether those that have a third neighbour are parted from those that have none.
    :returns: int64 (runs, 4): first index, the one after the last, first neighbour, neighbours.
    """
    runs, count = np.empty((len(below), 4), np.int64), 0
    for index in range(len(below)):
        reach = 3 if wide[index] else 2
        if count and runs[count - 1, 2] == below[index]:
            before = runs[count - 1]
            if not exact or before[3] == reach:
                before[1], before[3] = index + 1, max(before[3], reach)
                continue
        runs[count] = index, index + 1, below[index], reach
        count += 1
    return runs[:count]


@njit(nogil=True, cache=True)
def _mixed(labels: Any) -> Any:
    """Mark the cells between four neighbours that are not all of one label, bool (h, w)."""
    rows, columns = labels.shape
    marks = np.zeros(labels.shape, np.bool_)
    marks[:] = rows == 1 or columns == 1
    for row in range(rows - 1):
        upper, lower = labels[row], labels[row + 1]
        for column in range(columns - 1):
            marks[row, column] |= (
                (upper[column] != upper[column + 1]) | (upper[column] != lower[column])
                | (upper[column] != lower[column + 1])
            )
    return marks


@njit(nogil=True, cache=True)
def _any(marks: Any, top: int, left: int, tall: int, broad: int) -> bool:
    """Tell whether any cell between the neighbours of a window is marked."""
    for down in range(tall - 1):
        for right in range(broad - 1):
            if marks[top + down, left + right]:
                return True
    return False


@njit(nogil=True, cache=True)
def _level(scores: Any, count: int, highest: Any) -> Any:
    """Return the share of the highest of some scores, uint8."""
    odds = np.float32(0)
    for rival in range(count):
        odds += exp(scores[rival] - highest)
    return np.uint8(np.rint(np.float32(255) / odds))


@njit(nogil=True, cache=True)
def _settle(
    classes: Any, confidence: Any, lowers: bool, near: Any, chosen: Any, count: int, ids: Any,
    row_weights: Any, column_weights: Any, rows: Any, columns: Any, blended: Any, scores: Any,
) -> None:
    """
    Let the chosen channels compete at each pixel of a window, in one function for the speed.

    :param rows: the run of the window's rows, as `_runs` gives it; so `columns`.
    :param blended: float32 (3, C), and `scores`, float32 (C): of use in here alone.
    """
    first_y, last_y, tall = rows[0], rows[1], rows[3]
    first_x, last_x, broad = columns[0], columns[1], columns[3]
    for y in range(first_y, last_y):
        for rival in range(count):
            for right in range(broad):
                total = row_weights[0, y] * near[right, rival]
                for down in range(1, tall):
                    total += row_weights[down, y] * near[broad * down + right, rival]
                blended[right, rival] = total
        for x in range(first_x, last_x):
            best, highest = 0, np.float32(-np.inf)
            for rival in range(count):
                score = column_weights[0, x] * blended[0, rival]
                for right in range(1, broad):
                    score += column_weights[right, x] * blended[right, rival]
                scores[rival] = score
                if score > highest:
                    best, highest = rival, score
            classes[y, x] = ids[chosen[best]]
            if lowers:
                confidence[y, x] = min(confidence[y, x], _level(scores, count, highest))


@njit(nogil=True, cache=True)
def _settle_two(
    classes: Any, confidence: Any, lowers: bool, near: Any, chosen: Any, ids: Any,
    row_weights: Any, column_weights: Any, rows: Any, columns: Any, ahead: Any,
) -> None:
    """
    Do the same for two channels, as nearly all windows have: the sign of their difference decides.

    :param ahead: float32 (9), of use in here alone.
    """
    first_y, last_y, tall = rows[0], rows[1], rows[3]
    first_x, last_x, broad = columns[0], columns[1], columns[3]
    for place in range(tall * broad):
        ahead[place] = near[place, 0] - near[place, 1]
    one_id, other_id = ids[chosen[0]], ids[chosen[1]]
    last = np.float32(0)
    for y in range(first_y, last_y):
        upper, lower = row_weights[0, y], row_weights[1, y]
        first = upper * ahead[0] + lower * ahead[broad]
        second = upper * ahead[1] + lower * ahead[broad + 1]
        if tall == 3:
            first += row_weights[2, y] * ahead[2 * broad]
            second += row_weights[2, y] * ahead[2 * broad + 1]
        if broad == 3:
            last = upper * ahead[2] + lower * ahead[5]
            if tall == 3:
                last += row_weights[2, y] * ahead[8]
        for x in range(first_x, last_x):
            lead = column_weights[0, x] * first + column_weights[1, x] * second
            if broad == 3:
                lead += column_weights[2, x] * last
            classes[y, x] = one_id if lead >= 0 else other_id
            if lowers:
                odds = np.float32(1) + exp(-abs(lead))
                certain = np.uint8(np.rint(np.float32(255) / odds))
                confidence[y, x] = min(confidence[y, x], certain)


@njit(_SIGNATURES, nogil=True, cache=True)
def refine_edges(
    classes: Any, confidence: Any, lowers: bool, labels: Any, logits: Any, ids: Any,
    row_below: Any, row_weights: Any, row_wide: Any,
    column_below: Any, column_weights: Any, column_wide: Any,
) -> None:
    """
    Do what `core.edges` does, window by window, with those channels that can win there.

    :param lowers: whether `confidence` is to be lowered; it may be any map otherwise.
    :param labels: int32 (h, w).
    :param logits: float32 (C, h, w).
    :param ids: card id by channel.
    """
    channels, height, width = logits.shape
    flat, flat_labels = logits.reshape(channels, height * width), labels.ravel()
    places = np.empty(9, np.int64)
    margin = _FAINT if lowers else np.float32(0)
    near, levels = np.empty((9, channels), np.float32), np.empty((10, 9), np.float32)
    chosen, scores = np.empty(channels, np.int64), np.empty(channels, np.float32)
    blended, ahead = np.empty((3, channels), np.float32), np.empty(9, np.float32)
    highest = peaks(logits)
    mixed = _mixed(labels)
    # A class is the same whatever lies around; a share is lowered beside differing labels only.
    row_runs = _runs(row_below, row_wide, lowers)
    column_runs = _runs(column_below, column_wide, lowers)
    for row_run in range(len(row_runs)):
        rows = row_runs[row_run]
        top, tall = rows[2], rows[3]
        for column_run in range(len(column_runs)):
            left, broad = column_runs[column_run, 2], column_runs[column_run, 3]
            if not _any(mixed, top, left, tall, broad):
                continue
            columns = column_runs[column_run]
            locate(places, height, width, top, left, tall, broad)
            several = levels_of(levels, flat_labels, flat, places, tall * broad)
            bottom, right = min(top + tall, height), min(left + broad, width)
            count = rivals(
                chosen, near, levels, several, flat, places, tall * broad, highest, top // TALL,
                left // BROAD, -(-bottom // TALL), -(-right // BROAD), margin,
            )
            if count == 2:
                _settle_two(
                    classes, confidence, lowers, near, chosen, ids,
                    row_weights, column_weights, rows, columns, ahead,
                )
            else:
                _settle(
                    classes, confidence, lowers, near, chosen, count, ids,
                    row_weights, column_weights, rows, columns, blended, scores,
                )

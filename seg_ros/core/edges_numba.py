"""Class scores interpolated along label edges, compiled to machine code: the extra `fast`."""

from math import exp
from typing import Any

from numba import njit, types
import numpy as np

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
# A score that is lower by this much everywhere adds nothing to a sum of 255 levels.
_FAINT = np.float32(12)


@njit(nogil=True, cache=True)
def _runs(below: Any, wide: Any, exact: bool) -> Any:
    """
    Return where the source indices begin that share their first neighbour, and the end.

    :param exact: whether those that have a third neighbour are parted from those that have none.
    """
    starts = [0]
    for index in range(1, len(below)):
        if below[index] != below[index - 1] or (exact and wide[index] != wide[index - 1]):
            starts.append(index)
    starts.append(len(below))
    return starts


@njit(nogil=True, cache=True)
def _is_mixed(labels: Any, top: int, left: int, tall: int, broad: int) -> Any:
    """Tell whether the labels of a window are not all one."""
    rows, columns = labels.shape
    first = labels[top, left]
    for down in range(tall):
        for right in range(broad):
            if labels[min(top + down, rows - 1), min(left + right, columns - 1)] != first:
                return True
    return rows == 1 or columns == 1


@njit(nogil=True, cache=True)
def _lay_out(strips: Any, held: Any, logits: Any, top: int) -> None:
    """
    Lay the scores of three rows out by pixel, each row once.

    The planes of a score map often lie a power of two apart, so that reading one pixel's scores
    where they are evicts its neighbours' from the caches.

    :param strips: float32 (3, w, C), written at the row's number modulo 3.
    :param held: int64 (3), which rows are there.
    """
    channels, rows, columns = logits.shape
    for row in range(top, min(top + 3, rows)):
        if held[row % 3] != row:
            held[row % 3] = row
            strip = strips[row % 3]
            for channel in range(channels):
                for column in range(columns):
                    strip[column, channel] = logits[channel, row, column]


@njit(nogil=True, cache=True)
def _without_lower(chosen: Any, count: Any, level: Any, near: Any, margin: Any) -> Any:
    """
    Drop the channels that lie below a level at all places, by more than a margin.

    :param chosen: int64 (C), of which the first `count` are looked at; what stays moves forward.
    :param level: float32 (places).
    :returns: how many stay.
    """
    kept = 0
    for index in range(count):
        channel = chosen[index]
        place = 0
        while place < len(near) and level[place] - near[place, channel] > margin:
            place += 1
        if place < len(near):
            chosen[kept] = channel
            kept += 1
    return kept


@njit(nogil=True, cache=True)
def _rivals(chosen: Any, levels: Any, near: Any, winners: Any, margin: Any) -> Any:
    """
    Choose the channels that can win between the places of a window.

    One cannot that lies below the mean of the winners at all places: where scores are mixed, the
    best of the winners is at least their mean. Nor can one that lies below one of the winners.

    :param chosen: int64 (C), written.
    :param levels: float32 (1 + places, places), of use in here alone.
    :param near: float32 (places, C).
    :param winners: the best channel of each place.
    :param margin: by which another has to be ahead.
    :returns: how many were chosen.
    """
    several = 0
    levels[0] = 0
    for place in range(len(near)):
        first = 0
        while winners[first] != winners[place]:
            first += 1
        if first == place:
            several += 1
            for other in range(len(near)):
                levels[several, other] = near[other, winners[place]]
                levels[0, other] += levels[several, other]
    levels[0] /= np.float32(several)
    count = near.shape[1]
    for channel in range(count):
        chosen[channel] = channel
    for level in range(several + 1):
        count = _without_lower(chosen, count, levels[level], near, margin)
    return count


@njit(nogil=True, cache=True)
def _settle(
    classes: Any, confidence: Any, lowers: bool, near: Any, rivals: Any, ids: Any,
    row_weights: Any, column_weights: Any, blended: Any, scores: Any,
) -> None:
    """
    Let the rivals compete at each pixel of a window, in one function for the sake of speed.

    :param classes: the window's part, and so `confidence`.
    :param row_weights: float32 (rows of neighbours, rows of pixels); columns likewise.
    :param blended: float32 (3, C), and `scores`, float32 (C): of use in here alone.
    """
    for y in range(row_weights.shape[1]):
        first, second, third = row_weights[0, y], row_weights[1, y], row_weights[2, y]
        for rival in range(len(rivals)):
            channel = rivals[rival]
            for right in range(3):
                blended[right, rival] = (
                    first * near[right, channel] + second * near[3 + right, channel]
                    + third * near[6 + right, channel]
                )
        for x in range(column_weights.shape[1]):
            first, second, third = column_weights[0, x], column_weights[1, x], column_weights[2, x]
            best, highest = 0, np.float32(-np.inf)
            for rival in range(len(rivals)):
                score = (
                    first * blended[0, rival] + second * blended[1, rival]
                    + third * blended[2, rival]
                )
                scores[rival] = score
                if score > highest:
                    best, highest = rival, score
            classes[y, x] = ids[rivals[best]]
            if lowers:
                odds = np.float32(0)
                for rival in range(len(rivals)):
                    odds += exp(scores[rival] - highest)
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
    channels = len(logits)
    margin = _FAINT if lowers else np.float32(0)
    strips = np.empty((3, logits.shape[2], channels), np.float32)
    held = np.full(3, -1)
    near, winners = np.empty((9, channels), np.float32), np.empty(9, np.int32)
    chosen, levels = np.empty(channels, np.int64), np.empty((10, 9), np.float32)
    blended, scores = np.empty((3, channels), np.float32), np.empty(channels, np.float32)
    # A class is the same whatever lies around; a share is lowered beside differing labels only.
    row_runs = _runs(row_below, row_wide, lowers)
    column_runs = _runs(column_below, column_wide, lowers)
    for row_run in range(len(row_runs) - 1):
        first_y, last_y = row_runs[row_run], row_runs[row_run + 1]
        top, tall = row_below[first_y], 3 if row_wide[first_y:last_y].any() else 2
        _lay_out(strips, held, logits, top)
        for column_run in range(len(column_runs) - 1):
            first_x, last_x = column_runs[column_run], column_runs[column_run + 1]
            left, broad = column_below[first_x], 3 if column_wide[first_x:last_x].any() else 2
            if not _is_mixed(labels, top, left, tall, broad):
                continue
            for down in range(3):
                row = min(top + down, labels.shape[0] - 1)
                for right in range(3):
                    column = min(left + right, labels.shape[1] - 1)
                    near[3 * down + right] = strips[row % 3, column]
                    winners[3 * down + right] = labels[row, column]
            count = _rivals(chosen, levels, near, winners, margin)
            _settle(
                classes[first_y:last_y, first_x:last_x],
                confidence[first_y:last_y, first_x:last_x], lowers, near, chosen[:count], ids,
                row_weights[:, first_y:last_y], column_weights[:, first_x:last_x],
                blended, scores,
            )

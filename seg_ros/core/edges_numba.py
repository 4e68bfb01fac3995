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
def _runs(below: Any, wide: Any) -> Any:
    """Return where the source indices begin that share their neighbours, and the end."""
    starts = [0]
    for index in range(1, len(below)):
        if below[index] != below[index - 1] or wide[index] != wide[index - 1]:
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
def _gather(near: Any, logits: Any, top: int, left: int, tall: int, broad: int) -> None:
    """Read the scores of a window, float32 (places, C)."""
    channels, rows, columns = logits.shape
    for channel in range(channels):
        for down in range(tall):
            row = min(top + down, rows - 1)
            for right in range(broad):
                column = min(left + right, columns - 1)
                near[down * broad + right, channel] = logits[channel, row, column]


@njit(nogil=True, cache=True)
def _best(scores: Any) -> int:
    best = 0
    for channel in range(1, len(scores)):
        if scores[channel] > scores[best]:
            best = channel
    return best


@njit(nogil=True, cache=True)
def _rivals(chosen: Any, near: Any, margin: Any) -> int:
    """
    Choose the channels that can win between the places of a window: no other is always ahead.

    :param chosen: int64 (C), written.
    :param near: float32 (places, C).
    :param margin: by which another has to be ahead.
    :returns: how many were chosen.
    """
    places, channels = near.shape
    chosen[:] = 1
    seen = -1
    for place in range(places):
        winner = _best(near[place])
        if winner == seen:
            continue
        seen = winner
        for channel in range(channels):
            other = 0
            while other < places and near[other, winner] > near[other, channel] + margin:
                other += 1
            if other == places:
                chosen[channel] = 0
    count = 0
    for channel in range(channels):
        if chosen[channel]:
            chosen[count] = channel
            count += 1
    return count


@njit(nogil=True, cache=True)
def _blend(blended: Any, near: Any, rivals: Any, weights: Any) -> None:
    """Blend the rows of a window: float32 (C, columns), the first of it for the rivals."""
    broad = len(near) // len(weights)
    for rival in range(len(rivals)):
        for right in range(broad):
            score = np.float32(0)
            for down in range(len(weights)):
                score += weights[down] * near[down * broad + right, rivals[rival]]
            blended[rival, right] = score


@njit(nogil=True, cache=True)
def _contest(
    scores: Any, count: int, blended: Any, column_weights: Any, x: int, broad: int
) -> int:
    """Blend the columns, write the rivals' scores of one pixel, and return which is highest."""
    best = 0
    for rival in range(count):
        score = np.float32(0)
        for right in range(broad):
            score += column_weights[right, x] * blended[rival, right]
        scores[rival] = score
        if score > scores[best]:
            best = rival
    return best


@njit(nogil=True, cache=True)
def _certainty(scores: Any, best: int) -> Any:
    """Return 255 times the winner's softmax probability."""
    odds = np.float32(0)
    for score in scores:
        odds += exp(score - scores[best])
    return np.uint8(np.rint(255 / odds))


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
    gathered = np.empty((9, channels), np.float32)
    chosen = np.empty(channels, np.int64)
    blended = np.empty((channels, 3), np.float32)
    scores = np.empty(channels, np.float32)
    row_runs, column_runs = _runs(row_below, row_wide), _runs(column_below, column_wide)
    for row_run in range(len(row_runs) - 1):
        first_y, last_y = row_runs[row_run], row_runs[row_run + 1]
        top, tall = row_below[first_y], 2 + row_wide[first_y]
        for column_run in range(len(column_runs) - 1):
            first_x, last_x = column_runs[column_run], column_runs[column_run + 1]
            left, broad = column_below[first_x], 2 + column_wide[first_x]
            if not _is_mixed(labels, top, left, tall, broad):
                continue
            near = gathered[:tall * broad]
            _gather(near, logits, top, left, tall, broad)
            count = _rivals(chosen, near, margin)
            rivals = chosen[:count]
            for y in range(first_y, last_y):
                _blend(blended, near, rivals, row_weights[:tall, y])
                for x in range(first_x, last_x):
                    best = _contest(scores, count, blended, column_weights, x, broad)
                    classes[y, x] = ids[rivals[best]]
                    if lowers:
                        certain = _certainty(scores[:count], best)
                        confidence[y, x] = min(confidence[y, x], certain)

"""Which channels can win between neighbouring scores, compiled to machine code: `fast`."""

from typing import Any

from numba import njit
import numpy as np

TALL, BROAD = 4, 16     # a tile, in rows and columns: a line of the cache is 16 scores


@njit(nogil=True, cache=True)
def peaks(logits: Any) -> Any:
    """
    Return the highest score of each channel in each tile, float32 (rows, columns, C).

    One pass over the scores in the order of memory, so that most channels are never looked up
    again, each in another line of the cache.
    """
    channels, rows, columns = logits.shape
    tiles = -(-rows // TALL), -(-columns // BROAD)
    found = np.empty((*tiles, channels), np.float32)
    crest = np.empty(tiles[1] * BROAD, np.float32)
    for channel in range(channels):
        for tile in range(tiles[0]):
            crest[:] = -np.inf
            for row in range(tile * TALL, min((tile + 1) * TALL, rows)):
                line = logits[channel, row]
                for column in range(columns):
                    crest[column] = max(crest[column], line[column])
            for place in range(tiles[1]):
                highest = crest[place * BROAD]
                for column in range(1, BROAD):
                    highest = max(highest, crest[place * BROAD + column])
                found[tile, place, channel] = highest
    return found


@njit(nogil=True, cache=True)
def locate(
    places: Any, rows: int, columns: int, top: int, left: int, tall: int, broad: int
) -> None:
    """Write where a window's neighbours lie in a map of so many rows that is laid flat."""
    place = 0
    for down in range(tall):
        row = min(top + down, rows - 1) * columns
        for right in range(broad):
            places[place] = row + min(left + right, columns - 1)
            place += 1


@njit(nogil=True, cache=True)
def levels_of(levels: Any, labels: Any, logits: Any, places: Any, count: int) -> int:
    """
    Note the scores of a window's winners, the best channels of its places, and their mean.

    :param levels: float32 (10, 9), written: the mean at each place, then each winner.
    :param labels: int32 (h * w).
    :param logits: float32 (C, h * w).
    :param places: of which `count` are the window's.
    :returns: how many winners there are.
    """
    several = 0
    for place in range(count):
        winner = labels[places[place]]
        first = 0
        while labels[places[first]] != winner:
            first += 1
        if first < place:
            continue
        several += 1
        for other in range(count):
            score = logits[winner, places[other]]
            levels[several, other] = score
            levels[0, other] = score + (levels[0, other] if several > 1 else np.float32(0))
    share = np.float32(1) / np.float32(several)
    for place in range(count):
        levels[0, place] *= share
    return several


@njit(nogil=True, cache=True)
def rivals(
    chosen: Any, near: Any, levels: Any, several: int, logits: Any, places: Any, count: int,
    highest: Any, top: int, left: int, bottom: int, right: int, margin: Any,
) -> int:
    """
    Choose the channels that can win between the places of a window.

    One cannot that lies below the mean of the winners at all places: where scores are mixed, the
    best of the winners is at least their mean. Nor can one that lies below one of the winners.

    :param chosen: int64 (C), written.
    :param near: float32 (9, C), written: the score of each that is chosen at each place.
    :param highest: of the tiles, in which the window ranges from `top`, `left` to before `bottom`,
        `right`.
    :param margin: by which another has to be ahead.
    :returns: how many were chosen.
    """
    lowest = levels[0, 0]
    for place in range(1, count):
        lowest = min(lowest, levels[0, place])
    found = 0
    for channel in range(len(logits)):
        peak = highest[top, left, channel]
        for row in range(top, bottom):
            for column in range(left, right):
                peak = max(peak, highest[row, column, channel])
        if lowest - peak <= margin:
            for place in range(count):
                near[place, found] = logits[channel, places[place]]
            if _can_win(near, found, levels, several, count, margin):
                chosen[found] = channel
                found += 1
    return found


@njit(nogil=True, cache=True)
def _can_win(
    near: Any, column: int, levels: Any, several: int, places: int, margin: Any
) -> bool:
    """Tell whether a channel reaches every level at one of the places at least."""
    for level in range(several + 1):
        place = 0
        while place < places and levels[level, place] - near[place, column] > margin:
            place += 1
        if place == places:
            return False
    return True

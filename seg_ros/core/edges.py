"""Class scores interpolated along the edges of labels only, where classes compete."""

from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from seg_ros.core.lattice import Indices, Taps
from seg_ros.core.segmentation import ClassMap

_CORNERS = ((0, 0), (0, 1), (1, 0), (1, 1))
_FAINT = 6.0    # a channel lower by this much lowers a share by less than one of 255 levels


def refine(
    classes: ClassMap, confidence: NDArray[np.uint8] | None, labels: NDArray[Any],
    logits: NDArray[Any], rows: Taps, columns: Taps, table: ClassMap,
) -> None:
    """
    Give the pixels between differing labels the class whose interpolated score is highest.

    Where two classes alone can win between their neighbours, these compete; elsewhere all that
    come first or second at any such place: one that does neither hardly wins between two places
    where it does not. The compiled form has all compete that can win.

    :param classes: card ids (H, W), written where labels differ.
    :param confidence: uint8 (H, W), lowered there to the winner's share.
    :param labels: channel indexes (h, w).
    :param logits: float (C, h, w).
    :param table: card id by channel.
    """
    compiled = prepare()
    if compiled is not None:
        compiled(
            classes, classes.view(np.uint8) if confidence is None else confidence,
            confidence is not None, labels.astype(np.int32),
            np.ascontiguousarray(logits, np.float32), table,
            rows.below, rows.weights, rows.wide, columns.below, columns.weights, columns.wide,
        )
        return
    mixed = _mixed(labels)
    if mixed.any():
        scores = np.asarray(logits, np.float32)
        _refine(classes, confidence, labels, scores, mixed, table, rows, columns)


@cache
def prepare() -> Callable[..., None] | None:
    """
    Load the compiled form, which takes some seconds when it is used for the first time.

    :returns: None where numba is not installed.
    """
    if find_spec('numba') is None:
        return None
    from seg_ros.core.edges_numba import refine_edges

    compiled: Callable[..., None] = refine_edges
    return compiled


class _Pixels(NamedTuple):
    """Source pixels between differing labels: their place in the map laid flat, row, column."""

    at: Indices
    y: Indices
    x: Indices

    def only(self, those: NDArray[np.bool_]) -> '_Pixels':
        """Return those that are marked."""
        return _Pixels(self.at[those], self.y[those], self.x[those])


class _Duels(NamedTuple):
    """
    The cells between four neighbours that are not all of one class, and who competes there.

    :param number: of each cell (h - 1, w - 1); it means nothing where all are of one class.
    :param only_two: bool (cells), whether no third channel can win.
    :param first: channel (cells), the lower one; so `second`.
    :param ahead: float32 (4, cells), the first one's score less the second one's.
    """

    number: NDArray[np.intp]
    only_two: NDArray[np.bool_]
    first: NDArray[np.intp]
    second: NDArray[np.intp]
    ahead: NDArray[np.float32]


def _refine(
    classes: ClassMap, confidence: NDArray[np.uint8] | None, labels: NDArray[Any],
    logits: NDArray[np.float32], mixed: NDArray[np.bool_], table: ClassMap, rows: Taps,
    columns: Taps,
) -> None:
    """Do so with numpy: all pixels of a kind at once."""
    at = np.flatnonzero(_touched(_touched(mixed, columns, 1), rows, 0))
    pixels = _Pixels(at, *np.divmod(at, classes.shape[1]))
    wide = rows.wide.take(pixels.y) | columns.wide.take(pixels.x)
    dual = np.zeros(len(at), bool)
    if 1 not in labels.shape:
        duels = _duels(logits, mixed, 0 if confidence is None else _FAINT)
        above = rows.below.take(pixels.y) * mixed.shape[1]
        cells = duels.number.take(above + columns.below.take(pixels.x))
        dual = duels.only_two.take(cells) & ~wide
        of_two = pixels.only(dual)
        winners, lead = _by_two(duels, cells[dual], of_two, rows, columns)
        classes.reshape(-1)[of_two.at] = table[winners]
        if confidence is not None:
            _lower(confidence, of_two.at, 1 + np.exp(-lead))
    present = _contenders(labels, logits, mixed)
    for those, reach in ((~wide & ~dual, 2), (wide, 3)):
        of_all = pixels.only(those)
        if not of_all.at.size:
            continue
        scores = _interpolated_scores(logits, present, rows, columns, of_all, reach)
        best = scores.argmax(axis=0)
        classes.reshape(-1)[of_all.at] = table[present[best]]
        if confidence is not None:
            scores -= scores[best, np.arange(len(best))]
            _lower(confidence, of_all.at, np.exp(scores, out=scores).sum(axis=0))


def _lower(confidence: NDArray[np.uint8], at: Indices, odds: NDArray[np.float32]) -> None:
    """
    Let no pixel be surer than its winner's share.

    :param odds: sum of e to the power of each score less the winner's.
    """
    flat = confidence.reshape(-1)
    flat[at] = np.minimum(flat[at], np.rint(255 / odds).astype(np.uint8))


def _duels(logits: NDArray[np.float32], mixed: NDArray[np.bool_], margin: float) -> _Duels:
    """
    Find the two classes of each cell.

    A third channel that lies below the mean of both at all four neighbours cannot win between
    them: where scores are mixed, the better of the two is at least their mean.

    :param margin: by which a third has to lie below.
    """
    y, x = np.nonzero(mixed)
    number = np.zeros(mixed.shape, np.intp)
    number[y, x] = at = np.arange(len(y))
    corners = np.stack([(y + down) * logits.shape[2] + x + right for down, right in _CORNERS])
    near = logits.reshape(len(logits), -1)[:, corners]      # (C, 4, cells)
    winners = near.argmax(axis=0)
    first, second = winners.min(axis=0), winners.max(axis=0)
    scores = near[first, :, at].T, near[second, :, at].T
    near[first, :, at] = near[second, :, at] = -np.inf
    behind = (near.max(axis=0) + margin < (scores[0] + scores[1]) / 2).all(axis=0)
    two = ((winners == first) | (winners == second)).all(axis=0)
    return _Duels(number, two & behind, first, second, scores[0] - scores[1])


def _by_two(
    duels: _Duels, cells: Indices, pixels: _Pixels, rows: Taps, columns: Taps
) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """Let the two classes of each pixel's cell compete; returns winners and by what they lead."""
    lead = np.zeros(len(cells), np.float32)
    for ahead, (down, right) in zip(duels.ahead, _CORNERS, strict=True):
        share = rows.weights[down].take(pixels.y) * columns.weights[right].take(pixels.x)
        lead += share * ahead.take(cells)
    winners = np.where(lead >= 0, duels.first.take(cells), duels.second.take(cells))
    return winners, abs(lead)


def _touched(mixed: NDArray[np.bool_], way: Taps, axis: int) -> NDArray[np.bool_]:
    """Spread the marks of mixed cells over the source pixels whose neighbours they lie between."""
    touched = mixed.take(way.below, axis=axis, mode='clip')
    after = mixed.take(way.below + 1, axis=axis, mode='clip')
    return np.asarray(touched | (after & (way.wide if axis else way.wide[:, None])))


def _interpolated_scores(
    logits: NDArray[np.float32], channels: NDArray[np.intp], rows: Taps, columns: Taps,
    pixels: _Pixels, reach: int,
) -> NDArray[np.float32]:
    """
    Sum up the neighbours' scores.

    :param channels: which are wanted.
    :param reach: neighbours a side, 2 or 3.
    :returns: float32 (channels, pixels).
    """
    _, height, width = logits.shape
    planes = logits.reshape(len(logits), -1)
    total = np.zeros((len(channels), len(pixels.at)), np.float32)
    for down in range(reach):
        row = (np.minimum(rows.below + down, height - 1) * width)[pixels.y]
        for right in range(reach):
            share = rows.weights[down, pixels.y] * columns.weights[right, pixels.x]
            at = row + np.minimum(columns.below + right, width - 1)[pixels.x]
            for sums, channel in zip(total, channels, strict=True):
                sums += planes[channel].take(at) * share
    return total


def _contenders(
    labels: NDArray[Any], logits: NDArray[Any], mixed: NDArray[np.bool_]
) -> NDArray[np.intp]:
    """Return the channels that come first or second beside a mixed cell."""
    beside = np.zeros(labels.shape, bool)
    height, width = mixed.shape
    for y, x in ((0, 0), (0, 1), (1, 0), (1, 1)):
        beside[y:y + height, x:x + width] |= mixed[:labels.shape[0] - y, :labels.shape[1] - x]
    first = labels[beside]
    scores = logits[:, beside]
    scores[first, np.arange(len(first))] = -np.inf
    return np.union1d(first, scores.argmax(axis=0)).astype(np.intp)


def _mixed(labels: NDArray[Any]) -> NDArray[np.bool_]:
    """Mark the cells between four neighbours that are not all of one class."""
    if 1 in labels.shape:
        return np.ones(tuple(max(1, side - 1) for side in labels.shape), bool)
    corner = labels[:-1, :-1]
    return np.asarray(
        (corner != labels[1:, :-1]) | (corner != labels[:-1, 1:]) | (corner != labels[1:, 1:])
    )

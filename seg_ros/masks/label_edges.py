"""Class scores interpolated along the edges of labels only, where classes compete."""

from collections.abc import Iterator
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from seg_ros.core.segmentation import ClassMap
from seg_ros.image.bilinear_sampling import Indices, Taps
from seg_ros.masks.label_edge_windows import Scores, Strips, strips_of, Windows, windows_in

_FAINT = 6.0    # a channel lower by this much lowers a share by less than one of 255 levels


def refine(
    classes: ClassMap, confidence: NDArray[np.uint8] | None, labels: NDArray[Any],
    logits: NDArray[Any], rows: Taps, columns: Taps, table: ClassMap,
) -> None:
    """
    Give the pixels between differing labels the class whose interpolated score is highest.

    :param classes: card ids (H, W), written where labels differ.
    :param confidence: uint8 (H, W), lowered there to the winner's share.
    :param labels: channel indexes (h, w), of the highest scores.
    :param logits: float (C, h, w).
    :param table: card id by channel.
    """
    scores = np.ascontiguousarray(logits, np.float32)
    mixed = _mixed(labels)
    for reach_yx in product((2, 3), (2, 3)):
        windows = windows_in(mixed, rows, columns, reach_yx)
        for contest in _contests(labels, scores, windows, 0 if confidence is None else _FAINT):
            strips = strips_of(windows, contest.windows, rows, columns)
            winners, odds = _settle(contest, strips, table, confidence is not None)
            at = (strips.y * classes.shape[1] + strips.x).reshape(-1)
            classes.reshape(-1)[at] = winners.reshape(-1)
            if confidence is not None:
                _lower(confidence.reshape(-1), at, odds.reshape(-1))


class _Contest(NamedTuple):
    """
    Windows in which equally many channels compete.

    :param windows: their numbers.
    :param channels: who competes, (channels, windows).
    :param scores: float32 (rows, columns, channels, windows).
    """

    windows: Indices
    channels: Indices
    scores: Scores


def _mixed(labels: NDArray[Any]) -> NDArray[np.bool_]:
    """Mark the cells between four neighbours that are not all of one class."""
    if 1 in labels.shape:
        return np.ones(tuple(max(1, side - 1) for side in labels.shape), bool)
    corner = labels[:-1, :-1]
    return np.asarray(
        (corner != labels[1:, :-1]) | (corner != labels[:-1, 1:]) | (corner != labels[1:, 1:])
    )


def _contests(
    labels: NDArray[Any], logits: Scores, windows: Windows, margin: float
) -> Iterator[_Contest]:
    """
    Find out who competes.

    A channel that is below the mean of the winners' scores at each place of a window cannot win
    between them: where scores are mixed, the best of the winners is at least their mean.

    :param margin: by which others have to lie below.
    """
    count, (height, width) = len(windows.y), labels.shape
    if not count:
        return
    ys, xs = (np.arange(reach)[:, None] for reach in windows.reach_yx)
    places = (
        np.minimum(windows.y + ys, height - 1)[:, None] * width
        + np.minimum(windows.x + xs, width - 1)
    ).reshape(-1, count)
    near = logits.reshape(len(logits), -1).take(places, axis=1)     # (C, places, windows)
    slots = np.arange(places.size).reshape(places.shape)
    winners = labels.reshape(-1).take(places).astype(np.intp)
    levels = near.reshape(-1).take(winners[:, None] * slots.size + slots).mean(axis=0)
    candidates = (near >= levels - np.float32(margin)).any(axis=1)
    channels = np.nonzero(candidates.T)[1]      # of one window after another
    several = candidates.sum(axis=0)
    before = np.cumsum(several) - several
    for rank in np.flatnonzero(np.bincount(several)):
        those = np.flatnonzero(several == rank)
        who = channels.take(before[those] + np.arange(rank)[:, None])
        scores = near.reshape(-1).take(who * slots.size + slots[:, None, those])
        yield _Contest(those, who, scores.reshape(*windows.reach_yx, *who.shape))


def _settle(
    contest: _Contest, strips: Strips, table: ClassMap, want_odds: bool
) -> tuple[ClassMap, Scores]:
    """
    Let the channels compete; two are settled by the sign of their difference.

    :returns: card ids (rows, strips); and where they are wanted, the odds: the sum of e to the
        power of each score less the winner's.
    """
    ids = table[contest.channels].take(strips.window, axis=1)
    if len(ids) == 2:
        lead = strips.interpolated(contest.scores[:, :, :1] - contest.scores[:, :, 1:])[0]
        winners = ids[1] + (lead >= 0) * (ids[0] - ids[1])
        return winners, 1 + np.exp(-abs(lead)) if want_odds else lead
    scores = strips.interpolated(contest.scores)
    best = scores.argmax(axis=0)
    winners = ids[best, np.arange(ids.shape[1])]
    if want_odds:
        scores -= scores.max(axis=0)
        scores = np.exp(scores, out=scores)
    return winners, scores.sum(axis=0)


def _lower(confidence: NDArray[np.uint8], at: Indices, odds: Scores) -> None:
    """Let no pixel be surer than its winner's share."""
    confidence[at] = np.minimum(confidence[at], np.rint(255 / odds).astype(np.uint8))

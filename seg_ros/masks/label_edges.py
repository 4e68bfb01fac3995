# Copyright 2026 seg_ros contributors
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.

"""Label edges refined by interpolating class scores, only where neighbouring labels differ."""

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from itertools import product
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from seg_ros.core.segmentation import ClassMap
from seg_ros.core.signature import Activation
from seg_ros.image.bilinear_sampling import Indices, Taps

Scores: TypeAlias = NDArray[np.float32]

# From scores (channels, ...) to the confidence of the highest, 0 to 255 (...).
_ConfidenceOf: TypeAlias = Callable[[Scores], Scores]

_FAINT = 6.0    # a logit lower by this much changes the confidence by less than 1 of 255


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


def refine(
    classes: ClassMap, confidence: NDArray[np.uint8] | None, labels: NDArray[Any],
    logits: NDArray[Any], rows: Taps, columns: Taps, table: ClassMap,
    activation: Activation = 'softmax',
) -> None:
    """
    Set the pixels between differing labels to the class of the highest interpolated score.

    :param classes: card ids (H, W), written where labels differ.
    :param confidence: uint8 (H, W), lowered there to the winner's share.
    :param labels: channel indexes (h, w), of the highest scores.
    :param logits: float (C, h, w).
    :param table: card id by channel.
    :param activation: what makes probabilities of scores, as `ModelSignature` has it.
    """
    confidence_of = None if confidence is None else _CONFIDENCE[activation]
    scores = np.ascontiguousarray(logits, np.float32)
    mixed = _mixed(labels)
    for reach_yx in product((2, 3), (2, 3)):
        windows = windows_in(mixed, rows, columns, reach_yx)
        for contest in _contests(labels, scores, windows, 0 if confidence is None else _FAINT):
            strips = strips_of(windows, contest.windows, rows, columns)
            winners, levels = _settle(contest, strips, table, confidence_of)
            at = (strips.y * classes.shape[1] + strips.x).reshape(-1)
            classes.reshape(-1)[at] = winners.reshape(-1)
            if confidence is not None and levels is not None:
                _lower(confidence.reshape(-1), at, levels.reshape(-1))


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
    contest: _Contest, strips: Strips, table: ClassMap, confidence_of: _ConfidenceOf | None
) -> tuple[ClassMap, Scores | None]:
    """
    Choose the channel of the highest score; of two, by the sign of their difference.

    :returns: card ids (rows, strips), and where it is wanted the winners' confidence, 0 to 255.
    """
    ids = table[contest.channels].take(strips.window, axis=1)
    if len(ids) == 2 and confidence_of in (None, _softmax_confidence):
        lead = strips.interpolated(contest.scores[:, :, :1] - contest.scores[:, :, 1:])[0]
        winners = ids[1] + (lead >= 0) * (ids[0] - ids[1])      # np.where takes longer
        return winners, _sigmoid(abs(lead)) if confidence_of else None
    scores = strips.interpolated(contest.scores)
    best = scores.argmax(axis=0)
    winners = ids[best, np.arange(ids.shape[1])]
    return winners, confidence_of(scores) if confidence_of else None


def _softmax_confidence(scores: Scores) -> Scores:
    levels: Scores = np.float32(255) / np.exp(scores - scores.max(axis=0)).sum(axis=0)
    return levels


def _sigmoid_confidence(scores: Scores) -> Scores:
    return _sigmoid(scores.max(axis=0))


def _sigmoid(score: Scores) -> Scores:
    levels: Scores = np.float32(255) / (1 + np.exp(-score))
    return levels


def _probability_confidence(scores: Scores) -> Scores:
    levels: Scores = 255 * np.clip(scores.max(axis=0), 0, 1)
    return levels


def _share_confidence(scores: Scores) -> Scores:
    levels: Scores = 255 * scores.max(axis=0) / np.maximum(scores.sum(axis=0), 1)
    return levels


_CONFIDENCE: Mapping[Activation, _ConfidenceOf] = {
    'softmax': _softmax_confidence, 'sigmoid': _sigmoid_confidence, 'share': _share_confidence,
    'none': _probability_confidence,
}


def _lower(confidence: NDArray[np.uint8], at: Indices, levels: Scores) -> None:
    """Limit the confidence of pixels to that of their winners."""
    confidence[at] = np.minimum(confidence[at], np.rint(levels).astype(np.uint8))

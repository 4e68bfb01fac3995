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
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from seg_ros.core.segmentation import ClassMap
from seg_ros.core.signature import Activation
from seg_ros.image.bilinear_sampling import AxisInterpolation, Indices

Scores: TypeAlias = NDArray[np.float32]

_FAINT = 6.0    # a logit lower by this much changes the confidence by less than 1 of 255


class _Spans(NamedTuple):
    """
    Source rows or columns that are interpolated from the same neighbours in the map.

    :param pixels: source indices (length, spans); the last one repeated in a shorter span.
    :param first: map index of the first neighbour, (spans).
    :param weights: float32 (neighbours, length, spans).
    """

    pixels: Indices
    first: Indices
    weights: Scores


@lru_cache(maxsize=256)
def _spans(axis: AxisInterpolation) -> _Spans:
    """Cut the rows or columns of the source into spans; those that a crop hides are split."""
    first = axis.first
    length = int(np.median(np.unique(first, return_counts=True)[1])) + 1
    since_change = np.arange(len(first)) - np.searchsorted(first, first)
    starts = np.flatnonzero(since_change % length == 0)
    ends = np.append(starts[1:], len(first))
    pixels = np.minimum(starts + np.arange((ends - starts).max())[:, None], ends - 1)
    return _Spans(pixels, first[starts], axis.weights[:, pixels])


def refine(
    classes: ClassMap, labels: NDArray[Any], logits: NDArray[Any], rows: AxisInterpolation,
    columns: AxisInterpolation, table: ClassMap, *, confidence: NDArray[np.uint8] | None = None,
    activation: Activation = 'softmax',
) -> None:
    """
    Set the pixels between differing labels to the class of the highest interpolated score.

    The pixels that share a span of rows and one of columns form a block. Blocks in which equally
    many channels can win are interpolated at once.

    :param classes: card ids (H, W), written where labels differ.
    :param labels: channel indexes (h, w) of the highest scores.
    :param logits: float (C, h, w).
    :param table: card id by channel.
    :param confidence: uint8 (H, W), lowered to the winner's where labels differ.
    :param activation: function from scores to probabilities, as in `ModelSignature`.
    """
    down, across = _spans(rows), _spans(columns)
    neighbours_yx = len(down.weights), len(across.weights)
    mixed = _mixed(labels, neighbours_yx)
    blocks_y, blocks_x = np.nonzero(mixed[down.first].take(across.first, axis=1))
    neighbours = _neighbour_indices(
        down.first[blocks_y], across.first[blocks_x], neighbours_yx, labels.shape
    )
    near = np.asarray(logits, np.float32).reshape(len(logits), -1).take(neighbours, axis=1)
    margin = 0.0 if confidence is None else _FAINT
    for blocks, channels in _candidates(near, labels.reshape(-1).take(neighbours), margin):
        y, x = blocks_y[blocks], blocks_x[blocks]
        scores = _interpolated(
            near[channels, :, blocks].transpose(2, 0, 1).reshape(*neighbours_yx, *channels.shape),
            down.weights[..., y], across.weights[..., x],
        )
        pixels = down.pixels[:, None, y], across.pixels[:, x]
        classes[pixels] = _winning_ids(table[channels], scores)
        if confidence is not None:
            levels = np.rint(_CONFIDENCE[activation](scores)).astype(np.uint8)
            confidence[pixels] = np.minimum(confidence[pixels], levels)


def _mixed(labels: NDArray[Any], neighbours_yx: tuple[int, int]) -> NDArray[np.bool_]:
    """Mark the map indexes whose following neighbours are not all of their class."""
    mixed = np.zeros(labels.shape, bool)
    for y, x in np.ndindex(neighbours_yx):
        later = labels[y:, x:]
        here = np.s_[:later.shape[0], :later.shape[1]]
        mixed[here] |= labels[here] != later
    return mixed


def _neighbour_indices(
    first_y: Indices, first_x: Indices, neighbours_yx: tuple[int, int], size_hw: tuple[int, ...]
) -> Indices:
    """Return the flat map indices of the neighbours of blocks, (neighbours, blocks)."""
    down, across = (np.arange(count) for count in neighbours_yx)
    y = np.minimum(first_y + down[:, None, None], size_hw[0] - 1)
    x = np.minimum(first_x + across[:, None], size_hw[1] - 1)
    return np.asarray((y * size_hw[1] + x).reshape(len(down) * len(across), len(first_y)))


def _candidates(
    near: Scores, labels: NDArray[Any], margin: float
) -> Iterator[tuple[Indices, Indices]]:
    """
    Find the channels that can win in each block.

    One whose score is below the mean of the winners' scores at each neighbour cannot win between
    them, since the best of these winners is at least at their mean everywhere.

    :param near: scores at the neighbours (C, neighbours, blocks).
    :param labels: channels of the highest of them (neighbours, blocks).
    :param margin: distance below the mean from which a channel cannot win.
    :returns: blocks with equally many such channels (n), and the channels (channels, n).
    """
    each_neighbour, each_block = np.ogrid[:labels.shape[0], :labels.shape[1]]
    means = near[labels[:, None], each_neighbour, each_block].mean(axis=0)
    can_win = (near >= means - np.float32(margin)).any(axis=1)
    counts = can_win.sum(axis=0)
    for count in np.unique(counts):
        blocks = np.flatnonzero(counts == count)
        yield blocks, np.nonzero(can_win[:, blocks].T)[1].reshape(-1, count).T


def _interpolated(near: Scores, row_weights: Scores, column_weights: Scores) -> Scores:
    """
    Interpolate scores in blocks.

    :param near: scores at the neighbours (neighbours in y, neighbours in x, channels, blocks).
    :param row_weights: (neighbours in y, rows, blocks); `column_weights` likewise.
    :returns: (channels, rows, columns, blocks).
    """
    lines = _weighted_sum(near.swapaxes(0, 1)[:, :, :, None], column_weights[:, None, None])
    return _weighted_sum(lines[:, :, None], row_weights[:, None, :, None])


def _weighted_sum(values: Scores, weights: Scores) -> Scores:
    total: Scores = values[0] * weights[0]
    for value, weight in zip(values[1:], weights[1:], strict=True):
        total += value * weight
    return total


def _winning_ids(ids: ClassMap, scores: Scores) -> ClassMap:
    """
    Return the id of the highest score, the first of equal ones.

    :param ids: (channels, blocks).
    :param scores: (channels, rows, columns, blocks).
    """
    highest = scores[0]
    winners = np.broadcast_to(ids[0], highest.shape)
    for other, score in zip(ids[1:], scores[1:], strict=True):
        winners = np.where(score > highest, other, winners)
        highest = np.maximum(highest, score)
    return winners


def _softmax(scores: Scores) -> Scores:
    levels: Scores = np.float32(255) / np.exp(scores - scores.max(axis=0)).sum(axis=0)
    return levels


def _sigmoid(scores: Scores) -> Scores:
    levels: Scores = np.float32(255) / (1 + np.exp(-scores.max(axis=0)))
    return levels


def _probability(scores: Scores) -> Scores:
    levels: Scores = 255 * np.clip(scores.max(axis=0), 0, 1)
    return levels


def _share(scores: Scores) -> Scores:
    levels: Scores = 255 * scores.max(axis=0) / np.maximum(scores.sum(axis=0), 1)
    return levels


# From scores (channels, ...) to the confidence of the highest, 0 to 255 (...).
_CONFIDENCE: Mapping[Activation, Callable[[Scores], Scores]] = {
    'softmax': _softmax, 'sigmoid': _sigmoid, 'share': _share, 'none': _probability,
}

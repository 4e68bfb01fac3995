"""Class scores interpolated along the edges of labels only, where classes compete."""

from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray
from seg_ros.core.lattice import Indices, Taps
from seg_ros.core.segmentation import ClassMap


def refine(
    classes: ClassMap, confidence: NDArray[np.uint8] | None, labels: NDArray[Any],
    logits: NDArray[Any], rows: Taps, columns: Taps, table: ClassMap,
) -> None:
    """
    Give the pixels between differing labels the class whose interpolated score is highest.

    Those classes compete that come first or second at any such place: one that does neither
    hardly wins between two places where it does not.

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
        present = _contenders(labels, logits, mixed)
        points = logits[present].transpose(1, 2, 0).astype(np.float32, order='C')
        _refine(classes, confidence, mixed, points, table[present], rows, columns)


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


def _refine(
    classes: ClassMap, confidence: NDArray[np.uint8] | None, mixed: NDArray[np.bool_],
    points: NDArray[np.float32], ids: ClassMap, rows: Taps, columns: Taps,
) -> None:
    """Do so with numpy: all pixels of a kind at once."""
    edge = np.flatnonzero(_touched(_touched(mixed, columns, 1), rows, 0))
    y, x = np.divmod(edge, classes.shape[1])
    wide = rows.wide[y] | columns.wide[x]
    for part, reach in ((~wide, 2), (wide, 3)):
        at = edge[part]
        scores = _interpolated_scores(points, rows, columns, (y[part], x[part]), reach)
        best = scores.argmax(axis=1)
        classes.reshape(-1)[at] = ids[best]
        if confidence is not None:
            scores -= np.take_along_axis(scores, best[:, None], axis=1)
            certain = 255 / (np.exp(scores, out=scores) @ np.ones(len(ids), np.float32))
            flat = confidence.reshape(-1)
            flat[at] = np.minimum(flat[at], np.rint(certain).astype(np.uint8))


def _touched(mixed: NDArray[np.bool_], way: Taps, axis: int) -> NDArray[np.bool_]:
    """Spread the marks of mixed cells over the source pixels whose neighbours they lie between."""
    touched = mixed.take(way.below, axis=axis, mode='clip')
    after = mixed.take(way.below + 1, axis=axis, mode='clip')
    return np.asarray(touched | (after & (way.wide if axis else way.wide[:, None])))


def _interpolated_scores(
    points: NDArray[np.float32], rows: Taps, columns: Taps, yx: tuple[Indices, Indices], reach: int
) -> NDArray[np.float32]:
    """
    Sum up the neighbours' scores.

    :param points: float32 (h, w, channels).
    :param reach: neighbours a side, 2 or 3.
    :returns: float32 (pixels, channels).
    """
    y, x = yx
    height, width, channels = points.shape
    flat = points.reshape(-1, channels)
    total = np.zeros((len(y), channels), np.float32)
    for down in range(reach):
        row = (np.minimum(rows.below + down, height - 1) * width)[y]
        for right in range(reach):
            share = rows.weights[down, y] * columns.weights[right, x]
            score = flat.take(row + np.minimum(columns.below + right, width - 1)[x], axis=0)
            score *= share[:, None]
            total += score
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

"""Masks mixed from prototypes, compiled to machine code: the extra `fast`."""

from math import exp
from typing import Any

from numba import njit, types
import numpy as np

_PLANES = types.Array(types.float32, 3, 'C', readonly=True)
_SIGNATURES = [types.void(
    types.uint8[:, :, ::1], types.Array(types.float32, 2, 'C', readonly=True), _PLANES,
    types.int64[::1], types.int64[:, ::1], types.boolean,
)]


@njit(_SIGNATURES, nogil=True, cache=True)
def mix_windows(
    masks: Any, coefficients: Any, prototypes: Any, slots: Any, windows: Any, probable: bool
) -> None:
    """
    Do what `engines.mixing` does, row by row.

    :param masks: uint8 (K, h, w), written.
    :param coefficients: float32 (K, P).
    :param prototypes: float32 (P, h, w).
    :param slots: which masks are to be mixed.
    :param windows: int64 (slots, 4), x0, y0, x1, y1 of each.
    :param probable: whether bytes mean 255 p, or 128 + 16 logit.
    """
    logits = np.empty(masks.shape[2], np.float32)
    for number in range(len(slots)):
        slot = slots[number]
        x0, y0, x1, y1 = windows[number]
        for y in range(y0, y1):
            row = logits[:x1 - x0]
            row[:] = 0
            for depth in range(len(prototypes)):
                weight, plane = coefficients[slot, depth], prototypes[depth, y, x0:x1]
                for x in range(len(row)):
                    row[x] += weight * plane[x]
            for x in range(len(row)):
                if probable:
                    level = 255 / (1 + exp(-row[x]))
                else:
                    level = min(max(row[x] * np.float32(16) + np.float32(128), 0), 255)
                masks[slot, y, x0 + x] = np.uint8(np.rint(level))

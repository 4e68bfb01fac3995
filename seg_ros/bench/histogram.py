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

"""Draws histograms of durations, one row for each set."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from seg_ros.core.whole_file import write_whole

WIDTH, ROW, MARGIN, BINS = 900, 110, 30, 120
BAR, MEDIAN, TAIL, INK = (180, 120, 40), (40, 140, 40), (40, 40, 200), (30, 30, 30)


def bars(samples_ms: Sequence[float], max_ms: float) -> NDArray[np.int64]:
    """Count durations in `BINS` bins from 0 to `max_ms`; longer ones go into the last bin."""
    clipped = np.minimum(samples_ms, np.nextafter(max_ms, 0))
    counts: NDArray[np.int64] = np.histogram(clipped, BINS, (0, max_ms))[0]
    return counts


def draw_histogram(sets_ms: Mapping[str, Sequence[float]], path: Path) -> None:
    """
    Write a PNG with a row for each set on a common scale: median green, 99th percentile red.

    :param sets_ms: durations in milliseconds by name, in the order of the rows.
    """
    max_ms = 1.05 * max(float(np.percentile(samples, 99.5)) for samples in sets_ms.values())
    canvas = np.full((ROW * len(sets_ms) + MARGIN, WIDTH, 3), 255, np.uint8)
    for index, (name, samples) in enumerate(sets_ms.items()):
        _draw_row(canvas[index * ROW:(index + 1) * ROW], name, samples, max_ms)
    for tick in np.linspace(0, max_ms, 7):
        place = (_x(tick, max_ms), len(canvas) - 10)
        cv2.putText(canvas, f'{tick:.0f} ms', place, cv2.FONT_HERSHEY_SIMPLEX, 0.45, INK, 1,
                    cv2.LINE_AA)
    write_whole(path, cv2.imencode('.png', canvas)[1].tobytes())


def _x(milliseconds: float, max_ms: float) -> int:
    return MARGIN + int((WIDTH - 3 * MARGIN) * min(milliseconds, max_ms) / max_ms)


def _draw_row(
    row: NDArray[np.uint8], name: str, samples_ms: Sequence[float], max_ms: float
) -> None:
    counts, floor = bars(samples_ms, max_ms), len(row) - 6
    for index, count in enumerate(counts):
        if count:
            top = floor - max(1, int((floor - 28) * count / counts.max()))
            left, right = (_x(max_ms * edge / BINS, max_ms) for edge in (index, index + 1))
            cv2.rectangle(row, (left, top), (max(left, right - 1), floor), BAR, -1)
    median, tail = np.percentile(samples_ms, (50, 99))
    for value, color in ((median, MEDIAN), (tail, TAIL)):
        cv2.line(row, (_x(value, max_ms), 24), (_x(value, max_ms), floor), color, 2)
    caption = f'{name}: median {median:.1f}, p99 {tail:.1f} ms, {len(samples_ms)} samples'
    cv2.putText(row, caption, (MARGIN, 17), cv2.FONT_HERSHEY_SIMPLEX, 0.5, INK, 1, cv2.LINE_AA)
    cv2.line(row, (MARGIN, floor), (WIDTH - MARGIN, floor), INK, 1)

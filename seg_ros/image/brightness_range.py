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

"""
Which 16-bit samples are black and white: cameras seldom fill all 16 bits.

Sensors of 10, 12 and 14 bits stand in the low bits of mono16, bayer_*16 and rgb16, and nothing in
a message says so. Thermal cameras give temperatures, such as hundredths of a kelvin, of which a
scene spans a few per cent.
"""

from collections.abc import Callable
from threading import Lock
from time import monotonic
from typing import Any

import numpy as np
from numpy.typing import NDArray
from seg_ros.core.settings import brightness_limits

BRIGHTEST_SAMPLE = 65535
DEPTHS_BITS = (8, 10, 12, 14, 16)
LEARNING_FRAMES = 10
# All pixels this many times as bright from one frame to the next: the camera's setting is another.
JUMP = 3
QUIET_S = 10.0
# Kelvins of a scene differ by less than a factor of two, brightness by far more.
ABSOLUTE_RATIO = 2
SHARES = (0.001, 0.5, 0.999)        # of pixels: what a dead one has is no measure
MARGIN = 0.05                       # of the span, so that not each frame widens it
_LOOKED_AT = 1 << 16                # pixels, enough for these shares

Report = Callable[[str], None]


def _silent(words: str) -> None:
    """Keep it."""


class BrightnessRange:
    """
    Black and white of one camera, of its samples' own unit.

    The automatic range begins with the first frame and only widens. Brightness reaches from 0 to
    the smallest usual depth that holds all samples. Where most of the first frames have their
    darkest and brightest samples within a factor of two, as temperatures do, the range is what
    they span, until the frames are otherwise for as long. It is learnt anew where the median
    jumps, as it does when a driver is given another pixel format.

    :param setting: `auto`, `full` or `LOW..HIGH`.
    :param report: called with a clause when the automatic range is found or another.
    :raises SettingError: if the setting cannot be used.
    """

    def __init__(self, setting: str = 'auto', report: Report = _silent) -> None:
        self._fixed = brightness_limits(setting)
        self.given = self._fixed is not None and setting != 'full'
        self._report = report
        self._lock = Lock()     # two workers may have frames of one camera
        self._reported: tuple[int, int] | None = None
        self._quiet_until_s = 0.0
        self._median = 0
        self._forget()

    def _forget(self) -> None:
        self._frames = self._narrow_frames = self._broad_in_a_row = 0
        self._bits = DEPTHS_BITS[0]
        self._span: tuple[int, int] | None = None
        self._absolute = False

    def limits(self, samples: NDArray[Any]) -> tuple[int, int]:
        """
        Return the samples that become 0 and 255.

        :param samples: uint16 of one frame, (H, W) or (H, W, channels); the range learns of them.
        """
        if self._fixed:
            return self._fixed
        with self._lock:
            self._learn(samples)
            thermal = self._absolute and self._span
            limits = thermal or (0, (1 << self._bits) - 1)
            kind = 'values as of a thermal camera' if thermal else f'{self._bits} bits'
            self._report_limits(limits, kind)
        return limits

    def _report_limits(self, limits: tuple[int, int], kind: str) -> None:
        now_s = monotonic()
        if limits == self._reported or now_s < self._quiet_until_s:
            return
        self._reported, self._quiet_until_s = limits, now_s + QUIET_S
        self._report(
            f'16-bit samples are read as {kind}: black is {limits[0]}, white {limits[1]}; '
            'brightness_range sets it otherwise'
        )

    def _learn(self, samples: NDArray[Any]) -> None:
        peak = int(samples.max())
        if not peak:    # a driver that is only starting
            return
        step = max(1, int((samples.size / _LOOKED_AT) ** 0.5))
        some = np.sort(samples[::step, ::step], axis=None)
        low, median, high = (int(some[int(share * (some.size - 1))]) for share in SHARES)
        darker, brighter = sorted((max(1, median), max(1, self._median)))
        if brighter > JUMP * darker:
            self._forget()
        self._median = median
        narrow = samples.ndim == 2 and ABSOLUTE_RATIO * low > high
        self._judge(narrow)
        if narrow:
            self._widen(low, high)
        self._bits = max(self._bits, *(
            bits for bits in DEPTHS_BITS if bits == DEPTHS_BITS[0] or peak >> (bits - 2)
        ))

    def _judge(self, narrow: bool) -> None:
        """Decide from the first frames; later only a row of broad ones decides otherwise."""
        if self._frames < LEARNING_FRAMES:
            self._frames += 1
            self._narrow_frames += narrow
            self._absolute = 2 * self._narrow_frames > self._frames
        self._broad_in_a_row = 0 if narrow else self._broad_in_a_row + 1
        self._absolute = self._absolute and self._broad_in_a_row < LEARNING_FRAMES

    def _widen(self, low: int, high: int) -> None:
        old_low, old_high = self._span or (low + 1, high - 1)
        margin = 1 + round(MARGIN * (max(high, old_high) - min(low, old_low)))
        self._span = (
            max(0, low - margin) if low < old_low else old_low,
            min(BRIGHTEST_SAMPLE, high + margin) if high > old_high else old_high,
        )

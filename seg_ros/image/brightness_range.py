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
Black and white levels of 16-bit samples, since cameras seldom use all 16 bits.

Sensors of 10, 12 and 14 bits use the low bits of mono16, bayer_*16 and rgb16, which messages do
not indicate. Thermal cameras publish temperatures, such as hundredths of a kelvin, and a scene
spans a few per cent of the range.
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
# If the median changes by this factor between frames, the camera's settings have changed.
JUMP = 3
QUIET_S = 10.0
# Temperatures of a scene in kelvins differ by less than a factor of two, brightness by far more.
ABSOLUTE_RATIO = 2
SHARES = (0.001, 0.5, 0.999)        # quantiles of the samples, robust against dead pixels
MARGIN = 0.05                       # of the span, so that not every frame widens it
_SAMPLED_PX = 1 << 16               # enough for these quantiles


def _silent(message: str) -> None:
    """Do nothing."""


class BrightnessRange:
    """
    Black and white levels of one camera, in units of its samples.

    The automatic range starts with the first frame and only widens. For brightness, it is 0 to the
    maximum of the smallest usual bit depth that holds all samples. If the darkest and brightest
    samples of most of the first frames are within a factor of two, as temperatures are, it is the
    range of these samples, until the same number of frames in a row differ. It is relearnt when
    the median jumps, as when a driver's pixel format is changed.

    :param setting: `auto`, `full` or `LOW..HIGH`.
    :param report: called with a message when the automatic range is found or changes.
    :raises SettingError: if the setting is invalid.
    """

    def __init__(self, setting: str = 'auto', report: Callable[[str], object] = _silent) -> None:
        self._fixed = brightness_limits(setting)
        self.given = self._fixed is not None and setting != 'full'
        self._report = report
        self._lock = Lock()     # two workers may process frames of one camera
        self._reported: tuple[int, int] | None = None
        self._quiet_until_s = 0.0
        self._median = 0
        self._reset()

    def _reset(self) -> None:
        self._frames = self._narrow_frames = self._broad_in_a_row = 0
        self._bits = DEPTHS_BITS[0]
        self._span: tuple[int, int] | None = None
        self._absolute = False

    def limits(self, samples: NDArray[Any]) -> tuple[int, int]:
        """
        Return the sample values that become 0 and 255.

        :param samples: uint16 (H, W) or (H, W, channels), one frame, which updates the range.
        """
        if self._fixed:
            return self._fixed
        with self._lock:
            self._learn(samples)
            thermal = self._absolute and self._span
            limits = thermal or (0, (1 << self._bits) - 1)
            kind = 'values of a thermal camera' if thermal else f'{self._bits} bits'
            self._report_limits(limits, kind)
        return limits

    def _report_limits(self, limits: tuple[int, int], kind: str) -> None:
        now_s = monotonic()
        if limits == self._reported or now_s < self._quiet_until_s:
            return
        self._reported, self._quiet_until_s = limits, now_s + QUIET_S
        self._report(
            f'16-bit samples are read as {kind}: black is {limits[0]}, white {limits[1]}; '
            'set brightness_range to change this'
        )

    def _learn(self, samples: NDArray[Any]) -> None:
        peak = int(samples.max())
        if not peak:    # a driver that is still starting
            return
        step = max(1, int((samples.size / _SAMPLED_PX) ** 0.5))
        some = np.sort(samples[::step, ::step], axis=None)
        low, median, high = (int(some[int(share * (some.size - 1))]) for share in SHARES)
        darker, brighter = sorted((max(1, median), max(1, self._median)))
        if brighter > JUMP * darker:
            self._reset()
        self._median = median
        narrow = samples.ndim == 2 and ABSOLUTE_RATIO * low > high
        self._judge(narrow)
        if narrow:
            self._widen(low, high)
        self._bits = max(self._bits, *(
            bits for bits in DEPTHS_BITS if bits == DEPTHS_BITS[0] or peak >> (bits - 2)
        ))

    def _judge(self, narrow: bool) -> None:
        """Decide from the first frames; later, only consecutive broad frames change it."""
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

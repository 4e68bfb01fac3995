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

"""Numeric command-line options with ranges."""

from argparse import ArgumentTypeError
from collections.abc import Callable
from math import inf
from typing import TypeVar

from seg_ros.core.frame import LONGEST_SIDE
from seg_ros.core.shown import shown

Number = TypeVar('Number', int, float)


def whole(low: int, high: int | None = None) -> Callable[[str], int]:
    """Return the argparse type of a whole number in a range."""
    limits = f'{low} or more' if high is None else f'{low} to {high}'
    return _checked(int, low, inf if high is None else high, f'a whole number, {limits}')


def number(low: float, high: float) -> Callable[[str], float]:
    """Return the argparse type of a number in a range."""
    return _checked(float, low, high, f'a number, {low:.9g} to {high:.9g}')


def _checked(
    kind: Callable[[str], Number], low: float, high: float, expected: str
) -> Callable[[str], Number]:
    def read(text: str) -> Number:
        try:
            value = kind(text)
        except ValueError:
            value = None
        if value is None or not low <= value <= high:
            raise ArgumentTypeError(f'{shown(text)}; expected {expected}')
        return value

    return read


SIDE = whole(1, LONGEST_SIDE)       # of an image, in pixels
SEED = whole(0, 2**32 - 1)          # valid for every random number generator
RATE_HZ = number(0.01, 1000)        # of a camera
SECONDS = number(1, 1e6)            # a duration

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

"""Captions on coloured plates that stay inside the image and do not overlap."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

import cv2
from seg_ros.core.card import Color
from seg_ros.core.frame import Pixels

_FONT = cv2.FONT_HERSHEY_SIMPLEX
_CAPITAL = 21  # pixels of a capital letter at scale 1
_DARK, _LIGHT = (24, 24, 24), (255, 255, 255)

Spot: TypeAlias = tuple[float, float, float]


@dataclass(frozen=True)
class Caption:
    """
    A text to be drawn on a plate.

    :param color: colour of the plate, rgb; the text is dark or light, whichever stands out.
    :param spots: places in the order of preference, as x, y and the share of the plate's height
        that is above y; the plate is centred on x. Later ones are computed only if the earlier
        are taken.
    """

    text: str
    color: Color
    spots: Iterable[Spot]


def letter_height(image_height: int) -> int:
    """Return the height of a capital letter in pixels: readable, and small in large images."""
    return max(8, round(image_height / 72))


def write_captions(drawn: Pixels, captions: Iterable[Caption]) -> None:
    """
    Write captions in the order given, each at the first of its spots that is free.

    A caption that finds no free spot, or is larger than the image, is left out.

    :param drawn: uint8 (H, W, 3), rgb; it is drawn upon.
    """
    taken: list[tuple[int, int, int, int]] = []
    for caption in captions:
        for xyxy in _plates(caption, drawn.shape[1], drawn.shape[0]):
            if not any(_overlap(xyxy, other) for other in taken):
                taken.append(xyxy)
                _write(drawn, caption, xyxy)
                break


def _style(height: int) -> tuple[float, int, int]:
    """Return the font's scale, the weight of its strokes and the margin around it, in pixels."""
    letter = letter_height(height)
    return letter / _CAPITAL, max(1, round(letter / 12)), round(letter / 2)


def _plates(caption: Caption, width: int, height: int) -> Iterator[tuple[int, int, int, int]]:
    """Yield x0, y0, x1, y1 of the plate at each spot, moved into the image."""
    scale, weight, margin = _style(height)
    text_width = cv2.getTextSize(caption.text, _FONT, scale, weight)[0][0]
    wide, high = text_width + 2 * margin, letter_height(height) + 2 * margin
    if wide > width or high > height:
        return
    for x, y, above in caption.spots:
        x0 = round(min(max(0, x - wide / 2), width - wide))
        y0 = round(min(max(0, y - above * high), height - high))
        yield x0, y0, x0 + wide, y0 + high


def _overlap(one: tuple[int, int, int, int], two: tuple[int, int, int, int]) -> bool:
    return one[0] < two[2] and two[0] < one[2] and one[1] < two[3] and two[1] < one[3]


def _write(drawn: Pixels, caption: Caption, xyxy: tuple[int, int, int, int]) -> None:
    scale, weight, margin = _style(len(drawn))
    x0, y0, x1, y1 = xyxy
    red, green, blue = caption.color
    dark = 0.299 * red + 0.587 * green + 0.114 * blue > 140
    cv2.rectangle(drawn, (x0, y0), (x1 - 1, y1 - 1), caption.color, cv2.FILLED)
    cv2.putText(
        drawn, caption.text, (x0 + margin, y1 - margin), _FONT, scale, _DARK if dark else _LIGHT,
        weight, cv2.LINE_AA,
    )

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

"""Read prompts from vision_msgs: boxes, points, and ids that persist between messages."""

from collections.abc import Collection, Sequence
from itertools import count
from math import cos, isfinite, sin
from typing import Any

from seg_ros.core.errors import PromptError
from seg_ros.core.prompts import Prompt, Xyxy
from seg_ros.core.segmentation import MAX_ID
from seg_ros.core.shown import shown

MAX_PROMPTS = 256      # read from one message; no network takes as many


class PromptReader:
    """
    Reads the prompt messages of one camera.

    Numeric ids are kept. Any other id gets a free number and keeps it for as long as every message
    contains the id. Detections without an id get free numbers in their order.
    """

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}      # by id in the last message

    def read(
        self, detections: Sequence[Any], taken: Collection[int] = ()
    ) -> tuple[list[Prompt], list[str]]:
        """
        Read vision_msgs Detection2D as boxes, or as points if they have no size.

        :param taken: ids in use elsewhere, which are not assigned.
        :returns: the valid prompts, and remarks for the log.
        """
        rows = detections[:MAX_PROMPTS]
        remarks = []
        if len(detections) > MAX_PROMPTS:
            remarks.append(f'{len(detections)} prompts; expected {MAX_PROMPTS} or fewer')
        before = self._numbers
        prompts: dict[int, Prompt] = {}
        numbers = self._numbered([row.id for row in rows], taken)
        for row, number in zip(rows, numbers, strict=True):
            try:
                if number in prompts:
                    raise PromptError(f'two prompts with the id {number}', 'an id for each')
                prompts[number] = Prompt(number, _corners(row.bbox), _class_name(row))
            except PromptError as error:
                remarks.append(str(error))
        remarks += [
            f'the prompt {shown(text)} gets the id {number}; segment ids are numbers from 1 to '
            f'{MAX_ID}' for text, number in self._numbers.items() if text not in before
        ]
        return list(prompts.values()), remarks

    def _numbered(self, texts: Sequence[str], taken: Collection[int]) -> list[int]:
        """Return each id as a number."""
        own = [_number(text) for text in texts]
        used = {*taken, *own}
        named = {text for text, number in zip(texts, own, strict=True) if text and not number}
        self._numbers = {
            text: number for text, number in self._numbers.items()
            if text in named and number not in used
        }
        used |= set(self._numbers.values())
        free = (number for number in count(1) if number not in used)
        numbers = []
        for text, number in zip(texts, own, strict=True):
            if text in named and text not in self._numbers:
                self._numbers[text] = next(free)
            numbers.append(number or self._numbers.get(text) or next(free))
        return numbers


def _number(text: str) -> int:
    """Return an id as a number; 0 if it is not a valid segment id."""
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0
    return number if number <= MAX_ID else 0


def _corners(bbox: Any) -> Xyxy:
    """
    Return the axis-aligned box around a rotated one.

    :raises PromptError: if its angle is not finite.
    """
    x, y, angle = bbox.center.position.x, bbox.center.position.y, bbox.center.theta
    if not isfinite(angle):
        raise PromptError(f'prompt rotated by {angle}', 'theta in radians')
    across, along = abs(cos(angle)), abs(sin(angle))
    half_x = (bbox.size_x * across + bbox.size_y * along) / 2
    half_y = (bbox.size_x * along + bbox.size_y * across) / 2
    return x - half_x, y - half_y, x + half_x, y + half_y


def _class_name(detection: Any) -> str:
    """Return the class of the first hypothesis, or an empty name."""
    return str(detection.results[0].hypothesis.class_id) if detection.results else ''

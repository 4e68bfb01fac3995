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

"""Prompts for promptable networks: the object in a box or at a point."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from seg_ros.core.card import ModelCard
from seg_ros.core.errors import PromptError, SettingError
from seg_ros.core.frame import LONGEST_SIDE
from seg_ros.core.segmentation import MAX_ID
from seg_ros.core.shown import shown

Xyxy: TypeAlias = tuple[float, float, float, float]


@dataclass(frozen=True)
class Prompt:
    """
    The prompt for one object.

    :param id: id of its segment, 1 to 65535.
    :param xyxy: box x0, y0, x1, y1 in source pixels, continuous edges; a point if both corners are
        equal.
    :param name: name of its class; empty = the card's first.
    :raises PromptError: if the id or the corners are invalid.
    """

    id: int
    xyxy: Xyxy
    name: str = ''

    def __post_init__(self) -> None:
        if not 0 < self.id <= MAX_ID:
            raise PromptError(f'prompt with the id {self.id}', f'an id from 1 to {MAX_ID}')
        x0, y0, x1, y1 = self.xyxy
        if not all(abs(side) <= LONGEST_SIDE for side in self.xyxy):    # false for NaN
            raise PromptError(f'prompt at {list(self.xyxy)}', 'pixels of the image')
        if x1 < x0 or y1 < y0 or (x1 == x0) != (y1 == y0):
            raise PromptError(
                f'prompt at {list(self.xyxy)}',
                'x0, y0, x1, y1 with x0 < x1 and y0 < y1, or a point with x0 = x1 and y0 = y1',
            )


def prompts_from_texts(texts: Sequence[str]) -> tuple[Prompt, ...]:
    """
    Parse prompts of parameters and options: `[NAME] X0 Y0 X1 Y1` or `[NAME] X Y`.

    :param texts: empty ones are ignored, since ROS has no empty lists of strings.
    :returns: prompts with ids from 1.
    :raises SettingError: with the text that cannot be parsed.
    """
    written = [text for text in texts if text.strip()]
    return tuple(_prompt(number, text) for number, text in enumerate(written, start=1))


def _prompt(number: int, text: str) -> Prompt:
    words = text.split()
    count = next((size for size in (4, 2) if _are_numbers(words[-size:], size)), 0)
    if not count:
        raise SettingError(
            f'prompts: {shown(text)}', '[NAME] X0 Y0 X1 Y1 or [NAME] X Y, in pixels'
        )
    x0, y0, *far = map(float, words[-count:])
    x1, y1 = far or (x0, y0)
    try:
        return Prompt(number, (x0, y0, x1, y1), ' '.join(words[:-count]))
    except PromptError as error:
        raise SettingError(f'prompts: {error.seen}', error.expected) from error


def _are_numbers(words: Sequence[str], count: int) -> bool:
    try:
        return len(list(map(float, words))) == count
    except ValueError:
        return False


def channel_of(prompt: Prompt, card: ModelCard) -> int:
    """
    Return the channel of a prompt's class.

    :raises CardError: if the card has no such class.
    """
    return min(card.channels_named([prompt.name])) if prompt.name else 0

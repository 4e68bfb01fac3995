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

"""The prompts of a camera, each of which follows its object."""

from collections.abc import Sequence
from dataclasses import replace
from threading import Lock

from seg_ros.core.frame import LONGEST_SIDE
from seg_ros.core.prompts import Prompt
from seg_ros.core.segmentation import Segmentation


class PromptMemory:
    """
    Prompts that follow their objects: the box of an object's mask is the next image's prompt.

    A prompt whose object is not found keeps its position, so that a covered object is matched when
    it reappears there. If the image size changes, prompts are scaled with it. Thread-safe: one
    thread may set prompts while workers update them.

    `unanswered` is the reason why prompts had no result in the last image; empty if all had one.
    """

    def __init__(self) -> None:
        self.unanswered = ''
        self._prompts: dict[int, Prompt] = {}
        self._size_hw: tuple[int, int] | None = None    # image size that the prompts refer to
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._prompts)

    def ask(self, prompts: Sequence[Prompt]) -> None:
        """Replace all prompts."""
        with self._lock:
            self._prompts = {prompt.id: prompt for prompt in prompts}
            self._size_hw = None

    def asked(self, size_hw: tuple[int, int]) -> tuple[Prompt, ...]:
        """
        Return the prompts for the next image.

        :param size_hw: size of that image.
        """
        with self._lock:
            if self._size_hw and self._size_hw != size_hw:
                y, x = (new / old for new, old in zip(size_hw, self._size_hw, strict=True))
                self._prompts = {
                    number: _scaled(prompt, (x, y, x, y))
                    for number, prompt in self._prompts.items()
                }
            self._size_hw = size_hw
            return tuple(self._prompts.values())

    def update(self, asked: Sequence[Prompt], segmentation: Segmentation) -> None:
        """
        Move the prompts whose objects were found.

        :param asked: prompts used for the image; those replaced since then are not moved.
        :param segmentation: masks of that image.
        """
        boxes = {segment.id: segment.xyxy for segment in segmentation.segments}
        with self._lock:
            for prompt in asked:
                if prompt.id in boxes and self._prompts.get(prompt.id) == prompt:
                    self._prompts[prompt.id] = replace(prompt, xyxy=boxes[prompt.id])


def _scaled(prompt: Prompt, scale: tuple[float, ...]) -> Prompt:
    """Scale a prompt to another image size; one that is far outside the image is unchanged."""
    x0, y0, x1, y1 = (side * by for side, by in zip(prompt.xyxy, scale, strict=True))
    far = max(map(abs, (x0, y0, x1, y1))) > LONGEST_SIDE
    return prompt if far else replace(prompt, xyxy=(x0, y0, x1, y1))

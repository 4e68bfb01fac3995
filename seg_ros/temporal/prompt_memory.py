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

"""What was asked of a camera's images, each prompt moving with its object."""

from collections.abc import Sequence
from dataclasses import replace
from threading import Lock

from seg_ros.core.frame import LONGEST_SIDE
from seg_ros.core.prompts import Prompt
from seg_ros.core.segmentation import Segmentation


class PromptMemory:
    """
    Prompts that follow their objects: the box of an object's mask is the next image's prompt.

    One that is not found in an image keeps its place, so that an object that was covered is found
    again where it was. Where the images change their size, prompts change with them, as if both
    showed the same view. Safe for the thread that sets prompts beside the workers.

    `unanswered` says why prompts got no answer in the last image; empty where all did.
    """

    def __init__(self) -> None:
        self.unanswered = ''
        self._prompts: dict[int, Prompt] = {}
        self._size_hw: tuple[int, int] | None = None    # of the images that they lie in
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._prompts)

    def ask(self, prompts: Sequence[Prompt]) -> None:
        """Ask for these from now on, and for no others."""
        with self._lock:
            self._prompts = {prompt.id: prompt for prompt in prompts}
            self._size_hw = None

    def asked(self, size_hw: tuple[int, int]) -> tuple[Prompt, ...]:
        """
        Return what is asked of the next image.

        :param size_hw: of that image.
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

    def update(self, asked: Sequence[Prompt], masks: Segmentation) -> None:
        """
        Move what was found.

        :param asked: what the image was asked for; what was set anew meanwhile stays.
        :param masks: of that image.
        """
        boxes = {segment.id: segment.xyxy for segment in masks.segments}
        with self._lock:
            for prompt in asked:
                if prompt.id in boxes and self._prompts.get(prompt.id) == prompt:
                    self._prompts[prompt.id] = replace(prompt, xyxy=boxes[prompt.id])


def _scaled(prompt: Prompt, scale: tuple[float, ...]) -> Prompt:
    """Return a prompt as another size of the images has it; far outside of them it stays."""
    x0, y0, x1, y1 = (side * by for side, by in zip(prompt.xyxy, scale, strict=True))
    far = max(map(abs, (x0, y0, x1, y1))) > LONGEST_SIDE
    return prompt if far else replace(prompt, xyxy=(x0, y0, x1, y1))

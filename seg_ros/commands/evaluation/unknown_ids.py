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

"""Pixels of the ground truth whose id is not a class of the data."""

from collections import Counter

from seg_ros.commands.evaluation.ground_truth import Example, Truth
from seg_ros.core.card import ModelCard
from seg_ros.core.errors import SettingError
from seg_ros.core.frame import Frame
from seg_ros.core.segmentation import Segmentation
from seg_ros.core.shown import few
from seg_ros.training.label_ids import text_from_ids

VOID = frozenset({255, 65535})      # the usual ids of void in 8-bit and 16-bit masks


class UnknownIds:
    """
    Counter of pixels whose id is not a class.

    :param card: of the data.
    """

    def __init__(self, card: ModelCard) -> None:
        self._card = card
        self._pixels = 0
        self._unknown: Counter[int] = Counter()

    def add(self, example: Example, frame: Frame, truth: Truth, found: Segmentation) -> None:
        """Count one image."""
        height, width = truth.segmentation.size_hw
        self._pixels += height * width
        self._unknown.update(truth.unknown)

    def text(self) -> str:
        """Return the ids and their shares of all pixels as text, the most frequent first."""
        fine = VOID | {self._card.unlabelled}
        return text_from_ids(
            {number: count for number, count in self._unknown.items() if number not in fine},
            self._pixels,
        )

    def check(self, judged: int) -> None:
        """
        Refuse data without any pixel that can be scored.

        :param judged: number of pixels that were scored.
        :raises SettingError: if it is 0, with the ids that were found instead.
        """
        if judged:
            return
        text = self.text()
        raise SettingError(
            f'masks of the ids {text}' if text else 'masks without any class that is scored',
            f'ids of {few([f"{item.id} {item.name}" for item in self._card.classes])}',
            'rewrite the masks with the ids of the card' if text else '',
        )

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

"""Pixel confusion matrix, and the mean intersection over union."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from seg_ros.core.card import ModelCard


class ConfusionMatrix:
    """
    Confusion matrix: pixel counts by true and predicted class, over any number of images.

    :param card: the classes to score. Pixels without a true class are ignored; those without a
        predicted class count as missed.
    """

    def __init__(self, card: ModelCard) -> None:
        self._ids = [item.id for item in card.classes]
        self._none = len(self._ids)
        self._number = np.full(card.unlabelled + 1, self._none, np.int32)
        self._number[self._ids] = np.arange(self._none)
        self.pixels = np.zeros((self._none + 1, self._none + 1), np.int64)

    def add(self, ground_truth: NDArray[Any], found: NDArray[Any]) -> None:
        """
        Count one image.

        :param ground_truth: class ids (H, W); `found` likewise.
        """
        rows, columns = self._number.take(ground_truth), self._number.take(found)
        pairs = rows * np.int32(self._none + 1) + columns
        counts = np.bincount(pairs.ravel(), minlength=self.pixels.size)
        self.pixels += counts.reshape(self.pixels.shape)

    def per_class(self) -> dict[int, float]:
        """Return the intersection over union per class that occurs, by class id."""
        judged = self.pixels[:-1]
        both = np.diag(judged)
        union = judged.sum(axis=1) + judged.sum(axis=0)[:-1] - both
        return {
            class_id: float(both[number] / union[number])
            for number, class_id in enumerate(self._ids) if union[number]
        }

    def fractions(self) -> dict[int, list[float]]:
        """
        Return the rows of the confusion matrix as fractions, by id of the classes that occur.

        :returns: fractions predicted as each class in the card's order, and finally as no class.
        """
        return {
            class_id: (row / row.sum()).tolist()
            for class_id, row in zip(self._ids, self.pixels[:-1], strict=True) if row.any()
        }

    def figures(self) -> dict[str, float | None]:
        """
        Return the mean intersections over union, and `accuracy`, the fraction of correct pixels.

        :returns: `miou` over the classes in the ground truth or the predictions, `miou_present`
            over those in the ground truth.
        """
        per_class = self.per_class()
        values = list(per_class.values())
        present = [per_class[class_id] for class_id in self.fractions()]
        judged = self.pixels[:-1]
        total = int(judged.sum())
        return {
            'miou': sum(values) / len(values) if values else None,
            'miou_present': sum(present) / len(present) if present else None,
            'accuracy': float(np.diag(judged).sum() / total) if total else None,
        }

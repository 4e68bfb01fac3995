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

"""Scores for each source of a data set."""

from typing import Any

from seg_ros.commands.evaluation.ground_truth import Example, Truth
from seg_ros.core.card import ModelCard
from seg_ros.core.frame import Frame
from seg_ros.core.segmentation import Segmentation
from seg_ros.metrics.scores import LiveScores


class BySource:
    """
    Scores of images, grouped by their source.

    :param card: of the scored classes.
    :param found_card: the same classes, with the network's task; see `LiveScores`.
    """

    def __init__(self, card: ModelCard, found_card: ModelCard) -> None:
        self._cards = card, found_card
        self._scores: dict[str, LiveScores] = {}
        self._images: dict[str, int] = {}

    def add(self, example: Example, frame: Frame, truth: Truth, found: Segmentation) -> None:
        """Score one image."""
        if not example.source:
            return
        scores = self._scores.setdefault(example.source, LiveScores(*self._cards))
        scores.add(truth.segmentation, found, truth.crowd)
        self._images[example.source] = self._images.get(example.source, 0) + 1

    def figures(self) -> dict[str, dict[str, Any]]:
        """Return `images`, `miou_present`, and IoU and recall of classes, by source."""
        return {
            source: {'images': self._images[source], **self._row(scores)}
            for source, scores in sorted(self._scores.items())
        }

    def _row(self, scores: LiveScores) -> dict[str, Any]:
        row: dict[str, Any] = {'miou_present': scores.confusion.figures()['miou_present']}
        for class_id, figures in sorted(scores.per_class().items()):
            name = self._cards[0].by_id[class_id].name
            row[f'{name}_iou'] = figures.get('iou')
            if 'recall_from_400' in figures:
                row[f'{name}_recall_from_400'] = figures['recall_from_400']
        return row

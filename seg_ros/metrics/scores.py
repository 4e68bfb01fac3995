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

"""Scores accumulated image by image: fast ones for live cameras, all for an evaluation."""

from dataclasses import replace
from typing import Any

import numpy as np
from seg_ros.core.card import ModelCard
from seg_ros.core.errors import ContractError
from seg_ros.core.segmentation import Segmentation
from seg_ros.metrics.boundary import Boundary
from seg_ros.metrics.class_agnostic import ClassAgnosticQuality
from seg_ros.metrics.confusion import ConfusionMatrix
from seg_ros.metrics.mask_ap import MaskAp
from seg_ros.metrics.overlap import overlap_of, partition_of
from seg_ros.metrics.panoptic_quality import PanopticQuality
from seg_ros.metrics.recall import RecallBySize

NONE: frozenset[int] = frozenset()


class LiveScores:
    """
    Panoptic quality, mean intersection over union and recall of objects.

    :param card: the classes to score; ground truth and masks use their ids. If its task is
        semantic, only classes are scored.
    :param found_card: the card of the network that is scored, with the same classes; a semantic
        network finds no instances. Defaults to `card`.
    """

    def __init__(self, card: ModelCard, found_card: ModelCard | None = None) -> None:
        self.card = card
        self.confusion = ConfusionMatrix(card)
        self.panoptic = PanopticQuality(card)
        self.objects = ClassAgnosticQuality()
        self.recall = RecallBySize(card)
        self._found_card = found_card or card

    def add(
        self, ground_truth: Segmentation, found: Segmentation, crowd: frozenset[int] = NONE
    ) -> None:
        """
        Score one image.

        :param ground_truth: has classes and instances; `found` likewise.
        :param crowd: ids of ground truth segments that are groups.
        :raises ContractError: if sizes differ or a map is missing.
        """
        if found.size_hw != ground_truth.size_hw:
            raise ContractError(
                f'masks of {found.size_hw}', f'{ground_truth.size_hw}, the ground truth'
            )
        self.confusion.add(ground_truth.part('classes'), found.part('classes'))
        if self.card.task == 'semantic':
            return
        overlap = overlap_of(
            partition_of(ground_truth, self.card), partition_of(found, self._found_card), crowd
        )
        self.panoptic.add(overlap)
        self.objects.add(overlap)
        self.recall.add(overlap)

    def figures(self) -> dict[str, float | int | None]:
        """Return `miou`, `accuracy` and, except for semantic cards, `pq`…, `object_recall`…."""
        if self.card.task == 'semantic':
            return {**self.confusion.figures()}
        objects = {f'object_{name}': value for name, value in self.objects.figures().items()}
        return {**self.confusion.figures(), **self.panoptic.figures(), **objects}

    def per_class(self) -> dict[int, dict[str, float]]:
        """Return `iou`, `pq`… and `recall_from_400`… per class that occurs, by class id."""
        rows: dict[int, dict[str, float]] = {
            class_id: {'iou': iou} for class_id, iou in self.confusion.per_class().items()
        }
        for part in (self.panoptic.per_class(), self.recall.per_class()):
            for class_id, row in part.items():
                rows.setdefault(class_id, {}).update(row)
        return rows


class Scores:
    """
    The live scores, contour accuracy, and, except for semantic cards, average precision.

    :param precision: whether to compute average precision.
    :raises SegError: if it is to be computed and pycocotools is not installed.
    """

    def __init__(
        self, card: ModelCard, found_card: ModelCard | None = None, precision: bool = True
    ) -> None:
        self._live = LiveScores(card, found_card)
        self._boundary = Boundary(card)
        self.confusion = self._live.confusion
        self._precision = MaskAp(card) if precision and card.task != 'semantic' else None

    def add(
        self, ground_truth: Segmentation, found: Segmentation, crowd: frozenset[int] = NONE
    ) -> None:
        """Score one image, as `LiveScores` does."""
        self._live.add(ground_truth, found, crowd)
        self._boundary.add(ground_truth.part('classes'), found.part('classes'))
        if self._precision:
            self._precision.add(ground_truth, _judged(found, ground_truth), crowd)

    def evaluate(self) -> tuple[dict[str, Any], dict[int, dict[str, float]]]:
        """Return the scores over all images by name, and the scores per class by class id."""
        figures = {**self._live.figures(), **self._boundary.figures()}
        per_class = self._live.per_class()
        for class_id, value in self._boundary.per_class().items():
            per_class.setdefault(class_id, {})['boundary_f'] = value
        if self._precision:
            whole, precision = self._precision.evaluate()
            figures |= whole
            for class_id, value in precision.items():
                per_class.setdefault(class_id, {})['ap'] = value
        return figures, per_class


def _judged(found: Segmentation, ground_truth: Segmentation) -> Segmentation:
    """
    Remove segments of which more than half has no ground truth.

    Panoptic quality ignores these by definition; COCO's average precision has no such rule.
    """
    if found.instances is None:
        return found
    unlabelled = ground_truth.part('classes') == ground_truth.unlabelled
    unknown = np.bincount(found.instances[unlabelled], minlength=65536)
    kept = tuple(item for item in found.segments if unknown[item.id] <= 0.5 * item.area)
    return replace(found, segments=kept)

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

"""Recall of instances by class and by size."""

import numpy as np
from seg_ros.core.card import ModelCard
from seg_ros.metrics.class_agnostic import recall_by_size
from seg_ros.metrics.overlap import Overlap
from seg_ros.metrics.panoptic_quality import matches


class RecallBySize:
    """
    Recall of instances over any number of images.

    An instance is found if a segment of the same class overlaps it with an IoU above 0.5.

    :param card: the classes to score.
    """

    def __init__(self, card: ModelCard) -> None:
        self._found: dict[int, list[bool]] = {item.id: [] for item in card.classes}
        self._sizes: dict[int, list[int]] = {item.id: [] for item in card.classes}

    def add(self, overlap: Overlap) -> None:
        """Count one image."""
        found = np.asarray(matches(overlap).any(axis=1))
        for row in np.flatnonzero(overlap.ground_truth.is_instance & ~overlap.crowd):
            class_id = int(overlap.ground_truth.classes[row])
            self._found[class_id].append(bool(found[row]))
            self._sizes[class_id].append(int(overlap.true_area[row]))

    def per_class(self) -> dict[int, dict[str, float]]:
        """
        Return recall and count by size for each class with instances, by class id.

        :returns: `recall_from_400`, `count_from_400` etc. for the sizes that occur, in visible
            pixels at the image's own size.
        """
        return {
            class_id: _by_size(sizes, self._found[class_id])
            for class_id, sizes in self._sizes.items() if sizes
        }


def _by_size(sizes: list[int], found: list[bool]) -> dict[str, float]:
    figures: dict[str, float] = {}
    for name, recall, count in recall_by_size(sizes, found):
        if recall is not None:
            figures |= {f'recall_{name}': recall, f'count_{name}': count}
    return figures

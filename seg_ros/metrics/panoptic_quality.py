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

"""
Panoptic quality: one measure of how well segments match, for things and stuff.

Reference: A. Kirillov et al., Panoptic Segmentation, CVPR 2019, sections 4.1 to 4.3.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from seg_ros.core.card import ModelCard
from seg_ros.metrics.overlap import Overlap

MATCH_IOU = 0.5  # matches above this IoU are unique


@dataclass
class Tally:
    """
    True positives, false positives and false negatives of one class.

    :param iou: sum of the IoU of all matches.
    """

    iou: float = 0.0
    tp: int = 0
    fp: int = 0
    fn: int = 0

    @property
    def occurs(self) -> bool:
        """Whether the class is in the ground truth or the predictions."""
        return self.tp + self.fp + self.fn > 0

    def figures(self) -> dict[str, float]:
        """Return `pq`, `sq` and `rq`, each 0 to 1; pq = sq * rq."""
        rq = self.tp / max(0.5, self.tp + 0.5 * self.fp + 0.5 * self.fn)
        sq = self.iou / max(1, self.tp)
        return {'pq': sq * rq, 'sq': sq, 'rq': rq}


def matches(overlap: Overlap, same_class: bool = True) -> NDArray[np.bool_]:
    """Return the matching pairs of segments, bool (true, predicted)."""
    matched = (overlap.iou > MATCH_IOU) & ~overlap.crowd[:, None]
    if same_class:
        matched &= overlap.ground_truth.classes[:, None] == overlap.found.classes
    return np.asarray(matched)


def unjudged(overlap: Overlap, same_class: bool = True) -> NDArray[np.bool_]:
    """Mark predicted segments of which more than half has no ground truth, bool (predicted,)."""
    crowd = np.repeat(overlap.crowd[:, None], len(overlap.found.ids), axis=1)
    if same_class:
        crowd &= overlap.ground_truth.classes[:, None] == overlap.found.classes
    unknown = overlap.pixels[0] + np.where(crowd, overlap.pixels, 0).sum(axis=0)
    return np.asarray(unknown > 0.5 * overlap.found_area)


class PanopticQuality:
    """
    Panoptic quality over any number of images.

    :param card: the classes to score.
    """

    def __init__(self, card: ModelCard) -> None:
        self._card = card
        self.tallies: Mapping[int, Tally] = {item.id: Tally() for item in card.classes}

    def add(self, overlap: Overlap) -> None:
        """Count one image."""
        matched = matches(overlap)
        missed = ~matched.any(axis=1) & ~overlap.crowd
        wrong = ~matched.any(axis=0) & ~unjudged(overlap)
        for true, found in np.argwhere(matched):
            tally = self.tallies[int(overlap.ground_truth.classes[true])]
            tally.tp += 1
            tally.iou += float(overlap.iou[true, found])
        for class_id in overlap.ground_truth.classes[missed][1:].tolist():
            self.tallies[class_id].fn += 1
        for class_id in overlap.found.classes[1:][wrong[1:]].tolist():
            self.tallies[class_id].fp += 1

    def figures(self) -> dict[str, float | None]:
        """
        Return the means over the classes that occur: all of them, things, and stuff.

        :returns: `pq`, `sq`, `rq`, and the same with `_things` and `_stuff`; None if no such class
            occurs.
        """
        groups = {
            '': self._card.classes,
            '_things': [item for item in self._card.classes if item.thing],
            '_stuff': [item for item in self._card.classes if not item.thing],
        }
        return {
            f'{name}{suffix}': value
            for suffix, classes in groups.items()
            for name, value in _mean(self.tallies[item.id] for item in classes).items()
        }

    def per_class(self) -> dict[int, dict[str, float]]:
        """Return `pq`, `sq` and `rq` per class that occurs, by class id."""
        return {
            class_id: tally.figures() for class_id, tally in self.tallies.items() if tally.occurs
        }


def _mean(tallies: Iterable[Tally]) -> dict[str, float | None]:
    rows = [tally.figures() for tally in tallies if tally.occurs]
    return {
        name: sum(row[name] for row in rows) / len(rows) if rows else None
        for name in ('pq', 'sq', 'rq')
    }

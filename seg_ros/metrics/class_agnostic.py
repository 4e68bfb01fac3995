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

"""Class-agnostic recall and precision of objects, by size."""

from collections.abc import Iterator, Sequence

import numpy as np
from seg_ros.metrics.overlap import Overlap
from seg_ros.metrics.panoptic_quality import matches, Tally, unjudged

# Name, minimum and exclusive maximum of visible pixels, at the image's own size.
SIZES = (
    ('under_400', 0, 400), ('400_to_2500', 400, 2501), ('over_2500', 2501, np.inf),
    ('from_400', 400, np.inf),
)


class ClassAgnosticQuality:
    """Instances matched by overlap regardless of class, over any number of images."""

    def __init__(self) -> None:
        self.tally = Tally()
        self._sizes: list[int] = []
        self._hits: list[bool] = []

    def add(self, overlap: Overlap) -> None:
        """Count one image."""
        ground_truth, found = overlap.ground_truth.is_instance, overlap.found.is_instance
        matched = np.asarray(matches(overlap, same_class=False) & ground_truth[:, None] & found)
        counted = ground_truth & ~overlap.crowd
        hits = np.asarray(matched.any(axis=1))[counted]
        wrong = found & ~matched.any(axis=0) & ~unjudged(overlap, same_class=False)
        self.tally.tp += int(hits.sum())
        self.tally.fn += int((~hits).sum())
        self.tally.fp += int(wrong.sum())
        self.tally.iou += float(overlap.iou[matched].sum())
        self._sizes += overlap.true_area[counted].tolist()
        self._hits += hits.tolist()

    def figures(self) -> dict[str, float | int | None]:
        """Return `pq`, `sq`, `rq`, `precision`, `recall`, and recall and count by size."""
        figures: dict[str, float | int | None] = dict(self.tally.figures())
        figures['precision'] = _ratio(self.tally.tp, self.tally.tp + self.tally.fp)
        figures['recall'] = _ratio(self.tally.tp, len(self._hits))
        for name, recall, count in recall_by_size(self._sizes, self._hits):
            figures |= {f'recall_{name}': recall, f'count_{name}': count}
        return figures


def recall_by_size(
    sizes: Sequence[int], hits: Sequence[bool]
) -> Iterator[tuple[str, float | None, int]]:
    """
    Yield the name of each of `SIZES`, the recall of the objects of that size, and their number.

    :param sizes: visible pixels of each object.
    :param hits: whether each object was found.
    :returns: recall is None if there is no object of that size.
    """
    pixels, found = np.array(sizes), np.array(hits, bool)
    for name, low, high in SIZES:
        inside = (pixels >= low) & (pixels < high)
        count = int(inside.sum())
        yield name, _ratio(int(found[inside].sum()), count), count


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None

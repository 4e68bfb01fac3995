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

import numpy as np
from seg_ros.metrics.overlap import Overlap
from seg_ros.metrics.panoptic_quality import matches, Tally, unjudged

# Name, minimum and exclusive maximum of visible pixels, at the image's own size.
SIZES = (
    ('under_400', 0, 400), ('400_to_2500', 400, 2501), ('over_2500', 2501, np.inf),
    ('from_400', 400, np.inf),
)


class Objects:
    """Instances matched by overlap regardless of class, over any number of images."""

    def __init__(self) -> None:
        self.tally = Tally()
        self._sizes: list[int] = []
        self._hits: list[bool] = []

    def add(self, overlap: Overlap) -> None:
        """Count one image."""
        truth, found = overlap.truth.is_instance, overlap.found.is_instance
        matched = np.asarray(matches(overlap, same_class=False) & truth[:, None] & found)
        counted = truth & ~overlap.crowd
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
        sizes, hits = np.array(self._sizes), np.array(self._hits, bool)
        figures: dict[str, float | int | None] = dict(self.tally.figures())
        figures['precision'] = _share(self.tally.tp, self.tally.tp + self.tally.fp)
        figures['recall'] = _share(self.tally.tp, len(hits))
        for name, least, below in SIZES:
            inside = (sizes >= least) & (sizes < below)
            figures[f'recall_{name}'] = _share(int(hits[inside].sum()), int(inside.sum()))
            figures[f'count_{name}'] = int(inside.sum())
        return figures


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None

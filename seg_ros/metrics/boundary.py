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
Contour accuracy: how close the edges of masks are to those of the ground truth.

Reference: F. Perazzi et al., A Benchmark Dataset and Evaluation Methodology for Video Object
Segmentation, CVPR 2016, section 5: contour accuracy F.
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from seg_ros.core.card import ModelCard

TOLERANCE = 0.008  # of the image's diagonal


def boundary_f(ground_truth: NDArray[np.bool_], found: NDArray[np.bool_]) -> float:
    """
    Return the harmonic mean of the fractions of each outline that are near the other, 0 to 1.

    :param ground_truth: bool (H, W); `found` likewise.
    """
    reach = int(np.ceil(TOLERANCE * np.hypot(*ground_truth.shape)))
    true_edge, found_edge = outline(ground_truth), outline(found)
    precision = _fraction_near(found_edge, true_edge, reach)
    recall = _fraction_near(true_edge, found_edge, reach)
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def outline(mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """
    Mark pixels that differ from their neighbour below, to the right, or below to the right.

    The image's border does not count as an edge.
    """
    padded = np.pad(mask, ((0, 1), (0, 1)), 'edge')
    here = padded[:-1, :-1]
    differs = (here ^ padded[1:, :-1]) | (here ^ padded[:-1, 1:]) | (here ^ padded[1:, 1:])
    return differs.view(np.uint8)


def _fraction_near(edge: NDArray[np.uint8], other: NDArray[np.uint8], reach: int) -> float:
    """Return the fraction of an outline within `reach` of the other; 1 if the outline is empty."""
    length = int(np.count_nonzero(edge))
    if not length:
        return 1.0
    near = np.asarray(cv2.dilate(other, _disc(reach)), np.uint8)
    return float(np.count_nonzero(edge & near) / length)


def _disc(radius: int) -> NDArray[np.uint8]:
    rows, columns = np.ogrid[-radius:radius + 1, -radius:radius + 1]
    return np.asarray(rows**2 + columns**2 <= radius**2, np.uint8)


class Boundary:
    """
    Contour accuracy per class, averaged over the images with the class in ground truth or masks.

    :param card: the classes to score.
    """

    def __init__(self, card: ModelCard) -> None:
        self._unlabelled = card.unlabelled
        self._values: dict[int, list[float]] = {item.id: [] for item in card.classes}

    def add(self, ground_truth: NDArray[Any], found: NDArray[Any]) -> None:
        """
        Score one image; pixels without ground truth are treated as unlabelled in both.

        :param ground_truth: class ids (H, W); `found` likewise.
        """
        labelled = np.where(ground_truth == self._unlabelled, self._unlabelled, found)
        for class_id in np.union1d(ground_truth, labelled).tolist():
            if class_id in self._values:
                masks = ground_truth == class_id, labelled == class_id
                self._values[class_id].append(boundary_f(*masks))

    def per_class(self) -> dict[int, float]:
        """Return the mean per class that occurs, by class id."""
        return {
            class_id: float(np.mean(values))
            for class_id, values in self._values.items() if values
        }

    def figures(self) -> dict[str, float | None]:
        """Return `boundary_f`, the mean over the classes that occur."""
        values = list(self.per_class().values())
        return {'boundary_f': float(np.mean(values)) if values else None}

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

"""Agreement of the masks of two engines or two precisions on the same images."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
from seg_ros.core.errors import ContractError
from seg_ros.core.segmentation import ClassMap, Segmentation
from seg_ros.metrics.panoptic_quality import MATCH_IOU


@dataclass(frozen=True)
class ParityFigures:
    """
    Agreement over all images. Fractions are 0 to 1, and 1 if there was nothing to compare.

    :param images: number of compared images.
    :param pixels: fraction of pixels with the same class, including unlabelled ones.
    :param miou: mean intersection over union of the reference's classes, over all images.
    :param instances: number of instances in the reference.
    :param matched: fraction of them matched with the same class and a mask IoU above 0.5.
    :param false_positives: number of unmatched instances, divided by that of the reference's.
    :param mask_iou: median mask IoU of the matches.
    """

    images: int
    pixels: float
    miou: float
    instances: int
    matched: float
    false_positives: float
    mask_iou: float


class Parity:
    """Accumulates comparisons image by image."""

    def __init__(self) -> None:
        self._images = 0
        self._pairs: Counter[tuple[int, int]] = Counter()
        self._ious: list[float] = []
        self._expected = self._found = 0
        self._unlabelled = -1

    def add(self, reference: Segmentation, tried: Segmentation) -> None:
        """
        Compare one image's masks.

        :raises ContractError: if either lacks `classes` or `instances`, or their sizes differ.
        """
        if reference.size_hw != tried.size_hw:
            raise ContractError(f'masks of {tried.size_hw}', f'the size {reference.size_hw}')
        self._images += 1
        self._pairs += pair_counts(*(each.part('classes') for each in (reference, tried)))
        self._unlabelled = reference.unlabelled
        self._ious += matched_ious(reference, tried)
        self._expected += len(reference.segments)
        self._found += len(tried.segments)

    def figures(self) -> ParityFigures:
        """Return the figures over all images so far."""
        ious = self._class_ious()
        agreed = sum(count for (one, other), count in self._pairs.items() if one == other)
        matched, expected = len(self._ious), self._expected
        return ParityFigures(
            images=self._images,
            pixels=agreed / self._pairs.total() if self._pairs else 1.0,
            miou=float(np.mean(ious)) if ious else 1.0,
            instances=expected,
            matched=matched / expected if expected else 1.0,
            false_positives=(self._found - matched) / max(1, expected),
            mask_iou=float(np.median(self._ious)) if self._ious else 1.0,
        )

    def _class_ious(self) -> list[float]:
        """Return the intersection over union of each class of the reference."""
        first: Counter[int] = Counter()
        second: Counter[int] = Counter()
        for (one, other), count in self._pairs.items():
            first[one] += count
            second[other] += count
        return [
            _iou(self._pairs[name, name], area, second[name])
            for name, area in first.items() if name != self._unlabelled
        ]


def matched_ious(reference: Segmentation, tried: Segmentation) -> list[float]:
    """
    Return the mask IoU of all pairs of instances of the same class with an IoU above 0.5.

    Above 0.5 a match is unique, so no assignment is needed.
    """
    if not (reference.segments and tried.segments):
        return []
    overlap = pair_counts(*(each.part('instances') for each in (reference, tried)))
    return [
        iou
        for one in reference.segments
        for other in tried.segments
        if one.class_id == other.class_id
        and (iou := _iou(overlap[one.id, other.id], one.area, other.area)) > MATCH_IOU
    ]


def pair_counts(first: ClassMap, second: ClassMap) -> Counter[tuple[int, int]]:
    """Count the pixels of each pair of values."""
    pairs = (first.astype(np.uint32) << 16) | second
    values, counts = np.unique(pairs, return_counts=True)
    return Counter({
        (value >> 16, value & 0xFFFF): count
        for value, count in zip(values.tolist(), counts.tolist(), strict=True)
    })


def _iou(overlap: int, area: int, other: int) -> float:
    return overlap / (area + other - overlap)

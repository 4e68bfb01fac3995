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

"""Pixels that each ground truth segment shares with each predicted segment."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from seg_ros.core.card import ModelCard
from seg_ros.core.segmentation import Segmentation
from seg_ros.masks.panoptic_ids import FIRST_STUFF, panoptic_ids

VOID_CLASS = -1


@dataclass(frozen=True, eq=False)
class Partition:
    """
    The segments of one image; the first one holds the pixels without a segment.

    :param ids: ids of `panoptic_ids`, 0 first.
    :param classes: class id of each segment, `VOID_CLASS` for the first.
    :param number: index of each pixel's segment, (H, W).
    """

    ids: NDArray[np.intp]
    classes: NDArray[np.intp]
    number: NDArray[np.int32]

    @property
    def is_instance(self) -> NDArray[np.bool_]:
        """Mark the segments that are instances; the others are stuff."""
        return np.asarray((self.ids > 0) & (self.ids < FIRST_STUFF))


@dataclass(frozen=True, eq=False)
class Overlap:
    """
    The overlap of two partitions of one image.

    :param pixels: shared pixels, int64 (true segments, predicted segments).
    :param crowd: bool, whether each true segment is a group of uncounted instances.
    """

    ground_truth: Partition
    found: Partition
    pixels: NDArray[np.int64]
    crowd: NDArray[np.bool_]

    @cached_property
    def true_area(self) -> NDArray[np.int64]:
        """Count the pixels of each true segment."""
        return np.asarray(self.pixels.sum(axis=1))

    @cached_property
    def found_area(self) -> NDArray[np.int64]:
        """Count the pixels of each predicted segment, including those without ground truth."""
        return np.asarray(self.pixels.sum(axis=0))

    @cached_property
    def iou(self) -> NDArray[np.float64]:
        """Intersection over union; pixels without ground truth are ignored."""
        union = self.true_area[:, None] + self.found_area - self.pixels - self.pixels[0]
        iou = np.asarray(self.pixels / np.maximum(union, 1))
        iou[0], iou[:, 0] = 0, 0
        return iou


def partition_of(segmentation: Segmentation, card: ModelCard) -> Partition:
    """
    Index the segments of an image.

    :param card: its task and countable classes define the segments; see `panoptic_ids`.
    """
    ids = panoptic_ids(segmentation, card)
    occurs = np.zeros(2 * FIRST_STUFF, bool)
    occurs[ids] = True
    occurs[0] = True
    present = np.flatnonzero(occurs)
    class_of: Mapping[int, int] = {item.id: item.class_id for item in segmentation.segments}
    classes = [
        class_of.get(number, VOID_CLASS) if number < FIRST_STUFF else number - FIRST_STUFF
        for number in present.tolist()
    ]
    number = np.cumsum(occurs, dtype=np.int32) - 1
    return Partition(present, np.array(classes), number.take(ids))


def overlap_of(
    ground_truth: Partition, found: Partition, crowd: frozenset[int] = frozenset()
) -> Overlap:
    """
    Count the pixels that the segments of two partitions share.

    :param crowd: ids of ground truth segments that are groups.
    """
    shape = len(ground_truth.ids), len(found.ids)
    both = ground_truth.number * np.int32(shape[1]) + found.number
    pairs = np.bincount(both.ravel(), minlength=shape[0] * shape[1])
    return Overlap(
        ground_truth, found, pairs.reshape(shape).astype(np.int64),
        np.isin(ground_truth.ids, list(crowd)),
    )

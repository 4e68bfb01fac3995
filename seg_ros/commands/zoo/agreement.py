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

"""Agreement of a compiled network with PyTorch and the published post-processing."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from seg_ros.core.card import ModelCard
from seg_ros.core.segmentation import Segmentation
from seg_ros.zoo.reference import Reference


def contents(expected: Sequence[Reference], card: ModelCard) -> str:
    """Return how many classes and instances images show: agreement on one class is trivial."""
    shown = {channel for item in expected for channel, _, _ in item.instances}
    for item in expected:
        if item.labels is not None:
            shown.update(np.unique(item.labels[item.labels >= 0]).tolist())
    count = sum(len(item.instances) for item in expected)
    text = f'{len(shown)} classes'
    return text if card.task == 'semantic' else f'{count} instances, {text}'


def agreement_text(found: Sequence[Mapping[str, float]]) -> str:
    """Summarise the results of `agreement` for some images."""
    if 'pixels' in found[0]:
        return f'{100 * np.mean([item["pixels"] for item in found]):.2f} % of pixels'
    total = {key: sum(item[key] for item in found) for key in ('count', 'missing', 'extra')}
    overlap = np.median([item['iou'] for item in found if item['count']] or [0.0])
    return (
        f'{total["count"]:.0f} of {total["count"] + total["missing"]:.0f} instances, '
        f'{total["extra"]:.0f} more, median IoU {overlap:.3f}'
    )


def agreement(
    found: Segmentation, expected: Reference, card: ModelCard, slack: float
) -> dict[str, float]:
    """
    Compare one image's masks.

    :param slack: largest difference in score between two matching instances.
    :returns: `pixels`, the fraction of pixels with the same class and, in panoptic masks, the same
        object; or `count`, `missing` and `extra` instances, and their median `iou`.
    """
    pixel_to_instance = _pixel_to_instance(expected, found.size_hw)
    if expected.labels is None:
        return _instances(found, expected, pixel_to_instance, card, slack)
    table = np.append(card.id_of_channel, card.unlabelled)
    same = np.asarray(found.classes) == table[expected.labels]
    if card.task == 'panoptic':
        same &= _same_objects(np.asarray(found.instances), pixel_to_instance)
    return {'pixels': float(same.mean())}


def _pixel_to_instance(expected: Reference, size_hw: tuple[int, int]) -> np.ndarray:
    """Return a map of instances, the best on top: number from 1, 0 = none."""
    pixel_to_instance = np.zeros(size_hw, np.int64)
    for number, (_, _, mask) in reversed(list(enumerate(expected.instances, start=1))):
        pixel_to_instance[mask] = number
    return pixel_to_instance


def _same_objects(found: np.ndarray, pixel_to_instance: np.ndarray) -> Any:
    """Return where the expected instance is the most frequent one in the found instance."""
    same = (found > 0) == (pixel_to_instance > 0)
    for value in np.unique(found[found > 0]):
        mask = found == value
        same[mask] &= pixel_to_instance[mask] == np.bincount(pixel_to_instance[mask]).argmax()
    return same


def _instances(
    found: Segmentation, expected: Reference, pixel_to_instance: np.ndarray, card: ModelCard,
    slack: float,
) -> dict[str, float]:
    """Match instances of the same class and a similar score by overlap, best score first."""
    left = list(found.segments)
    overlaps, missing = [], 0
    for number, (channel, score, _) in enumerate(expected.instances, start=1):
        mask = pixel_to_instance == number
        if not mask.any():
            continue
        near = [
            segment for segment in left
            if segment.class_id == card.classes[channel].id and abs(segment.score - score) < slack
        ]
        own = [(_overlap(np.asarray(found.instances) == item.id, mask), item) for item in near]
        if not own:
            missing += 1
            continue
        best, segment = max(own, key=lambda pair: pair[0])
        left.remove(segment)
        overlaps.append(best)
    return {
        'missing': float(missing), 'extra': float(len(left)), 'count': float(len(overlaps)),
        'iou': float(np.median(overlaps)) if overlaps else 0.0,
    }


def _overlap(one: np.ndarray, other: np.ndarray) -> float:
    return float((one & other).sum() / max(1, (one | other).sum()))

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

"""Selection of a target object by id, by class, or as the nearest."""

from collections.abc import Mapping, Sequence
import re

import numpy as np
from numpy.typing import NDArray
from seg_ros.core.card import ModelCard
from seg_ros.core.errors import SettingError
from seg_ros.core.segmentation import MAX_ID, Segment, Segmentation
from seg_ros.core.shown import few, shown
from seg_ros.depth.cloud import POINT
from seg_ros.depth.registration import has_depth

NEAREST = 'nearest'


def select_target(
    target: str, segments: Sequence[Segment], card: ModelCard, distance_m: Mapping[int, float]
) -> Segment | None:
    """
    Select the nearest segment that matches `target`.

    :param target: a segment id, the name of a class, or `nearest`, which matches objects with the
        role `graspable`, or all objects if no class has that role.
    :param distance_m: distance of segments with depth, by segment id. Without any, the segment
        with the best score is selected.
    :returns: None if no such segment is visible, or `target` is empty.
    """
    if _is_id(target):
        wanted = [item for item in segments if item.id == int(target)]
    elif target == NEAREST:
        graspable = card.ids_with_role('graspable') or frozenset(card.by_id)
        wanted = [item for item in segments if item.class_id in graspable]
    else:
        wanted = [item for item in segments if card.by_id[item.class_id].name == target]
    return min(
        wanted, key=lambda item: (distance_m.get(item.id, np.inf), -item.score), default=None
    )


def distances_m(
    metres: NDArray[np.float32], segmentation: Segmentation
) -> dict[int, float]:
    """
    Return the median depth of every segment with depth, by segment id.

    :param metres: float32 (H, W), NaN = none; every second pixel is used.
    """
    ids, z = segmentation.part('instances')[::2, ::2], metres[::2, ::2]
    seen = (ids > 0) & has_depth(z)
    ids, z = ids[seen], z[seen]
    order = np.argsort(ids, kind='stable')
    found, first = np.unique(ids[order], return_index=True)
    parts = np.split(z[order], first[1:])
    return {
        number: float(np.median(part))
        for number, part in zip(found.tolist(), parts, strict=False)
    }


def check_target(target: str, card: ModelCard) -> None:
    """
    Check that `target` can match a segment.

    :raises SettingError: unless it is empty, `nearest`, an id or a class of the card with objects.
    """
    names = [item.name for item in card.classes if item.thing]
    if target not in ('', NEAREST, *names) and not _is_id(target):
        classes = f'a class that has objects: {few(names)}' if names else (
            f'nothing: no class of {card.name} has objects'
        )
        raise SettingError(f'target: {shown(target)}', f'a segment id, {NEAREST}, or {classes}')


def _is_id(target: str) -> bool:
    return bool(re.fullmatch('[0-9]{1,5}', target)) and 0 < int(target) <= MAX_ID


def target_mask(segmentation: Segmentation, segment: Segment | None) -> NDArray[np.bool_]:
    """Mark the pixels of a segment, bool (H, W); none without a target."""
    if segment is None:
        return np.zeros(segmentation.size_hw, bool)
    return np.asarray(segmentation.part('instances') == segment.id)


def target_points(cloud: NDArray[np.void], mask: NDArray[np.bool_]) -> NDArray[np.void]:
    """
    Return the points of a mask's pixels with depth.

    :param cloud: `POINT` (H, W).
    :returns: `POINT` (N,).
    """
    seen = mask & has_depth(cloud['z'])
    records = np.ascontiguousarray(cloud).reshape(-1).view(f'V{POINT.itemsize}')
    return np.asarray(records.take(np.flatnonzero(seen)).view(POINT))

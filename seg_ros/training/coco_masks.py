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

"""Reads classes and instances from images of segment ids in COCO's panoptic format."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from seg_ros.core.errors import ImageError
from seg_ros.image.id_colors import ids_from_rgb


class SegmentMaps(NamedTuple):
    """
    Classes and instances decoded from an image of segment ids.

    :param classes: (H, W).
    :param instances: (H, W), one number for each segment of a thing class, 0 = none.
    :param crowd: instance numbers of crowd segments (`iscrowd`).
    :param unknown: pixel count of each category that is not a class.
    """

    classes: NDArray[np.int64]
    instances: NDArray[np.int64]
    crowd: frozenset[int]
    unknown: Mapping[int, int]


def read_segment_numbers(
    path: Path, segments: Sequence[Mapping[str, Any]]
) -> NDArray[np.int64]:
    """
    Read each pixel's segment number from an image of ids, R + 256 G + 65536 B.

    :returns: (H, W), 1 for the first of `segments`, 0 for pixels without a segment.
    :raises ImageError: if the image is missing or does not have three channels.
    """
    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED) if path.is_file() else None
    if image is None or image.shape[2:] != (3,):
        raise ImageError(f'{path} is missing or not an image of 3 channels', 'masks of the image')
    ids = ids_from_rgb(image[..., ::-1])
    known = np.array([0, *(row['id'] for row in segments)])
    order = np.argsort(known, kind='stable')
    place = np.minimum(np.searchsorted(known[order], ids), len(known) - 1)
    numbers = order[place]
    numbers[known[numbers] != ids] = 0
    return np.asarray(numbers, np.int64)


def read_segment_maps(
    path: Path, segments: Sequence[Mapping[str, Any]], class_of: Mapping[int, int],
    things: Collection[int], void: int,
) -> SegmentMaps:
    """
    Read classes and instances from an image of segment ids.

    :param class_of: class to write for each category.
    :param things: categories whose segments are instances.
    :param void: class to write for pixels without a segment or of an unknown category.
    :raises ImageError: as `read_segment_numbers`.
    """
    place = read_segment_numbers(path, segments)
    counts = np.bincount(place.ravel(), minlength=1 + len(segments)).tolist()
    classes, instances, crowd = [void], [0], []
    unknown: Counter[int] = Counter()
    for number, segment in enumerate(segments, start=1):
        category = segment['category_id']
        classes.append(class_of.get(category, void))
        instances.append(number if category in things else 0)
        if segment.get('iscrowd') and category in things:
            crowd.append(number)
        if category not in class_of and counts[number]:
            unknown[category] += counts[number]
    return SegmentMaps(
        np.array(classes)[place], np.array(instances)[place], frozenset(crowd), unknown
    )

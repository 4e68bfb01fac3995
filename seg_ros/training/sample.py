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

"""A labelled image, the common format of all data sets."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from seg_ros.core.frame import Pixels

VOID = 255      # nothing is known about the pixel's class
MAX_THINGS = 250    # instances per image
OTHER = 254     # the pixel is of none of the classes in the image's `complete`


class TrainingSample(NamedTuple):
    """
    One image and its maps.

    :param rgb: uint8 (H, W, 3).
    :param classes: uint8 (H, W), channel numbers, `OTHER` or `VOID`.
    :param instances: uint8 (H, W), one number for each thing; 0 = no instance, or unknown.
    :param complete: bool (C), the classes of which every pixel in the image is labelled, so that
        pixels without a label are not of these.
    :param unknown: pixel count of each id that is not a class of the data; these pixels are void.
    """

    rgb: Pixels
    classes: NDArray[np.uint8]
    instances: NDArray[np.uint8]
    complete: NDArray[np.bool_]
    unknown: Mapping[int, int] = MappingProxyType({})


def instances_known(sample: TrainingSample, things: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """
    Return for which pixels it is known whether they belong to an instance: (H, W).

    Pixels of a thing class without an instance are not: they show things that were not separated.

    :param things: (C), which classes are things.
    """
    known = sample.classes < OTHER
    if (sample.complete | ~things).all():
        known = known | (sample.classes == OTHER)
    countable = np.zeros(256, bool)
    countable[:len(things)] = things
    return np.asarray(known & ~(countable[sample.classes] & (sample.instances == 0)))


def small_numbers(instances: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Renumber the largest `MAX_THINGS` instances from 1 and remove the others."""
    numbers, counts = np.unique(instances[instances > 0], return_counts=True)
    kept = numbers[np.argsort(-counts, kind='stable')][:MAX_THINGS]
    table = np.zeros(int(instances.max(initial=0)) + 1, np.uint8)
    table[kept] = np.arange(1, len(kept) + 1)
    return table[instances]


def shrink(sample: TrainingSample, longest: int) -> TrainingSample:
    """Scale a sample down to a longest side; smaller samples are returned unchanged."""
    height, width = sample.classes.shape
    scale = longest / max(height, width)
    if scale >= 1:
        return sample
    size = round(width * scale), round(height * scale)
    return TrainingSample(
        np.asarray(cv2.resize(sample.rgb, size, interpolation=cv2.INTER_AREA), np.uint8),
        np.asarray(cv2.resize(sample.classes, size, interpolation=cv2.INTER_NEAREST), np.uint8),
        np.asarray(cv2.resize(sample.instances, size, interpolation=cv2.INTER_NEAREST), np.uint8),
        sample.complete,
    )

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

"""Conversion of a foreground mask to numbered objects, and of these to the contract's tensors."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from seg_ros.core.frame import Pixels
from seg_ros.engines.classical.view import Tensors

MAX_OBJECTS = 254
MIN_AREA = 0.001       # fraction of the image; smaller parts are not objects
MIN_HOLE = 0.0005      # fraction of the image; smaller holes are filled
MAX_BORDER = 0.2        # fraction of the image border; parts that touch more are background


@dataclass(frozen=True, eq=False)
class Found:
    """
    The result of a method.

    :param objects: int32 (H, W), numbers from 1, 0 = background.
    :param probability: uint8 (H, W), of belonging to an object, 255 = certain.
    """

    objects: NDArray[np.int32]
    probability: Pixels


def disc(diameter: int) -> Pixels:
    """Return a round structuring element."""
    shape = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (diameter, diameter))
    return np.asarray(shape, np.uint8)


def border_share(labels: NDArray[Any], count: int) -> NDArray[np.float64]:
    """Return the fraction of the image border that each label below `count` covers."""
    border = np.concatenate([labels[0], labels[-1], labels[1:-1, 0], labels[1:-1, -1]])
    return np.bincount(border, minlength=count) / border.size


def objects_from_mask(mask: NDArray[Any]) -> NDArray[np.int32]:
    """
    Smooth a mask and number its connected parts.

    Specks are removed and pinholes filled. Larger holes are kept, and so are parts cut by the
    border; a part along much of the border is background.

    :param mask: uint8 (H, W), 0 or 1.
    :returns: int32 (H, W), numbers from 1, 0 = background.
    """
    smooth = cv2.morphologyEx(mask, cv2.MORPH_OPEN, disc(5))
    smooth = cv2.morphologyEx(smooth, cv2.MORPH_CLOSE, disc(5))
    _, holes, stats, _ = cv2.connectedComponentsWithStats(1 - smooth)
    pinhole = stats[:, cv2.CC_STAT_AREA] < MIN_HOLE * mask.size
    filled = np.maximum(smooth, pinhole.astype(np.uint8)[holes])
    count, labels, stats, _ = cv2.connectedComponentsWithStats(filled)
    kept = stats[:, cv2.CC_STAT_AREA] >= MIN_AREA * mask.size
    kept &= border_share(labels, count) <= MAX_BORDER
    kept[0] = False
    numbers = np.where(kept, np.cumsum(kept), 0).astype(np.int32)
    return np.asarray(numbers[labels], np.int32)


def tensors_from_found(found: Found) -> Tensors:
    """
    Rank objects by their mean probability, the best in slot 0.

    The confidence refers to the final class of a pixel, so it is low where smoothing overruled
    the method.

    :returns: the contract's tensors of one image.
    """
    objects, probability = found.objects, found.probability
    area = np.bincount(objects.ravel(), minlength=1)
    total = np.bincount(objects.ravel(), probability.ravel(), minlength=1)
    score = (total / np.maximum(area, 1) / 255)[1:].astype(np.float32)
    best = np.argsort(-score, kind='stable')[:MAX_OBJECTS]
    slot = np.zeros(area.size, np.uint8)
    slot[best + 1] = np.arange(1, best.size + 1)
    instances = slot[objects]
    scores = np.zeros(MAX_OBJECTS, np.float32)
    scores[:best.size] = score[best]
    return {
        'labels': (instances > 0).astype(np.uint8),
        'confidence': np.where(instances > 0, probability, 255 - probability),
        'scores': scores,
        'classes': (scores > 0).astype(np.int32),
        'instances': instances,
    }

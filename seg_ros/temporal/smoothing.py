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

"""Temporal smoothing of classes: a pixel changes its class once the new one outweighs the old."""

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray
from seg_ros.core.segmentation import ClassMap, Segmentation

_NO_CLASS = 128  # weight, of 255, of a pixel without a class


class Smoother:
    """
    The smoothed classes of one camera's images, and a weight (the hold) for each pixel's class.

    The hold is a moving average of confidence: an image that agrees with the held class counts
    positively, another one negatively. Below zero the pixel takes over the other class. Pixels of
    instances show the class of their instance, and carry no information on what is behind it.
    """

    def __init__(self) -> None:
        self._classes: ClassMap | None = None
        self._hold: NDArray[np.uint8] = np.zeros((0, 0), np.uint8)

    def smooth(
        self, segmentation: Segmentation, inertia: float, min_confidence: int = 0
    ) -> Segmentation:
        """
        Return the next image's masks with smoothed classes, and the hold as their confidence.

        :param segmentation: masks; returned as they are unless they have all three maps.
        :param inertia: 0 to 1, weight of all earlier images; the new image has the rest.
        :param min_confidence: 0 to 255; held classes with less are not shown.
        """
        classes, confidence = segmentation.classes, segmentation.confidence
        if classes is None or confidence is None or segmentation.instances is None:
            return segmentation
        unlabelled, owned = segmentation.unlabelled, (segmentation.instances > 0).view(np.uint8)
        weight = np.where(classes == unlabelled, np.uint8(_NO_CLASS), confidence)
        weight *= 1 - owned
        held = self._classes
        if held is None or held.shape != owned.shape or held.dtype != classes.dtype:
            held, self._hold = classes.copy(), weight
        else:
            self._hold = _updated_hold(held, self._hold, classes, weight, inertia)
        self._classes = held
        smoothed, hold = held.copy(), self._hold.copy()
        smoothed[hold < min_confidence] = unlabelled
        hold[smoothed == unlabelled] = 0
        cv2.copyTo(classes, owned, smoothed)
        cv2.copyTo(confidence, owned, hold)
        return replace(segmentation, classes=smoothed, confidence=hold)

    def reset(self) -> None:
        """Restart with the next image."""
        self._classes = None


def _updated_hold(
    held: ClassMap, hold: NDArray[np.uint8], classes: ClassMap, weight: NDArray[np.uint8],
    inertia: float,
) -> NDArray[np.uint8]:
    """Return the new hold; change `held` in place where a new class outweighs it."""
    other = cv2.compare(classes, held, cv2.CMP_NE)
    new = cv2.addWeighted(hold, inertia, weight, 1 - inertia, 0)
    # Differences saturate at 0 in uint8, so each direction is computed separately.
    left = cv2.addWeighted(hold, inertia, weight, inertia - 1, 0)
    beyond = cv2.addWeighted(hold, -inertia, weight, 1 - inertia, 0)
    cv2.copyTo(cv2.max(left, beyond), other, new)
    cv2.copyTo(classes, cv2.bitwise_and(beyond, other), held)
    return np.asarray(new, np.uint8)

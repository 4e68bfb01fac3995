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

"""Classes without flicker: a pixel changes its class once the new one has the greater weight."""

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray
from seg_ros.core.segmentation import ClassMap, Segmentation

_NO_CLASS = 128  # how much a pixel without a class speaks for having none, of 255


class Smoother:
    """
    The classes of one camera and how firmly each pixel holds its own.

    An image that agrees with the class that is held makes the hold firmer, another one weakens
    it, each by its own confidence; below nothing the pixel goes over to the other class. Pixels
    of instances show the class of their instance and say nothing of what is behind it.
    """

    def __init__(self) -> None:
        self._classes: ClassMap | None = None
        self._hold: NDArray[np.uint8] = np.zeros((0, 0), np.uint8)

    def smooth(self, masks: Segmentation, inertia: float, least: int = 0) -> Segmentation:
        """
        Return the next image's masks with steady classes, and the hold as their confidence.

        :param masks: with classes, confidence and instances; otherwise they stay as they are.
        :param inertia: 0 to 1, the weight of all images before; of the new one the rest.
        :param least: confidence, 0 to 255, below which a class that is held does not show.
        """
        if masks.classes is None or masks.confidence is None or masks.instances is None:
            return masks
        unlabelled, owned = masks.unlabelled, (masks.instances > 0).view(np.uint8)
        weight = np.where(masks.classes == unlabelled, np.uint8(_NO_CLASS), masks.confidence)
        weight *= 1 - owned
        held = self._classes
        if held is None or held.shape != owned.shape or held.dtype != masks.classes.dtype:
            held, self._hold = masks.classes.copy(), weight
        else:
            self._hold = _weighed(held, self._hold, masks.classes, weight, inertia)
        self._classes = held
        classes, confidence = held.copy(), self._hold.copy()
        classes[confidence < least] = unlabelled
        confidence[classes == unlabelled] = 0
        cv2.copyTo(masks.classes, owned, classes)
        cv2.copyTo(masks.confidence, owned, confidence)
        return replace(masks, classes=classes, confidence=confidence)

    def forget(self) -> None:
        """Begin anew with the next image."""
        self._classes = None


def _weighed(
    held: ClassMap, hold: NDArray[np.uint8], classes: ClassMap, weight: NDArray[np.uint8],
    inertia: float,
) -> NDArray[np.uint8]:
    """Change `held` in place where a new class outweighs it, and return the new hold."""
    other = cv2.compare(classes, held, cv2.CMP_NE)
    new = cv2.addWeighted(hold, inertia, weight, 1 - inertia, 0)
    # Differences stop at 0 in uint8, so that the two directions are two images.
    left = cv2.addWeighted(hold, inertia, weight, inertia - 1, 0)
    beyond = cv2.addWeighted(hold, -inertia, weight, 1 - inertia, 0)
    cv2.copyTo(cv2.max(left, beyond), other, new)
    cv2.copyTo(classes, cv2.bitwise_and(beyond, other), held)
    return np.asarray(new, np.uint8)

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

"""An image prepared for the classical methods: denoised colour and grey, and its noise."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import pi, sqrt
from typing import Any, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray
from seg_ros.core.frame import Pixels

Tensors: TypeAlias = Mapping[str, NDArray[Any]]

MIN_CONTRAST = 8  # grey levels; smaller differences are shading and compression


@dataclass(frozen=True, eq=False)
class ClassicalView:
    """
    An image, and quantities that are computed from it once, on demand.

    :param rgb: uint8 (H, W, 3).
    """

    rgb: Pixels

    @cached_property
    def color(self) -> Pixels:
        """Denoised rgb, uint8 (H, W, 3)."""
        return _denoised(self.rgb)

    @cached_property
    def grey(self) -> Pixels:
        """Denoised grey levels, uint8 (H, W)."""
        return _denoised(self._raw_grey)

    @cached_property
    def noise(self) -> float:
        """Return the standard deviation of the camera noise in grey levels."""
        return _noise(self._raw_grey)

    @cached_property
    def contrast_floor(self) -> float:
        """Smallest difference in grey levels that exceeds the noise."""
        return max(MIN_CONTRAST, 3 * self.noise)

    @cached_property
    def is_blank(self) -> bool:
        """Whether all colour differences are within the noise."""
        spread = max(np.ptp(plane) for plane in cv2.split(self.color))
        return bool(spread < max(MIN_CONTRAST, 3 * _noise(self.rgb)))

    @cached_property
    def _raw_grey(self) -> Pixels:
        return np.asarray(cv2.cvtColor(self.rgb, cv2.COLOR_RGB2GRAY), np.uint8)


def _denoised(image: Pixels) -> Pixels:
    """Remove outliers with a median filter, then grain with a narrow Gaussian."""
    return np.asarray(cv2.GaussianBlur(cv2.medianBlur(image, 5), (5, 5), 1), np.uint8)


def _noise(image: Pixels) -> float:
    """
    Estimate the standard deviation of noise.

    J. Immerkær, Fast Noise Variance Estimation, 1996: the mean response to a mask that cancels
    constant and linear intensities.
    """
    mask = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
    response = cv2.filter2D(image, cv2.CV_16S, mask)
    return cv2.norm(response, cv2.NORM_L1) / image.size * sqrt(pi / 2) / 6

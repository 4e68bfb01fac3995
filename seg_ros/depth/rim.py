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

"""The edge that mask erosion removes from an object, as seen from above."""

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Numbers: TypeAlias = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Rim:
    """
    The edge that erosion removed from the masks of one or K objects.

    An edge of the object's top is foreshortened by the sine of the view's elevation along the
    view, and not at all across it. On the camera's side, the object's front is visible below that
    edge, and erosion removes the front first.

    :param view: (2,) or (2, K), unit vector of the viewing direction in the plane below.
    :param sine: sine of the view's elevation, (K,) like those below.
    :param front_m: height of the visible front, as it appears across the line of sight.
    :param eroded_m: width that erosion removed, across the line of sight.
    """

    view: Numbers
    sine: Numbers
    front_m: Numbers
    eroded_m: Numbers

    @staticmethod
    def of(view: Numbers, height_m: Numbers, eroded_m: Numbers) -> 'Rim':
        """
        Return the rims of upright objects.

        :param view: (3,) or (3, K), unit vectors to the objects; the third component is vertical.
        :param height_m: heights of the objects.
        :param eroded_m: width that erosion removed, across the line of sight.
        """
        sine = np.clip(np.abs(view[2]), 0.3, 1)
        flat = view[:2] / np.maximum(np.linalg.norm(view[:2], axis=0), 1e-9)
        return Rim(flat, sine, height_m * np.sqrt(1 - sine ** 2), eroded_m)

    def ends_m(self, direction: Numbers) -> tuple[Numbers, Numbers]:
        """
        Return how far the object extends beyond its eroded points at both ends of a direction.

        :param direction: (2,), unit vector.
        :returns: extents against the direction and along it.
        """
        along = direction @ self.view
        stretch = np.sqrt(along ** 2 + self.sine ** 2 * (1 - along ** 2))
        front = self.front_m * np.abs(along) / np.maximum(stretch, 1e-9)
        far = self.eroded_m * stretch / self.sine
        near = np.maximum(self.eroded_m - front, 0) * stretch / self.sine
        return np.where(along > 0, near, far), np.where(along > 0, far, near)

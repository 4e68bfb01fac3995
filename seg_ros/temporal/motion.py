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

"""Prediction of boxes: a constant-velocity Kalman filter for all of them at once."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Boxes: TypeAlias = NDArray[np.float64]

# Standard deviation of a measured position, in units of the box's own size. Variances below are in
# squares of this error, so that noise is the same for all boxes.
_MEASUREMENT_ERROR = 0.05
_INITIAL_SPEED_VARIANCE = (1.0 / _MEASUREMENT_ERROR) ** 2  # a box moves by about its size a second
_SPEED_NOISE = 30.0  # speed variance gained per second


class Motion:
    """
    Boxes that move at constant velocity; their sizes are smoothed but not extrapolated.

    `centre_size` is float64 (N, 4): the centre's x and y, width and height, in pixels.
    """

    def __init__(self) -> None:
        self.centre_size: Boxes = np.zeros((0, 4))
        self._velocity: Boxes = np.zeros((0, 2))
        # Variance of position, covariance of position and speed, variance of speed.
        self._variances: NDArray[np.float64] = np.zeros((0, 3))

    @property
    def xyxy(self) -> Boxes:
        """Boxes as x0, y0, x1, y1, float64 (N, 4)."""
        centre, half = self.centre_size[:, :2], self.centre_size[:, 2:] / 2
        return np.concatenate([centre - half, centre + half], 1)

    def advance(self, seconds: float) -> None:
        """Predict all boxes; see Bar-Shalom, Estimation with Applications, 6.2.2."""
        self.centre_size[:, :2] += seconds * self._velocity
        position, cov, speed = self._variances.T
        self._variances = np.stack([
            position + 2 * seconds * cov + seconds ** 2 * speed + _SPEED_NOISE * seconds ** 3 / 3,
            cov + seconds * speed + _SPEED_NOISE * seconds ** 2 / 2,
            speed + _SPEED_NOISE * seconds,
        ], 1)

    def correct(self, rows: NDArray[np.intp], xyxy: Boxes) -> None:
        """Correct the boxes `rows` by their measurements."""
        position, cov, speed = self._variances[rows].T
        gain = position / (position + 1)
        speed_gain = cov / (position + 1)
        innovation = centre_size_from_xyxy(xyxy) - self.centre_size[rows]
        self.centre_size[rows] += gain[:, None] * innovation
        self._velocity[rows] += speed_gain[:, None] * innovation[:, :2]
        self._variances[rows] = np.stack(
            [position * (1 - gain), cov * (1 - gain), speed - speed_gain * cov], 1
        )

    def add(self, xyxy: Boxes) -> None:
        """Add boxes that were seen for the first time."""
        count = len(xyxy)
        self.centre_size = np.concatenate([self.centre_size, centre_size_from_xyxy(xyxy)])
        self._velocity = np.concatenate([self._velocity, np.zeros((count, 2))])
        first = np.tile((1.0, 0.0, _INITIAL_SPEED_VARIANCE), (count, 1))
        self._variances = np.concatenate([self._variances, first])

    def keep(self, rows: list[int]) -> None:
        """Remove all boxes except `rows`."""
        self.centre_size = self.centre_size[rows]
        self._velocity = self._velocity[rows]
        self._variances = self._variances[rows]


def centre_size_from_xyxy(xyxy: Boxes) -> Boxes:
    """Convert boxes from x0, y0, x1, y1 to centre, width and height, float64 (N, 4)."""
    low, high = xyxy[:, :2], xyxy[:, 2:]
    return np.concatenate([(low + high) / 2, high - low], 1)

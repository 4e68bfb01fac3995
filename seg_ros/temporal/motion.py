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

"""Where boxes will be: a Kalman filter of constant velocity for all of them at once."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Boxes: TypeAlias = NDArray[np.float64]

# In units of a box's own size, of which a measured place is wrong by `_ERROR`. So noises are the
# same for all, and the variances below count in squares of that error.
_ERROR = 0.05
_FIRST_SPEED = (1.0 / _ERROR) ** 2  # per second: a size a second is nothing unusual
_JERKINESS = 30.0  # variance that the speed gains in a second


class Motion:
    """
    Boxes that move on as they did. Their sizes are smoothed and do not grow by themselves.

    `centre_size` is float64 (N, 4): the centre's x and y, width and height, in pixels.
    """

    def __init__(self) -> None:
        self.centre_size: Boxes = np.zeros((0, 4))
        self._velocity: Boxes = np.zeros((0, 2))
        # Variance of place, covariance of place and speed, variance of speed.
        self._variances: NDArray[np.float64] = np.zeros((0, 3))

    @property
    def xyxy(self) -> Boxes:
        """Boxes as edges, float64 (N, 4)."""
        centre, half = self.centre_size[:, :2], self.centre_size[:, 2:] / 2
        return np.concatenate([centre - half, centre + half], 1)

    def advance(self, seconds: float) -> None:
        """Move all boxes on in time; see Bar-Shalom, Estimation with Applications, 6.2.2."""
        self.centre_size[:, :2] += seconds * self._velocity
        place, both, speed = self._variances.T
        self._variances = np.stack([
            place + 2 * seconds * both + seconds ** 2 * speed + _JERKINESS * seconds ** 3 / 3,
            both + seconds * speed + _JERKINESS * seconds ** 2 / 2,
            speed + _JERKINESS * seconds,
        ], 1)

    def correct(self, rows: NDArray[np.intp], xyxy: Boxes) -> None:
        """Return where the boxes `rows` were seen now."""
        place, both, speed = self._variances[rows].T
        gain = place / (place + 1)
        speed_gain = both / (place + 1)
        surprise = centre_size_from_xyxy(xyxy) - self.centre_size[rows]
        self.centre_size[rows] += gain[:, None] * surprise
        self._velocity[rows] += speed_gain[:, None] * surprise[:, :2]
        self._variances[rows] = np.stack(
            [place * (1 - gain), both * (1 - gain), speed - speed_gain * both], 1
        )

    def add(self, xyxy: Boxes) -> None:
        """Begin to follow boxes that were seen for the first time."""
        count = len(xyxy)
        self.centre_size = np.concatenate([self.centre_size, centre_size_from_xyxy(xyxy)])
        self._velocity = np.concatenate([self._velocity, np.zeros((count, 2))])
        first = np.tile((1.0, 0.0, _FIRST_SPEED), (count, 1))
        self._variances = np.concatenate([self._variances, first])

    def keep(self, rows: list[int]) -> None:
        """Follow only the boxes `rows` from now on."""
        self.centre_size = self.centre_size[rows]
        self._velocity = self._velocity[rows]
        self._variances = self._variances[rows]


def centre_size_from_xyxy(xyxy: Boxes) -> Boxes:
    """Return centres, widths and heights of boxes given by their edges, float64 (N, 4)."""
    low, high = xyxy[:, :2], xyxy[:, 2:]
    return np.concatenate([(low + high) / 2, high - low], 1)

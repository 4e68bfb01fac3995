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

"""Surfaces of a scene: areas of a depth image without depth jumps."""

import cv2
import numpy as np
from numpy.typing import NDArray
from seg_ros.depth.cells import nearest_around

_JUMP = 0.05    # neighbours that differ by more than this fraction lie on two surfaces
_BEHIND = 1.2   # more than the depth of a slope increases over the reach
_REACH = 3      # gaps of up to twice as many cells do not divide a surface


def surfaces(metres: NDArray[np.float32]) -> NDArray[np.int32]:
    """
    Label the surfaces of a small depth image.

    The limbs of a body are one surface, as far as only small gaps separate them. The gaps belong
    to no surface.

    :param metres: float32 (h, w), the nearest depth in each cell of an image; infinity = none.
    :returns: int32 (h, w), numbered from 1; 0 = none.
    """
    # Without gaps: every cell has the depth of the nearest surface around it.
    closed = nearest_around(metres, _REACH)
    smooth = (closed <= (1 + _JUMP) * nearest_around(closed, 1)) & (closed < np.inf)
    labels = np.asarray(cv2.connectedComponents(smooth.view(np.uint8))[1])
    return np.where(metres <= _BEHIND * closed, labels, 0)

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

"""The pixels of a mask whose depth is its own: away from edges, and on no depth jump."""

import cv2
import numpy as np
from numpy.typing import NDArray

# Neighbours of one surface differ by less than this share of their distance unless it is seen at
# under 4 degrees (at a focal length of 500 pixels): between them the sensor mixes two surfaces.
JUMP = 0.03


def inside(instances: NDArray[np.uint16], erosion_px: int) -> NDArray[np.bool_]:
    """
    Mark the pixels of instances farther than `erosion_px` from any other and from none.

    The image's edge is no edge of an instance.

    :param instances: uint16 (H, W), segment ids, 0 = none.
    :returns: bool (H, W).
    """
    side = 2 * erosion_px + 1
    window = cv2.getStructuringElement(cv2.MORPH_RECT, (side, side))
    lowest, highest = cv2.erode(instances, window), cv2.dilate(instances, window)
    return np.asarray((lowest == highest) & (lowest > 0))


def on_jump(metres: NDArray[np.float32]) -> NDArray[np.bool_]:
    """
    Mark pixels among whose eight neighbours the depth jumps, where flying pixels are.

    :param metres: float32 (H, W), NaN = none; missing neighbours are no jump.
    :returns: bool (H, W).
    """
    far, near = metres.copy(), metres.copy()
    cv2.patchNaNs(far, 0.0)
    cv2.patchNaNs(near, np.inf)
    window = np.ones((3, 3), np.uint8)
    farthest, nearest = np.asarray(cv2.dilate(far, window)), np.asarray(cv2.erode(near, window))
    # Where nothing is near, `nearest` is infinite: the other side is the one to scale.
    return np.asarray(farthest * np.float32(1 / (1 + JUMP)) > nearest)

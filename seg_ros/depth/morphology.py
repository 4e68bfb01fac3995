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

"""Morphology of masks with square windows."""

import cv2
import numpy as np
from numpy.typing import NDArray


def square(reach_px: int) -> NDArray[np.uint8]:
    """Return a window that reaches `reach_px` from its centre in rows and columns."""
    return np.ones((2 * reach_px + 1, 2 * reach_px + 1), np.uint8)


def dilated(mask: NDArray[np.bool_], reach_px: int) -> NDArray[np.bool_]:
    """
    Add a margin to a mask.

    Masks may end before an object's edge, where depth may be the background's.

    :param mask: bool (H, W).
    """
    return np.asarray(cv2.dilate(mask.view(np.uint8), square(reach_px))).view(bool)

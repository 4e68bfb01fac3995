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

"""The pixels of a mask whose depth is its own: away from edges and jumps, and of one piece."""

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


def of_main_part(
    parts: NDArray[np.int32], z: NDArray[np.float32], starts: NDArray[np.intp]
) -> NDArray[np.bool_]:
    """
    Mark the points that lie with the largest part of their object.

    Masks reach over an object's edge, and one may cover two objects. What a depth jump separates
    from the largest part is kept only where it is as far away as that part: an object that
    something stands before is in pieces too. Where no part is half of the object, depth is too
    sparse to judge by, and all stays.

    :param parts: int32 (N,), the connected part that each point is in, 0 = not known, which stays.
    :param z: float32 (N,), metres.
    :param starts: where each object's points begin, ascending; all objects have some.
    :returns: bool (N,).
    """
    sizes = np.diff(starts, append=len(parts))
    count = np.bincount(parts)
    count[0] = 0
    largest = np.maximum.reduceat(count[parts], starts)
    is_main = count[parts] == np.repeat(largest, sizes)
    main = np.repeat(np.maximum.reduceat(np.where(is_main, parts, 0), starts), sizes)
    total = np.maximum(count, 1)
    near = np.bincount(parts, z) / total
    spread = np.sqrt(np.maximum(np.bincount(parts, z * z) / total - near ** 2, 0))
    slack = 2 * spread + JUMP * near    # the half extent of a slope is less than twice its spread
    far = np.abs(near[parts] - near[main]) > slack[main]
    judged = np.repeat(2 * largest >= sizes, sizes)
    return np.asarray(~far | (parts == 0) | ~judged)

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
    window = np.ones((3, 3), np.uint8)
    # Against a number, fmax and fmin take the number where there is no depth.
    farthest = np.asarray(cv2.dilate(np.fmax(metres, np.float32(0)), window))
    nearest = np.asarray(cv2.erode(np.fmin(metres, np.float32(np.inf)), window))
    # Where nothing is near, `nearest` is the largest number: the other side is the one to scale.
    return np.asarray(farthest * np.float32(1 / (1 + JUMP)) > nearest)


def of_another_part(
    whole: NDArray[np.bool_], instances: NDArray[np.uint16], z: NDArray[np.float32]
) -> NDArray[np.bool_] | None:
    """
    Mark what a mask covers beside the largest part of its object.

    Masks reach over an object's edge, and one may cover two objects. What a depth jump separates
    from the largest part is kept only where it is as far away as that part: an object that
    something stands before is in pieces too. Where no part is half of the object, depth is too
    sparse to judge by, and all stays. Every second pixel is looked at.

    :param whole: bool (H, W), pixels inside an instance with depth and on no jump.
    :param instances: uint16 (H, W), of which no two touch within `whole`.
    :param z: float32 (H, W), metres.
    :returns: bool (H, W), or None where there is nothing of the kind.
    """
    small = np.ascontiguousarray(whole[::2, ::2])
    pixels = np.flatnonzero(small)
    if not pixels.size:
        return None
    labels = np.asarray(cv2.connectedComponents(small.view(np.uint8), connectivity=4)[1], np.int32)
    parts = labels.reshape(-1).take(pixels)
    owner = np.zeros(int(parts.max()) + 1, np.intp)
    owner[parts] = instances[::2, ::2].reshape(-1).take(pixels)
    foreign = _foreign(parts, z[::2, ::2].reshape(-1).take(pixels), owner)
    if not foreign.any():
        return None
    # Grown, since its rim may lie between the pixels that were looked at.
    marked = cv2.dilate(foreign.take(labels).view(np.uint8), np.ones((3, 3), np.uint8))
    height, width = whole.shape
    return np.asarray(marked).repeat(2, 0).repeat(2, 1)[:height, :width].view(bool)


def _foreign(
    parts: NDArray[np.int32], z: NDArray[np.float32], owner: NDArray[np.intp]
) -> NDArray[np.bool_]:
    """
    Judge the parts by their distance from the largest one of the same object.

    :param parts: int32 (N,), the part that each pixel is in, from 1 on.
    :param owner: each part's object.
    :returns: a flag for each part.
    """
    count = np.bincount(parts, minlength=len(owner))
    total = np.maximum(count, 1)
    near = np.bincount(parts, z, len(owner)) / total
    variance = np.bincount(parts, z * z, len(owner)) / total - near ** 2
    spread = np.sqrt(np.maximum(variance, 0))
    main = np.zeros(int(owner.max()) + 1, np.intp)
    ascending = np.argsort(count, kind='stable')
    main[owner[ascending]] = ascending      # the last that is written is the largest
    largest, whole = main[owner], np.bincount(owner, count)
    # The half extent of a slope is less than twice its spread.
    slack = 2 * spread[largest] + JUMP * near[largest]
    far = np.abs(near - near[largest]) > slack
    return np.asarray(far & (count > 0) & (2 * count[largest] >= whole[owner]))

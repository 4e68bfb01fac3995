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

"""Pixels of a mask whose depth is reliable: away from edges and jumps, on the object itself."""

import cv2
import numpy as np
from numpy.typing import NDArray
from seg_ros.depth.morphology import square

# Neighbouring pixels that differ by more than this fraction of their distance lie on two surfaces,
# unless one surface is seen at less than 4 degrees (at a focal length of 500 pixels).
JUMP = 0.03


def instance_interiors(instances: NDArray[np.uint16], erosion_px: int) -> NDArray[np.bool_]:
    """
    Mark instance pixels farther than `erosion_px` from other instances and from the background.

    The image's edge does not count as an edge of an instance.

    :param instances: uint16 (H, W), segment ids, 0 = none.
    :returns: bool (H, W).
    """
    window = square(erosion_px)
    lowest, highest = cv2.erode(instances, window), cv2.dilate(instances, window)
    return np.asarray((lowest == highest) & (lowest > 0))


def depth_discontinuities(metres: NDArray[np.float32]) -> NDArray[np.bool_]:
    """
    Mark pixels with a depth jump in their 3 x 3 neighbourhood, where flying pixels occur.

    :param metres: float32 (H, W), NaN = none; missing neighbours are not a jump.
    :returns: bool (H, W).
    """
    window = square(1)
    # fmax and fmin replace NaN by their second argument.
    farthest = np.asarray(cv2.dilate(np.fmax(metres, np.float32(0)), window))
    nearest = np.asarray(cv2.erode(np.fmin(metres, np.float32(np.inf)), window))
    # `nearest` may be the largest float32, so the other side is scaled.
    return np.asarray(farthest * np.float32(1 / (1 + JUMP)) > nearest)


def detached_parts(
    whole: NDArray[np.bool_], instances: NDArray[np.uint16], z: NDArray[np.float32]
) -> NDArray[np.bool_] | None:
    """
    Mark pixels of a mask that do not belong to the largest part of its object.

    Masks extend beyond an object's edge, and one mask may cover two objects. Parts separated from
    the largest one by a depth jump are kept only if they are at its distance, since an object that
    is partly hidden is in pieces too. If no part is half of the object, depth is too sparse to
    judge and nothing is marked. Every second pixel is examined.

    :param whole: bool (H, W), pixels inside an instance, with depth and not on a jump.
    :param instances: uint16 (H, W); no two instances touch within `whole`.
    :param z: float32 (H, W), metres.
    :returns: bool (H, W), or None if no pixel is marked.
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
    # Dilated, since the edge may lie between the examined pixels.
    marked = cv2.dilate(foreign.take(labels).view(np.uint8), square(1))
    height, width = whole.shape
    return np.asarray(marked).repeat(2, 0).repeat(2, 1)[:height, :width].view(bool)


def _foreign(
    parts: NDArray[np.int32], z: NDArray[np.float32], owner: NDArray[np.intp]
) -> NDArray[np.bool_]:
    """
    Flag parts that are not at the distance of the largest part of the same object.

    :param parts: int32 (N,), each pixel's part, numbered from 1.
    :param z: float32 (N,), each pixel's depth.
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
    main[owner[ascending]] = ascending      # the last one written is the largest
    largest, whole = main[owner], np.bincount(owner, count)
    # Half the depth range of a slanted surface is less than two standard deviations.
    slack = 2 * spread[largest] + JUMP * near[largest]
    far = np.abs(near - near[largest]) > slack
    return np.asarray(far & (count > 0) & (2 * count[largest] >= whole[owner]))

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

"""Greedy non-maximum suppression (NMS) on the host."""

import numpy as np
from numpy.typing import NDArray


def greedy_nms(
    boxes: NDArray[np.float32], classes: NDArray[np.int32], iou: float
) -> NDArray[np.intp]:
    """
    Select the boxes that `compile.nms` would keep, without its fixed number of steps.

    On a CPU this is faster: with OpenVINO, one thread and 12 objects (interleaved runs), inference
    took 0.65 of the time with NMS in the graph for 300 candidates, 0.43 for 1000.

    :param boxes: (M, 4), x0, y0, x1, y1, best first.
    :param classes: (M,); boxes of different classes do not suppress each other.
    :param iou: IoU above which the lower-scored of two boxes is removed; 0 keeps all.
    :returns: indices of the kept boxes, best first.
    """
    if not iou:
        return np.arange(len(boxes))
    x0, y0, x1, y1 = boxes.T
    area = (x1 - x0) * (y1 - y0)
    alive = np.ones(len(boxes), bool)
    kept = []
    for index in range(len(boxes)):
        if not alive[index]:
            continue
        kept.append(index)
        after = np.s_[index + 1:]
        wide = np.minimum(x1[index], x1[after]) - np.maximum(x0[index], x0[after])
        high = np.minimum(y1[index], y1[after]) - np.maximum(y0[index], y0[after])
        shared = np.maximum(wide, 0) * np.maximum(high, 0)
        union = area[index] + area[after] - shared
        suppressed = (shared > union * np.float32(iou)) & (classes[after] == classes[index])
        alive[after] &= ~suppressed
    return np.array(kept, np.intp)

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

"""Greedy non-maximum suppression (NMS) as repeated matrix products of fixed shapes."""

import torch
from torch import Tensor

DEPTH = 64      # longest chain of suppressions for which the result is exact


def greedy_nms(boxes: Tensor, alive: Tensor, iou: float, group: Tensor | None = None) -> Tensor:
    """
    Keep the boxes that `torchvision.ops.nms` keeps, for each group separately.

    By the fixed-point iteration of `compile.nms`.

    :param boxes: (M, 4), x0, y0, x1, y1, best first.
    :param alive: float (M), 1 for candidates, 0 for boxes to ignore.
    :param iou: overlap above which the weaker box is suppressed.
    :param group: integers (M); boxes of different groups do not suppress each other.
    :returns: float (M), 1 where a box is kept.
    """
    count = int(boxes.shape[0])
    x0, y0, x1, y1 = boxes.unbind(1)
    area = (x1 - x0) * (y1 - y0)
    width = (torch.minimum(x1[:, None], x1) - torch.maximum(x0[:, None], x0)).clamp(min=0)
    height = (torch.minimum(y1[:, None], y1) - torch.maximum(y0[:, None], y0)).clamp(min=0)
    shared = width * height
    union = area[:, None] + area - shared
    rank = torch.arange(count, dtype=boxes.dtype)
    suppressing = (shared > union * iou).to(boxes.dtype) * (rank[:, None] < rank).to(boxes.dtype)
    if group is not None:
        suppressing = suppressing * (group[:, None] == group).to(boxes.dtype)
    keep = alive[None]
    for _ in range(min(DEPTH, count)):
        keep = ((keep @ suppressing) < 0.5).to(boxes.dtype) * alive
    return keep[0]

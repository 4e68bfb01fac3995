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

"""Greedy suppression as textbooks have it, one box after the other."""

import numpy as np


def plain_iou(one, other):
    width, height = np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2])
    shared = max(0.0, float(width)) * max(0.0, float(height))
    areas = [float((box[2] - box[0]) * (box[3] - box[1])) for box in (one, other)]
    return shared / (sum(areas) - shared) if sum(areas) > shared else 0.0


def plain_nms(boxes, classes, iou):
    """
    Return the indexes that stay.

    :param boxes: (M, 4), best first.
    """
    kept = []
    for index in range(len(boxes)):
        candidates = [other for other in kept if classes[other] == classes[index]]
        if all(plain_iou(boxes[index], boxes[other]) <= iou for other in candidates):
            kept.append(index)
    return kept

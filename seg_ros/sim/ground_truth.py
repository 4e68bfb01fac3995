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

"""Ground truth masks of rendered images."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from seg_ros.core.segmentation import Segmentation
from seg_ros.masks.from_maps import segmentation_from_maps
from seg_ros.sim.classes import CARD, CLASSES


def segmentation_from_bodies(
    bodies: NDArray[np.int32], class_of_body: Mapping[int, int]
) -> Segmentation:
    """
    Convert a map of body numbers to classes and instances.

    :param bodies: int32 (H, W), -1 where there is none.
    :param class_of_body: class id by body number; pixels of other bodies stay unlabelled.
    :returns: each body of a thing class is an instance, numbered from 1.
    """
    classes = np.full(bodies.shape, CARD.unlabelled, np.uint8)
    instances = np.zeros(bodies.shape, np.uint16)
    count = 0
    for number in np.unique(bodies[bodies >= 0]).tolist():
        class_id = class_of_body.get(number)
        if class_id is None:
            continue
        mask = bodies == number
        classes[mask] = class_id
        if CLASSES[class_id].thing:
            count += 1
            instances[mask] = count
    return segmentation_from_maps(classes, instances, CARD)


def crowded(segmentation: Segmentation) -> int:
    """Count the instances that touch or occlude another instance."""
    ids = segmentation.instances
    if ids is None:
        return 0
    found: set[int] = set()
    for near, far in ((ids[1:], ids[:-1]), (ids[:, 1:], ids[:, :-1])):
        touch = (near != far) & (near > 0) & (far > 0)
        found |= set(near[touch].tolist()) | set(far[touch].tolist())
    return len(found)

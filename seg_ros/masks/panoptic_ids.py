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

"""Panoptic ids: one number a pixel, of its instance or of its stuff class."""

import numpy as np
from numpy.typing import NDArray
from seg_ros.core.card import ModelCard
from seg_ros.core.segmentation import Segmentation

FIRST_STUFF = 65536  # above every instance


def panoptic_ids(segmentation: Segmentation, card: ModelCard) -> NDArray[np.uint32]:
    """
    Merge classes and instances: an instance has its own id, a class without instances 65536 + id.

    What is countable but belongs to no instance is void, 0, as is what has no class; only a
    semantic network, which finds no instances at all, has countable classes among the others.

    :returns: uint32 (H, W).
    :raises ContractError: if either map was not requested.
    """
    classes, instances = segmentation.part('classes'), segmentation.part('instances')
    id_of_class = np.zeros(card.unlabelled + 1, np.uint32)
    for item in card.classes:
        if card.task == 'semantic' or not item.thing:
            id_of_class[item.id] = FIRST_STUFF + item.id
    ids: NDArray[np.uint32] = id_of_class[classes]
    np.copyto(ids, instances, where=instances > 0)
    return ids

"""One number for every pixel: its instance, or its class where that has no instances."""

import numpy as np
from numpy.typing import NDArray
from seg_ros.core.card import ModelCard
from seg_ros.core.errors import ContractError
from seg_ros.core.segmentation import Segmentation

FIRST_STUFF = 65536  # above every instance


def panoptic_ids(segmentation: Segmentation, card: ModelCard) -> NDArray[np.uint32]:
    """
    Merge classes and instances: an instance has its own id, a class without instances 65536 + id.

    What is countable but belongs to no instance is void, 0, as is what has no class; only a
    semantic network, which finds no instances at all, has countable classes among the others.

    :returns: uint32 (H, W).
    :raises ContractError: if either map was not asked for.
    """
    if segmentation.classes is None or segmentation.instances is None:
        raise ContractError('a panoptic map without its parts', 'classes and instances')
    id_of_class = np.zeros(card.unlabelled + 1, np.uint32)
    for item in card.classes:
        if card.task == 'semantic' or not item.thing:
            id_of_class[item.id] = FIRST_STUFF + item.id
    ids = id_of_class[segmentation.classes]
    np.copyto(ids, segmentation.instances, where=segmentation.instances > 0)
    return ids

"""One picture's outputs, merged into a segmentation whose parts agree."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from seg_ros.core.card import ModelCard
from seg_ros.core.contract import Contract, Outputs
from seg_ros.core.cuts import Cuts
from seg_ros.core.geometry import Fit
from seg_ros.core.labels import hide_classes, source_classes
from seg_ros.core.owners import countable_owners, Owners
from seg_ros.core.paint import Patch, patches_from_outputs
from seg_ros.core.segmentation import ClassMap, Segment, Segmentation

PARTS = frozenset({'classes', 'confidence', 'instances'})


def segmentation_from_outputs(
    outputs: Outputs, fit: Fit, contract: Contract, card: ModelCard, cuts: Cuts,
    parts: frozenset[str] = PARTS,
) -> Segmentation:
    """
    Turn what an engine returned for one picture into masks at the picture's size.

    A semantic network gives classes without instances; an instance network leaves the rest
    unlabelled; where there are both, an instance's pixels take its class and its score.

    :param outputs: of one picture, without the batch axis.
    :param parts: names of the maps to make, of `PARTS`; the table of segments always is.
    """
    classes, confidence, owners = _maps(outputs, fit, contract, card, cuts, parts)
    instances = np.zeros(fit.source_hw, np.uint16) if 'instances' in parts else None
    patches = patches_from_outputs(outputs, fit, contract, cuts, owners)
    segments = segments_from_patches(patches, card, range(1, len(patches) + 1))
    for patch, segment in zip(patches, segments, strict=True):
        if classes is not None:
            patch.write(classes, segment.class_id)
        if confidence is not None:
            patch.write(confidence, round(255 * segment.score))
        if instances is not None:
            patch.write(instances, segment.id)
    kept = classes if 'classes' in parts else None
    return Segmentation(fit.source_hw, card.unlabelled, kept, confidence, instances, segments)


def _maps(
    outputs: Outputs, fit: Fit, contract: Contract, card: ModelCard, cuts: Cuts,
    parts: frozenset[str],
) -> tuple[ClassMap | None, NDArray[np.uint8] | None, Owners | None]:
    """
    Return the maps that patches are then written into, and who owns the pixels where it shows.

    An instance ends where the countable classes do, those that are to be hidden among them.
    """
    competes = outputs.instances is not None and outputs.labels is not None
    if not competes and not parts & {'classes', 'confidence'}:
        return None, None, None
    confidence = owners = None
    if outputs.labels is not None:
        every = replace(cuts, channels=frozenset(range(len(card.classes))))
        classes, confidence = source_classes(
            outputs, fit, contract, card, every if competes else cuts, 'confidence' in parts
        )
    else:
        classes = np.full(fit.source_hw, card.unlabelled, card.id_of_channel.dtype)
    if competes:
        owners = countable_owners(outputs, classes, fit, contract, card)
        hide_classes(classes, confidence, card, cuts)
    if 'confidence' not in parts:
        return classes, None, owners
    if confidence is None:
        confidence = np.zeros(fit.source_hw, np.uint8)
    return classes, confidence, owners


def segments_from_patches(
    patches: Sequence[Patch], card: ModelCard, ids: Sequence[int]
) -> tuple[Segment, ...]:
    """List the patches under the ids that they are to carry."""
    return tuple(
        Segment(number, card.classes[patch.channel].id, patch.score, patch.xyxy, patch.area)
        for number, patch in zip(ids, patches, strict=True)
    )

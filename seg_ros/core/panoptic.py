"""One picture's outputs, merged into a segmentation whose parts agree."""

from collections.abc import Sequence

import numpy as np
from seg_ros.core.card import ModelCard
from seg_ros.core.contract import Contract, Outputs
from seg_ros.core.cuts import Cuts
from seg_ros.core.geometry import Fit
from seg_ros.core.labels import source_classes
from seg_ros.core.paint import Patch, patches_from_outputs
from seg_ros.core.segmentation import Segment, Segmentation

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
    wants_map = bool(parts & {'classes', 'confidence'})
    classes = confidence = None
    if wants_map and outputs.labels is not None:
        classes, confidence = source_classes(
            outputs, fit, contract, card, cuts, 'confidence' in parts
        )
    elif wants_map:
        classes = np.full(fit.source_hw, card.unlabelled, card.id_of_channel.dtype)
    if 'confidence' in parts and confidence is None:
        confidence = np.zeros(fit.source_hw, np.uint8)
    if 'confidence' not in parts:
        confidence = None
    instances = np.zeros(fit.source_hw, np.uint16) if 'instances' in parts else None
    patches = patches_from_outputs(outputs, fit, contract, cuts)
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


def segments_from_patches(
    patches: Sequence[Patch], card: ModelCard, ids: Sequence[int]
) -> tuple[Segment, ...]:
    """List the patches under the ids that they are to carry."""
    return tuple(
        Segment(number, card.classes[patch.channel].id, patch.score, patch.xyxy, patch.area)
        for number, patch in zip(ids, patches, strict=True)
    )

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

"""Panoptic segmentation: classes and instances of one image, merged consistently."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from seg_ros.core.card import ModelCard
from seg_ros.core.segmentation import ClassMap, Segment, Segmentation
from seg_ros.core.tensors import Outputs
from seg_ros.masks.class_map import hide_classes, hide_small_stuff, source_classes
from seg_ros.masks.instance_masks import instance_masks_from_outputs, InstanceMask
from seg_ros.masks.pixel_to_instance import PixelToInstance, thing_pixel_to_instance
from seg_ros.masks.postprocess_context import PostprocessContext
from seg_ros.masks.query_masks import instance_masks_from_query_scores


def panoptic_segmentation(outputs: Outputs, context: PostprocessContext) -> Segmentation:
    """
    Turn the outputs of a network with instances into masks at the image's size.

    The pixels of an instance get its class and its score. The others get the class of the class
    map, if the network has one; else they are unlabelled. The table of segments is always made.
    `semantic_segmentation` gives the same for a network without instances, in less time.

    :param outputs: tensors of one image, without the batch axis.
    """
    size_hw, card, parts = context.fit.source_hw, context.card, context.parts
    classes, confidence, pixel_to_instance = _maps(outputs, context)
    instances = np.zeros(size_hw, np.uint16) if 'instances' in parts else None
    stuff, instance_masks = _stuff_and_instances(outputs, context, pixel_to_instance)
    for item in stuff:
        _write(item, card, classes, confidence)
    if classes is not None and context.thresholds.stuff:
        hide_small_stuff(classes, confidence, card, context.thresholds.stuff)
    segments = segments_from_instance_masks(instance_masks, card, _ids(instance_masks, outputs))
    for item, segment in zip(instance_masks, segments, strict=True):
        _write(item, card, classes, confidence)
        if instances is not None:
            item.write(instances, segment.id)
    kept = classes if 'classes' in parts else None
    return Segmentation(size_hw, card.unlabelled, kept, confidence, instances, segments)


def _stuff_and_instances(
    outputs: Outputs, context: PostprocessContext, pixel_to_instance: PixelToInstance | None
) -> tuple[list[InstanceMask], list[InstanceMask]]:
    """Return the masks of stuff, which only queries give, and the masks of instances."""
    stuff: set[int] = set()
    if outputs.rivals is None:
        found = instance_masks_from_outputs(outputs, context, pixel_to_instance)
    else:
        found = instance_masks_from_query_scores(outputs, context)
        stuff.update(i for i, item in enumerate(context.card.classes) if not item.thing)
    # The score of an instance is the confidence of its pixels.
    min_confidence = context.thresholds.confidence
    kept = [item for item in found if round(255 * item.score) >= min_confidence]
    return (
        [item for item in kept if item.channel in stuff],
        [item for item in kept if item.channel not in stuff],
    )


def _ids(instance_masks: Sequence[InstanceMask], outputs: Outputs) -> Sequence[int]:
    """Return the ids of the prompts, or without prompts 1, 2, ..., best first."""
    if outputs.ids is None:
        return range(1, len(instance_masks) + 1)
    return [int(outputs.ids[item.slot]) for item in instance_masks]


def _write(
    item: InstanceMask, card: ModelCard, classes: ClassMap | None,
    confidence: NDArray[np.uint8] | None,
) -> None:
    """Set the class and the confidence of an instance's pixels."""
    if classes is not None:
        item.write(classes, card.classes[item.channel].id)
    if confidence is not None:
        item.write(confidence, round(255 * item.score))


def _maps(
    outputs: Outputs, context: PostprocessContext
) -> tuple[ClassMap | None, NDArray[np.uint8] | None, PixelToInstance | None]:
    """
    Return class and confidence maps to write instances into, and the instance map if there is one.

    Instances end at the edges of countable classes, so classes are hidden only after that.
    """
    fit, card, parts = context.fit, context.card, context.parts
    competes = outputs.instances is not None and outputs.labels is not None
    if not competes and not parts & {'classes', 'confidence'}:
        return None, None, None
    confidence = pixel_to_instance = None
    if outputs.labels is not None:
        wanted = _with_all_classes(context) if competes else context
        classes, confidence = source_classes(outputs, wanted, 'confidence' in parts)
    else:
        classes = np.full(fit.source_hw, card.unlabelled, card.id_of_channel.dtype)
    if competes:
        pixel_to_instance = thing_pixel_to_instance(outputs, classes, context)
        hide_classes(classes, confidence, card, context.thresholds)
    if 'confidence' not in parts:
        return classes, None, pixel_to_instance
    if confidence is None:
        confidence = np.zeros(fit.source_hw, np.uint8)
    return classes, confidence, pixel_to_instance


def _with_all_classes(context: PostprocessContext) -> PostprocessContext:
    channels = frozenset(range(len(context.card.classes)))
    return replace(context, thresholds=replace(context.thresholds, channels=channels))


def segments_from_instance_masks(
    instance_masks: Sequence[InstanceMask], card: ModelCard, ids: Sequence[int]
) -> tuple[Segment, ...]:
    """
    Return the table of segments.

    :param ids: ids of the instances, in their order.
    """
    return tuple(
        Segment(
            number, card.classes[instance.channel].id, instance.score, instance.xyxy, instance.area
        )
        for number, instance in zip(ids, instance_masks, strict=True)
    )

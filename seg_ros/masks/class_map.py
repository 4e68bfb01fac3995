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

"""Class maps at the size of the source image."""

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from seg_ros.core.card import ModelCard
from seg_ros.core.segmentation import ClassMap, marked, Segmentation
from seg_ros.core.tensors import Outputs
from seg_ros.core.thresholds import Thresholds
from seg_ros.image.bilinear_sampling import (
    Indices,
    interpolated,
    row_and_column_interpolation,
)
from seg_ros.masks.label_edges import refine
from seg_ros.masks.postprocess_context import PostprocessContext


def semantic_segmentation(outputs: Outputs, context: PostprocessContext) -> Segmentation:
    """
    Turn the outputs of a network without instances into masks at the image's size.

    The instance map is empty.

    :param outputs: tensors of one image, without the batch axis.
    """
    parts, source_hw = context.parts, context.fit.source_hw
    classes = confidence = None
    if parts & {'classes', 'confidence'}:
        classes, confidence = source_classes(outputs, context, 'confidence' in parts)
    if confidence is None:      # the network has none
        confidence = np.zeros(source_hw, np.uint8)
    return Segmentation(
        source_hw,
        context.card.unlabelled,
        classes if 'classes' in parts else None,
        confidence if 'confidence' in parts else None,
        np.zeros(source_hw, np.uint16) if 'instances' in parts else None,
    )


def source_classes(
    outputs: Outputs, context: PostprocessContext, want_confidence: bool
) -> tuple[ClassMap, NDArray[np.uint8] | None]:
    """
    Upsample one image's labels to source size.

    With `logits`, the answer is the argmax of the bilinearly interpolated scores, first to the
    network's size where the network itself would enlarge them (`ModelSignature.enlarged`).
    A pixel whose neighbours all have one class gets that class, since no convex combination of
    their scores can favour another; elsewhere `masks.label_edges` decides.
    Without `logits`, the nearest label is taken; labels that the engine has upsampled to source
    size are taken as they are.

    :param outputs: tensors of one image, without the batch axis.
    :returns: card ids (H, W), and the confidence uint8 (H, W) where it is wanted or needed.
    """
    labels = outputs.tensor('labels')
    card, thresholds = context.card, context.thresholds
    table = id_table(card, thresholds)
    small = table[labels] if labels.dtype == np.uint8 else table[np.clip(labels, -1, None)]
    if context.signature.source_hw:
        classes, confidence = small, outputs.confidence
    else:
        want_confidence = want_confidence or bool(thresholds.confidence)
        classes, confidence = _enlarged(outputs, context, table, small, want_confidence)
    context.fit.clear_unseen(classes, card.unlabelled)
    if confidence is not None:
        if thresholds.confidence:
            classes[confidence < thresholds.confidence] = card.unlabelled
        confidence[classes == card.unlabelled] = 0
    return classes, confidence


def _enlarged(
    outputs: Outputs, context: PostprocessContext, table: ClassMap, small: ClassMap,
    want_confidence: bool,
) -> tuple[ClassMap, NDArray[np.uint8] | None]:
    """
    Upsample labels to the source's size.

    :param table: card id by channel.
    :param small: card ids of the labels.
    """
    fit, signature = context.fit, context.signature
    labels, rule = outputs.tensor('labels'), signature.upsampling
    rows, columns = row_and_column_interpolation(fit, labels.shape, rule)
    confidence = None
    if outputs.confidence is not None and want_confidence:
        fine = interpolated(outputs.confidence, rows, columns)
        confidence = (fine + np.float32(0.5)).astype(np.uint8)
    if outputs.logits is None:
        return repeated(small, rows.nearest, columns.nearest), confidence
    rows, columns = row_and_column_interpolation(fit, labels.shape, rule, signature.enlarged)
    classes = repeated(small, rows.first, columns.first)
    refine(
        classes, labels, outputs.logits, rows, columns, table,
        confidence=confidence, activation=signature.activation,
    )
    return classes, confidence


def id_table(card: ModelCard, thresholds: Thresholds) -> ClassMap:
    """
    Map channel indexes to card ids.

    :returns: one entry per channel, filled up with `unlabelled` to at least 256 entries and one
        more than the channels, so that 255 as a byte and -1 both mean no class. Channels that are
        not in `thresholds.channels` are unlabelled too.
    """
    channels = len(card.classes)
    table = np.full(max(256, channels + 1), card.unlabelled, card.id_of_channel.dtype)
    kept = sorted(thresholds.channels)
    table[kept] = card.id_of_channel[kept]
    return table


def hide_classes(
    classes: ClassMap,
    confidence: NDArray[np.uint8] | None,
    card: ModelCard,
    thresholds: Thresholds,
) -> None:
    """Set pixels of classes that are not in `thresholds.channels` to unlabelled."""
    hidden = [item.id for i, item in enumerate(card.classes) if i not in thresholds.channels]
    _unlabel(classes, confidence, card, hidden)


def hide_small_stuff(
    classes: ClassMap, confidence: NDArray[np.uint8] | None, card: ModelCard, min_share: float
) -> None:
    """
    Set stuff classes that cover less than a share of the image to unlabelled.

    As Panoptic-DeepLab (Cheng et al., CVPR 2020) and Panoptic FPN do, since a few scattered pixels
    of a class are mostly wrong.
    """
    stuff = [item.id for item in card.classes if not item.thing]
    bins = card.unlabelled + 1
    pixels = cv2.calcHist([classes], [0], None, [bins], [0, bins]).ravel()
    small = [item for item in stuff if 0 < pixels[item] < min_share * classes.size]
    _unlabel(classes, confidence, card, small)


def _unlabel(
    classes: ClassMap, confidence: NDArray[np.uint8] | None, card: ModelCard, ids: Sequence[int]
) -> None:
    if not ids:
        return
    gone = marked(classes, ids)
    classes[gone] = card.unlabelled
    if confidence is not None:
        confidence[gone] = 0


def repeated(small: NDArray[Any], rows: Indices, columns: Indices) -> NDArray[Any]:
    """
    Repeat rows and columns of a map; columns first, while there are few rows.

    :param rows: index of a row of the map for each row of the result; likewise `columns`.
    """
    return small.take(columns, axis=1).take(rows, axis=0)

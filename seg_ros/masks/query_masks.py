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

"""Masks of query-based networks, whose slots compete for every pixel of the source."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from seg_ros.core.tensors import Outputs
from seg_ros.image.bilinear_sampling import (
    AxisInterpolation,
    interpolated,
    row_and_column_interpolation,
)
from seg_ros.image.fit import Fit, Xyxy
from seg_ros.masks.class_map import repeated
from seg_ros.masks.instance_masks import CandidateSlot, instance_in_window, InstanceMask
from seg_ros.masks.label_edges import refine
from seg_ros.masks.postprocess_context import PostprocessContext


def instance_masks_from_query_scores(
    outputs: Outputs, context: PostprocessContext
) -> list[InstanceMask]:
    """
    Return the masks of one image whose slots compete for each pixel.

    As Mask2Former merges its queries: a pixel goes to the slot with the highest product of score
    and probability, if the probability alone reaches the mask threshold. A slot that wins no more
    than `thresholds.visible` of its own mask is dropped, and its pixels stay without instance.
    Classes that are not in `thresholds.channels` compete too, and are dropped last.

    :param outputs: tensors of one image, with `rivals`, without the batch axis.
    :returns: things and stuff, best first, which share no pixel.
    """
    scores, classes = outputs.tensor('scores'), outputs.tensor('classes')
    thresholds = context.thresholds
    order = np.argsort(-scores, kind='stable')
    numbers = order[(scores[order] > 0) & (scores[order] >= thresholds.score)]
    if not numbers.size:
        return []
    slots = [
        CandidateSlot(number, int(classes[number]), float(scores[number]))
        for number in numbers.tolist()
    ]
    masks = np.asarray(outputs.tensor('rivals')[numbers], np.float32)
    pixel_to_mask = _pixel_to_mask(masks * scores[numbers, None, None], context)
    found = _instances_of_winners(slots, masks, pixel_to_mask, context)
    return [instance for instance in found if instance.channel in thresholds.channels]


def _pixel_to_mask(
    weighted: NDArray[np.float32], context: PostprocessContext
) -> NDArray[np.uint16]:
    """Return which mask is the highest at each pixel of the source, counted from 1, (H, W)."""
    fit, signature, labels = context.fit, context.signature, weighted.argmax(axis=0)
    rows, columns = row_and_column_interpolation(
        fit, labels.shape, signature.upsampling, signature.enlarged
    )
    numbers = np.arange(1, len(weighted) + 1, dtype=np.uint16)
    pixel_to_mask: NDArray[np.uint16] = repeated(numbers[labels], rows.first, columns.first)
    refine(pixel_to_mask, labels, weighted, rows, columns, numbers)
    fit.clear_unseen(pixel_to_mask)
    return pixel_to_mask


def _instances_of_winners(
    slots: Sequence[CandidateSlot], masks: NDArray[np.float32], pixel_to_mask: NDArray[np.uint16],
    context: PostprocessContext,
) -> Iterator[InstanceMask]:
    """
    Yield the pixels that each slot has won, unless they are too few.

    :param masks: probabilities of the slots (slots, h, w).
    :param pixel_to_mask: uint16 (H, W), the number of the winner, counted from 1.
    """
    fit, thresholds = context.fit, context.thresholds
    rows, columns = row_and_column_interpolation(
        fit, masks.shape[1:], context.signature.upsampling
    )
    min_probability = thresholds.mask_level / 255
    won = np.bincount(pixel_to_mask.reshape(-1), minlength=len(masks) + 1)
    for number, (slot, mask) in enumerate(zip(slots, masks, strict=True), start=1):
        window = _window(mask >= min_probability, rows, columns, fit)
        if window is None:
            continue
        x0, y0, x1, y1 = window
        own = np.asarray(interpolated(mask, rows, columns, window) >= min_probability)
        if won[number] <= thresholds.visible * np.count_nonzero(own):
            continue
        own &= pixel_to_mask[y0:y1, x0:x1] == number
        if instance := instance_in_window(slot, (x0, y0), own):
            yield instance


def _window(
    present: NDArray[np.bool_], rows: AxisInterpolation, columns: AxisInterpolation, fit: Fit
) -> Xyxy | None:
    """Return the part of the source that the set cells affect, x0, y0, x1, y1; or None."""
    if not present.any():
        return None
    left, top, right, bottom = fit.seen_xyxy
    y0, y1 = rows.reached(np.atleast_2d(present.any(axis=1)))[0].tolist()
    x0, x1 = columns.reached(np.atleast_2d(present.any(axis=0)))[0].tolist()
    window = max(x0, left), max(y0, top), min(x1, right), min(y1, bottom)
    return window if window[0] < window[2] and window[1] < window[3] else None

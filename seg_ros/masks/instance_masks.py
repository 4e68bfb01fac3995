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

"""Instance masks at source size, without overlap, from soft masks or from an instance map."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from seg_ros.core.signature import ModelSignature
from seg_ros.core.tensors import Outputs
from seg_ros.core.thresholds import Thresholds
from seg_ros.image.bilinear_sampling import (
    AxisInterpolation,
    interpolated,
    interpolation_at,
    row_and_column_interpolation,
)
from seg_ros.image.fit import Fit, Xyxy
from seg_ros.masks.pixel_to_instance import nearest_pixel_to_instance, PixelToInstance
from seg_ros.masks.postprocess_context import PostprocessContext


class CandidateSlot(NamedTuple):
    """One detection of an image, whose box and mask have the same number."""

    number: int
    channel: int
    score: float


@dataclass(frozen=True, eq=False)
class InstanceMask:
    """
    The visible pixels of one instance.

    :param slot: number of the detection that it is cut out of.
    :param channel: channel of its class.
    :param score: 0 to 1.
    :param xyxy: x0, y0, x1, y1 of the visible pixels in source pixels, continuous edges.
    :param mask: bool (y1 - y0, x1 - x0).
    :param area: number of set pixels of `mask`.
    """

    slot: int
    channel: int
    score: float
    xyxy: Xyxy
    mask: NDArray[np.bool_]
    area: int

    def write(self, image: NDArray[Any], value: int) -> None:
        """Set this instance's pixels of `image` (H, W)."""
        x0, y0, x1, y1 = self.xyxy
        np.copyto(image[y0:y1, x0:x1], value, where=self.mask, casting='unsafe')


def instance_masks_from_outputs(
    outputs: Outputs, context: PostprocessContext,
    pixel_to_instance: PixelToInstance | None = None,
) -> list[InstanceMask]:
    """
    Cut one image's instances out, best first.

    :param outputs: tensors of one image, without the batch axis.
    :param pixel_to_instance: `outputs.instances` at the source's size, where it is known already.
    :returns: masks that share no pixel: the higher score owns it, and an instance of which less
        than `thresholds.visible` remains is dropped.
    """
    if outputs.scores is None:
        return []
    scores, classes = outputs.scores, outputs.tensor('classes')
    thresholds = context.thresholds
    slots = [
        CandidateSlot(number, int(classes[number]), float(scores[number]))
        for number in np.argsort(-scores, kind='stable').tolist()
        if scores[number] > 0
        and scores[number] >= thresholds.score
        and classes[number] in thresholds.channels
    ]
    if outputs.instances is None:
        return list(_instance_masks_from_masks(outputs, slots, context))
    if pixel_to_instance is None:
        pixel_to_instance = nearest_pixel_to_instance(outputs, context)
    return list(_instance_masks_from_map(outputs, pixel_to_instance, slots, context))


def _instance_masks_from_masks(
    outputs: Outputs, slots: list[CandidateSlot], context: PostprocessContext
) -> Iterator[InstanceMask]:
    fit, signature, masks = context.fit, context.signature, outputs.tensor('masks')
    boxes = fit.source_xyxy(outputs.tensor('boxes'))
    spans = _bordered(boxes, masks.shape[1:], signature) if signature.mask_frame == 'box' else None
    left, top, right, bottom = fit.seen_xyxy
    # A pixel belongs to a box if its index lies in [x0, x1), as YOLO's crop has it.
    pasted = spans if spans is not None and signature.snap == 'whole_pixels' else np.ceil(boxes)
    windows = np.clip(pasted, (left, top) * 2, (right, bottom) * 2).astype(np.intp)
    free = np.ones(fit.source_hw, bool)
    for slot in slots:
        x0, y0, x1, y1 = windows[slot.number].tolist()
        if x1 <= x0 or y1 <= y0:
            continue
        span = None if spans is None else spans[slot.number]
        soft = _soft_mask(masks[slot.number], fit, span, (x0, y0, x1, y1))
        mask = _visible(soft, free[y0:y1, x0:x1], context.thresholds)
        if mask is None:
            continue
        if instance := instance_in_window(slot, (x0, y0), mask):
            yield instance


def _bordered(
    boxes: NDArray[np.float32], mask_hw: tuple[int, ...], signature: ModelSignature
) -> NDArray[np.float32]:
    """
    Return what box masks with a border of one cell cover, x0, y0, x1, y1.

    Whole pixels are those of torchvision's `paste_masks_in_image`: coordinates are cut off towards
    zero, and both ends count as inside.
    """
    cells = np.array(mask_hw[::-1], np.float32)
    border = (boxes[:, 2:] - boxes[:, :2]) / cells
    spans = np.hstack([boxes[:, :2] - border, boxes[:, 2:] + border])
    if signature.snap == 'whole_pixels':
        spans = np.trunc(spans)
        spans[:, 2:] += 1
    return np.asarray(spans, np.float32)


def _visible(
    soft: NDArray[np.float32], free: NDArray[np.bool_], thresholds: Thresholds
) -> NDArray[np.bool_] | None:
    """
    Return the pixels of one window that an instance gets, and take them from what is free.

    :param soft: float32 (rows, columns), the instance's mask.
    :param free: bool (rows, columns), pixels that no better instance owns.
    :returns: bool (rows, columns); None where too little of the mask is free.
    """
    mask = np.asarray(soft > thresholds.mask_level)
    whole = np.count_nonzero(mask)
    mask &= free
    if np.count_nonzero(mask) < thresholds.visible * whole:
        return None
    free ^= mask    # clears it, as all of it was free
    return mask


def _soft_mask(
    mask: NDArray[np.uint8], fit: Fit, span: NDArray[np.float32] | None, window: Xyxy
) -> NDArray[np.float32]:
    """
    Interpolate a mask in a window of the source, float32 (rows, columns).

    :param span: source pixels that the mask covers with a border of one cell, and beyond which it
        is 0; None = it covers the network's input.
    """
    if span is None:
        rows, columns = row_and_column_interpolation(fit, mask.shape)
        return interpolated(mask, rows, columns, window)
    x0, y0, x1, y1 = window
    left, top, right, bottom = span.tolist()
    bordered = cv2.copyMakeBorder(mask, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    rows = _in_span(y0, y1, top, bottom, bordered.shape[0])
    columns = _in_span(x0, x1, left, right, bordered.shape[1])
    return interpolated(bordered, rows, columns)


def _in_span(first: int, last: int, low: float, high: float, size: int) -> AxisInterpolation:
    """Lay source pixels over a mask of `size` that spans `low` to `high`, half-pixel centres."""
    centre = np.arange(first, last) + 0.5
    return interpolation_at((centre - low) * (size / (high - low)) - 0.5, size)


def _instance_masks_from_map(
    outputs: Outputs, pixel_to_instance: PixelToInstance, slots: list[CandidateSlot],
    context: PostprocessContext,
) -> Iterator[InstanceMask]:
    """
    Cut instances out of a map whose pixels belong to one each.

    The cells of `outputs.instances`, from which the map was made, show where to look.

    :param pixel_to_instance: slot + 1 for each pixel of the source, 0 = none.
    """
    cells, count = outputs.tensor('instances'), len(outputs.tensor('scores'))
    height, width = cells.shape
    in_row = np.zeros((count + 1, height), bool)
    in_column = np.zeros((count + 1, width), bool)
    in_row[cells, np.arange(height)[:, None]] = True
    in_column[cells, np.arange(width)] = True
    rows, columns = row_and_column_interpolation(
        context.fit, cells.shape, context.signature.upsampling
    )
    spans = np.hstack([rows.reached(in_row), columns.reached(in_column)]).tolist()
    for slot in slots:
        y0, y1, x0, x1 = spans[slot.number + 1]
        mask = np.asarray(pixel_to_instance[y0:y1, x0:x1] == slot.number + 1)
        if instance := instance_in_window(slot, (x0, y0), mask):
            yield instance


def instance_in_window(
    slot: CandidateSlot, corner_xy: tuple[int, int], mask: NDArray[np.bool_]
) -> InstanceMask | None:
    """
    Return an instance whose pixels are those set in a window of the source; None without any.

    :param slot: the detection that it is cut out of.
    :param corner_xy: the window's left and upper edge in the source.
    :param mask: bool (rows, columns).
    """
    area = int(np.count_nonzero(mask))
    if not area:
        return None
    left, top = corner_xy
    x, y, width, height = cv2.boundingRect(mask.view(np.uint8))
    return InstanceMask(
        slot.number, slot.channel, slot.score,
        (left + x, top + y, left + x + width, top + y + height),
        mask[y:y + height, x:x + width], area,
    )

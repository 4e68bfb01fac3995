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

"""Instances at source size: soft masks, or a map of who owns a pixel, cut without overlap."""

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
    bilinear_sampling,
    interpolated,
    Sampling,
    sampling_at,
    Xyxy,
)
from seg_ros.image.letterbox import Fit
from seg_ros.masks.pixel_to_instance import nearest_pixel_to_instance, PixelToInstance


class CandidateSlot(NamedTuple):
    """One detection of an image, whose box and mask have the same number."""

    number: int
    channel: int
    score: float


@dataclass(frozen=True, eq=False)
class InstanceMask:
    """
    The visible pixels of one instance.

    :param slot: number of the detection that it was cut out of.
    :param channel: of its class.
    :param score: 0 to 1.
    :param xyxy: x0, y0, x1, y1 of the visible pixels in source pixels, continuous edges.
    :param mask: bool (y1 - y0, x1 - x0).
    :param area: how many pixels of `mask` are set.
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
    outputs: Outputs,
    fit: Fit,
    signature: ModelSignature,
    thresholds: Thresholds,
    owner: PixelToInstance | None = None,
) -> list[InstanceMask]:
    """
    Cut one image's instances out, best first.

    :param outputs: of one image, without the batch axis.
    :param owner: of the source's pixels, where `outputs.instances` was enlarged already.
    :returns: masks that share no pixel: the higher score owns it, and an instance of which less
        than `thresholds.visible` remains is dropped.
    """
    if outputs.scores is None:
        return []
    scores, classes = outputs.scores, outputs.tensor('classes')
    slots = [
        CandidateSlot(number, int(classes[number]), float(scores[number]))
        for number in np.argsort(-scores, kind='stable').tolist()
        if scores[number] > 0
        and scores[number] >= thresholds.score
        and classes[number] in thresholds.channels
    ]
    if outputs.instances is not None:
        if owner is None:
            owner = nearest_pixel_to_instance(outputs, fit, signature)
        return list(_instance_masks_from_map(
            owner, outputs.instances, slots, fit, signature, len(scores)
        ))
    return list(_instance_masks_from_masks(outputs, slots, fit, signature, thresholds))


def _instance_masks_from_masks(
    outputs: Outputs,
    slots: list[CandidateSlot],
    fit: Fit,
    signature: ModelSignature,
    thresholds: Thresholds,
) -> Iterator[InstanceMask]:
    masks = outputs.tensor('masks')
    boxes = fit.source_xyxy(outputs.tensor('boxes'))
    spans = _bordered(boxes, masks.shape[1:], signature) if signature.mask_frame == 'box' else None
    top, bottom, left, right = fit.seen_yyxx()
    # A pixel belongs to a box if its index lies in [x0, x1), as YOLO's crop has it.
    pasted = spans if spans is not None and signature.snap == 'whole_pixels' else np.ceil(boxes)
    windows = np.clip(pasted, (left, top) * 2, (right, bottom) * 2).astype(np.intp)
    free = np.ones(fit.source_hw, bool)
    for slot in slots:
        x0, y0, x1, y1 = windows[slot.number].tolist()
        if x1 <= x0 or y1 <= y0:
            continue
        span = None if spans is None else spans[slot.number]
        laid = _laid_out(masks[slot.number], fit, span, (x0, y0, x1, y1))
        mask, area, inner = _cut(laid, free[y0:y1, x0:x1], thresholds)
        if area:
            yield _placed(slot, (x0, y0), mask, area, inner)


def _bordered(
    boxes: NDArray[np.float32], mask_hw: tuple[int, ...], signature: ModelSignature
) -> NDArray[np.float32]:
    """
    Return what masks over boxes span together with a border of one cell, x0, y0, x1, y1.

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


class _Laid(NamedTuple):
    """
    A soft mask and where the source's pixels lie in it.

    :param small: uint8 (h, w).
    :param xyxy: the window that is wanted, in indices of `rows` and `columns`.
    """

    small: NDArray[np.uint8]
    rows: Sampling
    columns: Sampling
    xyxy: Xyxy


def _cut(
    laid: _Laid, free: NDArray[np.bool_], thresholds: Thresholds
) -> tuple[NDArray[np.bool_], int, Xyxy]:
    """
    Cut one window of the source out of a soft mask, and take its free pixels.

    :param free: bool (rows, columns), what no better instance owns; what is taken is cleared.
    :returns: the mask, how many pixels it has, none where too few are free, and their box.
    """
    mask = np.asarray(interpolated(*laid) > thresholds.mask_level)
    whole = np.count_nonzero(mask)
    mask &= free
    area = int(np.count_nonzero(mask))
    if not area or area < thresholds.visible * whole:
        return mask, 0, (0, 0, 0, 0)
    free ^= mask
    return mask, area, _inner(mask)


def _laid_out(
    mask: NDArray[np.uint8], fit: Fit, span: NDArray[np.float32] | None, window: Xyxy
) -> _Laid:
    """
    Lay one window of the source over a mask, which gets a border of zeros where it spans a box.

    :param span: of the mask with its border, in source pixels; None = the network's input.
    """
    if span is None:
        return _Laid(
            mask,
            bilinear_sampling(fit, mask.shape, 0),
            bilinear_sampling(fit, mask.shape, 1),
            window,
        )
    x0, y0, x1, y1 = window
    left, top, right, bottom = span.tolist()
    bordered = cv2.copyMakeBorder(mask, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    rows = _in_span(y0, y1, top, bottom, bordered.shape[0])
    columns = _in_span(x0, x1, left, right, bordered.shape[1])
    return _Laid(np.asarray(bordered, np.uint8), rows, columns, (0, 0, x1 - x0, y1 - y0))


def _in_span(first: int, last: int, low: float, high: float, size: int) -> Sampling:
    """Lay source pixels over a mask of `size` that spans `low` to `high`, half-pixel centres."""
    centre = np.arange(first, last) + 0.5
    return sampling_at((centre - low) * (size / (high - low)) - 0.5, size)


def _instance_masks_from_map(
    owner: PixelToInstance,
    cells: NDArray[Any],
    slots: list[CandidateSlot],
    fit: Fit,
    signature: ModelSignature,
    count: int,
) -> Iterator[InstanceMask]:
    """
    Cut instances out of a map whose pixels belong to one each.

    :param owner: slot + 1 for each pixel of the source, 0 = none.
    :param cells: the small map that it was made from, which shows where to look.
    :param count: of all slots.
    """
    height, width = cells.shape
    in_row = np.zeros((count + 1, height), bool)
    in_column = np.zeros((count + 1, width), bool)
    in_row[cells, np.arange(height)[:, None]] = True
    in_column[cells, np.arange(width)] = True
    rows, columns = (
        bilinear_sampling(fit, cells.shape, axis, signature.upsampling) for axis in (0, 1)
    )
    spans = np.hstack([_reach(in_row, rows), _reach(in_column, columns)]).tolist()
    for slot in slots:
        y0, y1, x0, x1 = spans[slot.number + 1]
        mask = np.asarray(owner[y0:y1, x0:x1] == slot.number + 1)
        area = int(np.count_nonzero(mask))
        if area:
            yield _placed(slot, (x0, y0), mask, area, _inner(mask))


def _reach(present: NDArray[np.bool_], way: Sampling) -> NDArray[np.intp]:
    """
    Return the spans of source indices beside the cells that are marked, (rows, 2).

    Where none is marked, the span means nothing.
    """
    first = present.argmax(axis=1)
    last = present.shape[1] - 1 - present[:, ::-1].argmax(axis=1)
    return np.stack([
        np.searchsorted(way.below, first - 1, 'left'), np.searchsorted(way.below, last, 'right')
    ], axis=1)


def _inner(mask: NDArray[np.bool_]) -> Xyxy:
    """Return the box of the pixels that are set in a window."""
    x, y, width, height = cv2.boundingRect(mask.view(np.uint8))
    return x, y, x + width, y + height


def _placed(
    slot: CandidateSlot,
    corner_xy: tuple[int, int],
    mask: NDArray[np.bool_],
    area: int,
    inner: Xyxy,
) -> InstanceMask:
    """Shrink a window that begins at a corner to the box of the pixels that are set in it."""
    x0, y0, x1, y1 = inner
    x, y = corner_xy
    return InstanceMask(
        slot.number, slot.channel, slot.score, (x + x0, y + y0, x + x1, y + y1),
        mask[y0:y1, x0:x1], area,
    )


def visible_instance(
    slot: CandidateSlot, corner_xy: tuple[int, int], mask: NDArray[np.bool_]
) -> InstanceMask:
    """
    Return an instance whose pixels are those set in a window of the source.

    :param slot: that it is cut out of.
    :param corner_xy: of the window.
    :param mask: bool (rows, columns) with at least one pixel set.
    """
    area = int(np.count_nonzero(mask))
    return _placed(slot, corner_xy, mask, area, _inner(mask))

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

"""Instance maps upsampled to the size of the source image."""

from itertools import combinations
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from seg_ros.core.segmentation import ClassMap, marked
from seg_ros.core.tensors import Outputs
from seg_ros.image.bilinear_sampling import (
    AxisInterpolation,
    Indices,
    row_and_column_interpolation,
)
from seg_ros.masks.class_map import repeated
from seg_ros.masks.postprocess_context import PostprocessContext

PixelToInstance: TypeAlias = NDArray[np.uint8] | NDArray[np.int32]


def nearest_pixel_to_instance(outputs: Outputs, context: PostprocessContext) -> PixelToInstance:
    """
    Take the nearest cell's instance, for files that give instances without classes around them.

    :param outputs: tensors of one image, without the batch axis.
    :returns: slot + 1 for each pixel of the source, 0 = none.
    """
    fit, cells = context.fit, outputs.tensor('instances')
    rows, columns = row_and_column_interpolation(fit, cells.shape, context.signature.upsampling)
    pixel_to_instance: PixelToInstance = repeated(cells, rows.nearest, columns.nearest)
    fit.clear_unseen(pixel_to_instance)
    return pixel_to_instance


def thing_pixel_to_instance(
    outputs: Outputs, classes: ClassMap, context: PostprocessContext
) -> PixelToInstance:
    """
    Give each countable pixel to one of the instances in the four cells around it.

    So an instance ends where its class does in `classes`, whose edges are finer than the cells.
    Where cells of several instances surround a pixel, those of its own class come first, and of
    these the one whose cells weigh most in a bilinear interpolation.

    :param outputs: tensors of one image, without the batch axis.
    :param classes: card ids (H, W), before any are hidden.
    :returns: slot + 1 for each pixel of the source, 0 = none.
    """
    card, cells = context.card, outputs.tensor('instances')
    rows, columns = row_and_column_interpolation(
        context.fit, cells.shape, context.signature.upsampling
    )
    around = _around(cells)
    highest = around.max(axis=0)
    several = ((around > 0) & (around != highest)).any(axis=0)
    pixel_to_instance: PixelToInstance = repeated(highest, rows.first, columns.first)
    countable = marked(classes, {item.id for item in card.classes if item.thing})
    pixel_to_instance *= countable
    contested = np.flatnonzero(repeated(several, rows.first, columns.first) & countable)
    if contested.size:
        y, x = np.divmod(contested, pixel_to_instance.shape[1])
        id_of_slot = card.id_of_channel.take(outputs.tensor('classes'), mode='clip')
        window = rows.first[y] * around.shape[2] + columns.first[x]
        slots = around.reshape(4, -1).take(window, axis=1)
        own_class = id_of_slot.take(slots - 1, mode='clip') == classes.reshape(-1)[contested]
        winners = _winning_slots(slots, _shares(rows, columns, y, x), own_class)
        pixel_to_instance.reshape(-1)[contested] = winners
    return pixel_to_instance


def _around(cells: PixelToInstance) -> PixelToInstance:
    """Return the four cells at the corners of each window between cells, (4, h - 1, w - 1)."""
    height, width = cells.shape
    padded = np.pad(cells, ((0, height == 1), (0, width == 1)), 'edge')
    return np.stack([padded[:-1, :-1], padded[:-1, 1:], padded[1:, :-1], padded[1:, 1:]])


def _shares(
    rows: AxisInterpolation, columns: AxisInterpolation, y: Indices, x: Indices
) -> NDArray[np.float32]:
    """Return how much each corner of its window weighs at a pixel, float32 (4, pixels)."""
    shares = rows.weights[:, None, y] * columns.weights[:, x]
    return shares.reshape(4, len(y))


def _winning_slots(
    slots: PixelToInstance, shares: NDArray[np.float32], own_class: NDArray[np.bool_]
) -> NDArray[Any]:
    """
    Choose one corner's instance for each pixel; the first of its corners carries all its weight.

    :param slots: slot + 1 at the corners, 0 = none, (4, pixels).
    :param own_class: bool (4, pixels), whether the instance is of the pixel's class.
    """
    weights = shares + np.where(slots > 0, own_class, np.float32(-2))
    for one, other in combinations(range(len(slots)), 2):
        weights[one] += (slots[one] == slots[other]) * shares[other]
    winner = weights.argmax(axis=0)[None]
    return np.asarray(np.take_along_axis(slots, winner, axis=0)[0])

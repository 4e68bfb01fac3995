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

"""Computes boxes around soft masks, for networks that have no boxes or different ones."""

import numpy as np
from seg_ros.compile.tensor_ops import scalar
from spox import Var
import spox.opset.ai.onnx.v17 as op


def boxes_of_masks(
    inside: Var, slots: int, map_hw: tuple[int, int], network_hw: tuple[int, int]
) -> Var:
    """
    Return boxes around masks in network pixels, float32 (N, K, 4).

    They are one cell wider on each side, as interpolation reaches beyond a cell.

    :param inside: float32 (N, K, h * w), 1 where a cell is in the mask.
    :param slots: K.
    :param map_hw: h and w.
    :param network_hw: height and width of the image.
    """
    square = op.reshape(inside, op.const(np.array([-1, slots, *map_hw])))
    (height, width), (high, wide) = map_hw, network_hw
    x0, x1 = _span(op.reduce_max(square, axes=[2], keepdims=False), width, wide)
    y0, y1 = _span(op.reduce_max(square, axes=[3], keepdims=False), height, high)
    return op.concat([op.unsqueeze(side, op.const([2])) for side in (x0, y0, x1, y1)], axis=2)


def _span(present: Var, cells: int, pixels: int) -> tuple[Var, Var]:
    """Return start and end of the marked cells (N, K, cells), with a margin, in pixels."""
    number = np.arange(cells, dtype=np.float32)
    after = op.reduce_max(op.mul(present, op.const(number + 1)), axes=[2], keepdims=False)
    left = op.reduce_max(op.mul(present, op.const(cells - number)), axes=[2], keepdims=False)
    step = pixels / cells
    first = op.sub(scalar(cells - 1), left)
    last = op.add(after, scalar(1))
    return (
        op.max([op.mul(first, scalar(step)), scalar(0)]),
        op.min([op.mul(last, scalar(step)), scalar(pixels)]),
    )

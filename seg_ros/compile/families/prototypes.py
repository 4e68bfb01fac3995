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

"""Mask prototypes: planes that YOLO's coefficients combine to the masks of instances."""

from dataclasses import dataclass
from math import prod

import numpy as np
from seg_ros.compile.families.strip_output_ops import spans_image
from seg_ros.compile.network import Network
from seg_ros.compile.tensor_info import TensorInfo
from spox import Var
import spox.opset.ai.onnx.v17 as op

_STRIDE = 4     # stride of prototypes with flattened pixels


@dataclass(frozen=True)
class Prototypes:
    """
    Output and layout of the prototypes.

    :param order: permutation of the axes that brings channels to the front, if they are last.
    """

    info: TensorInfo
    depth: int
    map_hw: tuple[int, int]
    order: tuple[int, ...] = ()

    @property
    def shape(self) -> tuple[int, int, int]:
        """Return depth, height and width."""
        return self.depth, *self.map_hw

    def planes(self, tensor: Var) -> Var:
        """Return the prototypes as float32 (N, P, h, w)."""
        floats = op.cast(tensor, to=np.float32)
        transposed = op.transpose(floats, perm=self.order) if self.order else floats
        if len(self.info.shape) == 4:
            return transposed
        return op.reshape(transposed, op.const(np.array([-1, *self.shape])))


def prototypes_of(network: Network) -> list[Prototypes]:
    """
    Return the outputs that could be prototypes: (N, P, h, w), (N, h, w, P) or (N, P, h * w).

    If both orders of axes are possible, both are returned, unless they have the same depth.
    """
    found = [
        item for info in network.outputs if info.dtype.kind == 'f'
        for item in (_planes if len(info.shape) == 4 else _rows)(network, info)
    ]
    once = {(item.info.name, item.depth): item for item in reversed(found)}
    return list(once.values())[::-1]


def _planes(network: Network, info: TensorInfo) -> list[Prototypes]:
    _, first, second, third = info.shape
    likely = [
        Prototypes(info, first, (second, third)),
        Prototypes(info, third, (first, second), (0, 3, 1, 2)),
    ]
    return [item for item in likely if spans_image(network, item.map_hw)]


def _rows(network: Network, info: TensorInfo) -> list[Prototypes]:
    height, width = (side // _STRIDE for side in network.size_hw)
    if len(info.shape) != 3 or info.shape[2] != height * width:
        return []
    return [Prototypes(info, info.shape[1], (height, width))]


def has_coefficients(network: Network, output: str) -> bool:
    """Return whether other outputs hold boxes, coefficients for this one, and a third part."""
    sides = {side for info in network.outputs if len(info.shape) == 3 for side in info.shape[1:]}
    widths = [_columns(network, side) for side in sides]
    return any(
        len(columns) > 2 and {4, protos.depth} <= {*columns}
        for protos in prototypes_of(network) if protos.info.name == output
        for columns in widths
    )


def is_part_of_rows(network: Network, info: TensorInfo, depth: int) -> bool:
    """Return whether boxes and coefficients of the same anchors are outputs of their own."""
    for anchors, width in (info.shape[1:], info.shape[:0:-1]):
        columns = _columns(network, anchors)
        # If all other columns are an output too, these are complete rows.
        if {4, depth} <= {*columns} and width - 4 - depth not in columns:
            return True
    return False


def _columns(network: Network, anchors: int) -> list[int]:
    """Return the numbers per anchor of each output with this number of anchors."""
    shapes = [info.shape for info in network.outputs if len(info.shape) in (2, 3)]
    return [prod(shape[1:]) // anchors for shape in shapes if anchors in shape[1:]]

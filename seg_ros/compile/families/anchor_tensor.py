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

"""
Tensors with some numbers for each anchor, such as its box or its class scores.

An anchor is a cell of a map (YOLOv8 and later), or one of the three anchor boxes of a cell (v5 and
v7).
"""

from dataclasses import dataclass
from math import prod
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from seg_ros.compile.families.detections import columns, columns_at, rows_at
from seg_ros.compile.network import Network
from seg_ros.compile.tensor_info import TensorInfo
from spox import Var
import spox.opset.ai.onnx.v17 as op

Numbers: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True)
class AnchorTensor:
    """
    A tensor (N, A, columns), a map (N, h, w, columns), or (N, A) with one number for each anchor.

    :param columns_first: whether columns are the second axis instead of the last.
    :param start: first column that belongs to it.
    :param stop: the column after the last; None for all further columns.
    """

    info: TensorInfo
    columns_first: bool = False
    start: int = 0
    stop: int | None = None

    @property
    def _total(self) -> int:
        shape = self.info.shape
        return 1 if len(shape) == 2 else shape[1 if self.columns_first else -1]

    @property
    def columns(self) -> int:
        """Return the number of columns that belong to it."""
        return len(range(self._total)[self.start:self.stop])

    @property
    def anchors(self) -> int:
        """Return A, or h * w."""
        return prod(self.info.shape[1:]) // self._total

    def values(self, network: Network) -> Numbers:
        """Return the values on all trial images, (anchors of all images, columns)."""
        arrays = network.trial_values(self.info.name)
        if self.columns_first:
            arrays = [np.moveaxis(array, 1, -1) for array in arrays]
        rows = np.concatenate([array.reshape(-1, self._total) for array in arrays])
        return rows[:, self.start:self.stop].astype(np.float64)

    def rows(self, tensor: Var) -> Var:
        """Return a row for each anchor, float32 (N, A, columns)."""
        rows, axes = op.cast(tensor, to=np.float32), len(self.info.shape)
        if self.columns_first:
            rows = op.transpose(rows, perm=[0, *range(2, axes), 1])
        if axes == 4:
            rows = op.reshape(rows, op.const(np.array([0, -1, self._total])))
        if self.columns == self._total:
            return rows
        return columns(rows, self.start, self.start + self.columns)

    def highest(self, tensor: Var) -> Var:
        """Return the highest number of each anchor, (N, A), from (N, A) or three axes."""
        if len(self.info.shape) == 2:
            return tensor
        return op.reduce_max(tensor, axes=[1 if self.columns_first else 2], keepdims=False)

    def at(self, tensor: Var, index: Var) -> Var:
        """Return the numbers of anchors (N, M) from three axes, (N, M, columns)."""
        if self.columns_first:
            return op.transpose(columns_at(tensor, index, self.columns), perm=[0, 2, 1])
        return rows_at(tensor, index)

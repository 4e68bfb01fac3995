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
Dense conditional random field (CRF) that refines class scores by mean field in the graph.

Reference: P. Kraehenbuehl and V. Koltun, Efficient Inference in Fully Connected CRFs with Gaussian
Edge Potentials, 2011, with Potts compatibility and a symmetrically normalised appearance kernel.
Their smoothness kernel is left out: tuning gave it no weight. Instead of filtering on the
permutohedral lattice, each pixel gets messages from the means of cells, as in attention: one
matrix of pixels by cells serves all steps. With cells of one pixel this is exact.
"""

from dataclasses import dataclass
from math import ceil, prod

import numpy as np
from numpy.typing import NDArray
from seg_ros.compile.tensor_ops import scalar
from spox import Var
import spox.opset.ai.onnx.v17 as op

STRIDE = 4      # side of a CRF pixel, in network pixels
_MAX_PAIRS = 24_000_000     # elements of the matrix of pixels by cells: 96 MB


@dataclass(frozen=True)
class CrfParameters:
    """
    Kernel parameters; the defaults are tuned on street scenes and the scores of four networks.

    :param place: standard deviation of positions, as a fraction of the image width.
    :param color: standard deviation of colours, in levels of 0 to 255.
    :param appearance: weight of the kernel.
    :param cell: side of a cell in CRF pixels; None selects it by `affordable_cell`.
    :param steps: number of mean field steps.
    """

    place: float = 0.15
    color: float = 5.0
    appearance: float = 1.5
    cell: int | None = None
    steps: int = 5


def refined_logits(
    logits: Var, image: Var, map_hw: tuple[int, int], channels: int,
    parameters: CrfParameters | None = None,
) -> Var:
    """
    Refine class scores with the colours of their image.

    :param logits: float32 (N, C, h, w), at the CRF's resolution.
    :param image: float32 (N, 3, h, w), colours from 0 to 255.
    :param channels: C.
    :returns: float32 (N, C, h, w); their softmax is the marginal distribution of the CRF.
    """
    field = _Field(map_hw, channels, parameters or CrfParameters())
    kernel = field.kernel(image)
    inverse = field.inverse_norm(kernel)
    scores = logits
    for _ in range(field.parameters.steps):
        scores = field.step(logits, op.softmax(scores, axis=1), kernel, inverse)
    return scores


def affordable_cell(map_hw: tuple[int, int]) -> int:
    """Return the smallest cell side with which the matrix of pixels by cells is small enough."""
    cell = 1
    while prod(map_hw) * prod(_cells_hw(map_hw, cell)) > _MAX_PAIRS:
        cell += 1
    return cell


def _cells_hw(map_hw: tuple[int, int], cell: int) -> tuple[int, int]:
    return ceil(map_hw[0] / cell), ceil(map_hw[1] / cell)


class _Field:
    """The parts of a CRF that do not depend on the scores."""

    def __init__(
        self, map_hw: tuple[int, int], channels: int, parameters: CrfParameters
    ) -> None:
        self.parameters = parameters
        self._map_hw, self._channels = map_hw, channels
        self._cell = cell = parameters.cell or affordable_cell(map_hw)
        self._cells_hw = _cells_hw(map_hw, cell)
        # Weight of the message from the pixel itself, as its colour may differ from its cell's.
        self._self_weight = np.float32(cell > 1)

    def kernel(self, image: Var) -> Var:
        """Return the weight of each cell's message to each pixel, (N, h * w, cells)."""
        height, width = self._map_hw
        rows, columns = np.indices(self._map_hw).astype(np.float32) / np.float32(
            self.parameters.place * width
        )
        places = op.const(np.stack([rows, columns])[None])
        colors = op.div(image, scalar(self.parameters.color))
        batch = op.slice(op.shape(image), op.const([0]), op.const([1]))
        grid = op.expand(places, op.concat([batch, op.const([2, height, width])], axis=0))
        features = op.concat([grid, colors], axis=1)
        means = self._flat(self._cell_means(features), 5, self._cells_hw)
        flat = op.transpose(self._flat(features, 5, self._map_hw), perm=[0, 2, 1])
        squares = op.reduce_sum(op.mul(flat, flat), op.const([2]), keepdims=True)
        others = op.reduce_sum(op.mul(means, means), op.const([1]), keepdims=True)
        products = op.mul(op.matmul(flat, means), scalar(2))
        distance = op.relu(op.sub(op.add(squares, others), products))
        similar = op.exp(op.mul(distance, scalar(-0.5)))
        return op.mul(similar, op.const(self._cell_sizes()))

    def inverse_norm(self, kernel: Var) -> Var:
        """Return 1 / sqrt(sum of the weights) for each pixel, (N, 1, h, w)."""
        cell_weights = op.reduce_sum(kernel, op.const([2]), keepdims=False)
        total = op.add(cell_weights, op.const(self._self_weight))
        root = op.reciprocal(op.sqrt(total))
        return op.reshape(root, op.const(np.array([-1, 1, *self._map_hw])))

    def step(self, logits: Var, probabilities: Var, kernel: Var, inverse: Var) -> Var:
        """Return the scores after one mean field step."""
        weighted = op.mul(probabilities, inverse)
        means = self._flat(self._cell_means(weighted), self._channels, self._cells_hw)
        sums = op.matmul(kernel, op.transpose(means, perm=[0, 2, 1]))
        message = op.reshape(
            op.transpose(sums, perm=[0, 2, 1]),
            op.const(np.array([-1, self._channels, *self._map_hw])),
        )
        if self._self_weight:
            message = op.add(message, weighted)
        update = op.mul(message, op.mul(inverse, scalar(self.parameters.appearance)))
        return op.add(logits, update)

    def _cell_means(self, maps: Var) -> Var:
        cell = self._cell
        (height, width), (rows, columns) = self._map_hw, self._cells_hw
        pads = [0, 0, rows * cell - height, columns * cell - width]
        return op.average_pool(maps, kernel_shape=[cell] * 2, strides=[cell] * 2, pads=pads)

    def _cell_sizes(self) -> NDArray[np.float32]:
        """Return the number of pixels in each cell, (1, 1, cells)."""
        cell = self._cell
        sides = [
            np.minimum(cell, size - cell * np.arange(cells))
            for size, cells in zip(self._map_hw, self._cells_hw, strict=True)
        ]
        return np.outer(*sides).reshape(1, 1, -1).astype(np.float32)

    def _flat(self, maps: Var, channels: int, size_hw: tuple[int, int]) -> Var:
        return op.reshape(maps, op.const(np.array([-1, channels, size_hw[0] * size_hw[1]])))

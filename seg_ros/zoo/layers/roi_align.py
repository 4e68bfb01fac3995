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

"""RoIAlign over a feature pyramid as one Gather and one matrix product, of fixed shapes."""

from collections.abc import Sequence

import torch
from torch import nn, Tensor

_SAMPLES = 2    # per side of an output cell, each interpolated from 2 x 2 neighbours


class PyramidRoiAlign(nn.Module):
    """
    Pool each box from the level that matches its size, as `MultiScaleRoIAlign` does.

    All levels form one table of rows, so that each box is pooled only once: each output cell is a
    weighted sum of 16 rows.

    :param sizes_hw: sizes of the levels' maps.
    :param strides: of the levels, in pixels.
    :param output: cells per side.
    """

    def __init__(
        self, sizes_hw: Sequence[tuple[int, int]], strides: Sequence[int], output: int
    ) -> None:
        super().__init__()
        self.output = output
        first, levels = 0, []
        for (height, width), stride in zip(sizes_hw, strides, strict=True):
            levels.append((height, width, first, 1 / stride))
            first += height * width
        self.register_buffer('levels', torch.tensor(levels, dtype=torch.float32))
        # A box of 224 x 224 pixels belongs to the third level (equation 1 of the FPN paper).
        # torchvision counts levels regardless of their strides and adds 1e-6 to the logarithm.
        steps = [
            (14.0 * strides[0] * 2**level) ** 2 * 2.0**-2e-6 for level in range(1, len(strides))
        ]
        self.register_buffer('steps', torch.tensor(steps))
        cells = torch.arange(output)[:, None] + (torch.arange(_SAMPLES) + 0.5) / _SAMPLES
        self.register_buffer('samples', cells.to(torch.float32).flatten())

    def forward(self, maps: Sequence[Tensor], boxes: Tensor) -> Tensor:
        """
        Pool (P, 4) boxes.

        :param maps: (1, C, h, w) for each level.
        :returns: (P, C, output, output).
        """
        table = torch.cat([features[0].flatten(1) for features in maps], 1).T
        area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
        level = (area[:, None] >= self.steps).to(torch.int64).sum(1)
        height, width, first, scale = self.levels[level].unbind(1)
        x, weight_x = self._axis(boxes[:, 0], boxes[:, 2], scale, width)
        y, weight_y = self._axis(boxes[:, 1], boxes[:, 3], scale, height)
        y = y * width[:, None, None] + first[:, None, None]
        index = (y[:, :, None, :, None] + x[:, None, :, None, :]).to(torch.int64)
        weight = weight_y[:, :, None, :, None] * weight_x[:, None, :, None, :] / _SAMPLES**2
        count, depth, side = int(boxes.shape[0]), int(table.shape[1]), self.output
        taps = (2 * _SAMPLES) ** 2
        rows = table[index.reshape(-1)].reshape(count * side * side, taps, depth)
        pooled = weight.reshape(count * side * side, 1, taps) @ rows
        return pooled.reshape(count, side * side, depth).transpose(1, 2).reshape(
            count, depth, side, side
        )

    def _axis(
        self, low: Tensor, high: Tensor, scale: Tensor, size: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return rows and weights of the samples' neighbours on one axis: (P, output, 4) each."""
        start = low * scale
        length = (high * scale - start).clamp(min=1)
        place = start[:, None] + self.samples * (length / self.output)[:, None]
        last = size[:, None] - 1
        inside = ((place >= -1) & (place <= size[:, None])).to(place.dtype)
        place = place.clamp(min=0)
        below = torch.minimum(place.floor(), last)
        above = torch.minimum(below + 1, last)
        share = (place - below) * (below < last).to(place.dtype)
        rows = torch.stack([below, above], -1)
        weights = torch.stack([(1 - share) * inside, share * inside], -1)
        taps = 2 * _SAMPLES
        return rows.reshape(-1, self.output, taps), weights.reshape(-1, self.output, taps)

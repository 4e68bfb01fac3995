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
Pooling without an exact ONNX operator: max unpooling, and adaptive pooling to any size.

TensorRT does not return the indices of maxima, so their places are found by comparison.
"""

from seg_ros.zoo.layers.sizes import size_hw_of
import torch
from torch import nn, Tensor
from torch.nn import functional


def max_pool_with_places(features: Tensor) -> tuple[Tensor, Tensor]:
    """
    Pool windows of 2 x 2 as `max_pool2d(..., 2, ceil_mode=True, return_indices=True)` does.

    After a ReLU all values of a window are often equal, and comparing them with the maximum marks
    several places. Of equal values the first in reading order is taken, as in PyTorch.

    :param features: float (N, C, H, W).
    :returns: the maxima (N, C, ceil(H / 2), ceil(W / 2)), and a map (N, C, H, W) with 1 at the
        place of each maximum and 0 elsewhere.
    """
    size_hw = size_hw_of(features)
    best = functional.max_pool2d(features, 2, ceil_mode=True)
    is_best = (features == _repeated(best, size_hw)).to(features.dtype)
    rank = is_best * _reading_order(size_hw, features)
    first = _repeated(functional.max_pool2d(rank, 2, ceil_mode=True), size_hw)
    return best, (rank == first).to(features.dtype)


def max_unpool(pooled: Tensor, places: Tensor) -> Tensor:
    """Put each value at its maximum's place and 0 elsewhere, as `max_unpool2d(..., 2)` does."""
    return _repeated(pooled, size_hw_of(places)) * places


class AdaptiveAveragePool(nn.Module):
    """
    Adaptive average pooling as two matrix products.

    As in PyTorch, cell `i` covers floor(i * size / out) to ceil((i + 1) * size / out). PyTorch's
    exporter supports only output sizes that divide the input size.

    :param output_hw: rows and columns of the output.
    """

    def __init__(self, output_hw: tuple[int, int]) -> None:
        super().__init__()
        self.output_hw = output_hw

    def forward(self, features: Tensor) -> Tensor:
        """Pool (N, C, H, W) to (N, C, *output_hw)."""
        rows, columns = (
            _cell_weights(size, out).to(features)
            for size, out in zip(size_hw_of(features), self.output_hw, strict=True)
        )
        return rows @ features @ columns.T


def with_static_pooling(network: nn.Module) -> nn.Module:
    """Replace every adaptive average pooling to more than one cell, in place."""
    for name, child in network.named_children():
        if isinstance(child, nn.AdaptiveAvgPool2d):
            size = child.output_size
            output_hw = tuple(size) if isinstance(size, tuple | list) else (size, size)
            if output_hw != (1, 1):
                setattr(network, name, AdaptiveAveragePool(output_hw))
        else:
            with_static_pooling(child)
    return network


def _repeated(features: Tensor, size_hw: tuple[int, int]) -> Tensor:
    """Repeat every value over its window of 2 x 2, and crop to `size_hw`."""
    height, width = size_hw_of(features)
    wide = functional.interpolate(features, size=(2 * height, 2 * width), mode='nearest')
    return wide if size_hw_of(wide) == size_hw else wide[:, :, :size_hw[0], :size_hw[1]]


def _reading_order(size_hw: tuple[int, int], like: Tensor) -> Tensor:
    """Return the tile [[4, 3], [2, 1]] repeated: the first in reading order is the largest."""
    tile = like.new_tensor([[4.0, 3.0], [2.0, 1.0]])
    repeated = tile.repeat((size_hw[0] + 1) // 2, (size_hw[1] + 1) // 2)
    return repeated[None, None, :size_hw[0], :size_hw[1]]


def _cell_weights(size: int, out: int) -> Tensor:
    """Return the weight of each of `size` rows in each of `out` cells: (out, size)."""
    weights = torch.zeros(out, size)
    for cell in range(out):
        first, last = cell * size // out, -(-(cell + 1) * size // out)
        weights[cell, first:last] = 1 / (last - first)
    return weights

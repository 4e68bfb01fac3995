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

"""Atrous spatial pyramid pooling of DeepLab v3 (L.-C. Chen et al., 2017)."""

from collections.abc import Sequence

from seg_ros.zoo.layers.sizes import size_hw_of
import torch
from torch import nn, Tensor


def conv_block(channels: int, wide: int, kernel: int = 1, rate: int = 1) -> nn.Sequential:
    """Return a size-preserving convolution with batch normalisation and ReLU."""
    return nn.Sequential(
        nn.Conv2d(
            channels, wide, kernel, padding=rate * (kernel // 2), dilation=rate, bias=False
        ),
        nn.BatchNorm2d(wide), nn.ReLU(),
    )


class Aspp(nn.Module):
    """
    Concatenation of convolutions with several dilation rates and of the image's mean.

    :param depth: input channels.
    :param width: channels of each branch.
    :param rates: dilation rates of the 3x3 convolutions.
    """

    def __init__(self, depth: int, width: int, rates: Sequence[int]) -> None:
        super().__init__()
        self.features = nn.ModuleList(
            [conv_block(depth, width), *(conv_block(depth, width, 3, rate) for rate in rates)]
        )
        self.img_conv = conv_block(depth, width)

    def forward(self, features: Tensor) -> Tensor:
        """Return (N, (len(rates) + 2) * width, h, w), the mean's branch first."""
        mean = self.img_conv(features.mean((2, 3), keepdim=True))
        mean = mean.expand(-1, -1, *size_hw_of(features))
        return torch.cat([mean, *(branch(features) for branch in self.features)], 1)

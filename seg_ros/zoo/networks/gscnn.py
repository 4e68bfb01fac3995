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
Gated-SCNN: a trunk and a parallel shape stream, which is gated by the trunk.

Reference: T. Takikawa et al., Gated-SCNN: Gated Shape CNNs for Semantic Segmentation, ICCV 2019.
The trunk is torchvision's ResNet or MobileNetV2 instead of the published WideResNet38; the other
parts have the published names.
"""

from typing import Any

from seg_ros.core.card import IMAGENET_MEAN, IMAGENET_STD
from seg_ros.zoo.architectures import NetworkRequest
from seg_ros.zoo.layers.aspp import Aspp, conv_block
from seg_ros.zoo.layers.canny import canny
from seg_ros.zoo.layers.sizes import resized, size_hw_of
from seg_ros.zoo.networks.mobilenet import atrous_mobilenet, CHANNELS, levels_of
import torch
from torch import nn, Tensor
from torch.nn import functional

_RATES = (12, 24, 36)
_CANNY = (10, 100)


class _Residual(nn.Module):
    """A basic block of ResNet."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)

    def forward(self, features: Tensor) -> Tensor:
        inner = functional.relu(self.bn1(self.conv1(features)))
        return functional.relu(features + self.bn2(self.conv2(inner)))


class _Gate(nn.Module):
    """Gated convolution: attention from both streams, then a 1x1 convolution (equations 1, 2)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        both = width + 1
        self._gate_conv = nn.Sequential(
            nn.BatchNorm2d(both), nn.Conv2d(both, both, 1), nn.ReLU(), nn.Conv2d(both, 1, 1),
            nn.BatchNorm2d(1), nn.Sigmoid(),
        )
        self.weight = nn.Parameter(torch.randn(width, width, 1, 1) * width**-0.5)

    def forward(self, shape: Tensor, side: Tensor) -> Tensor:
        attention = self._gate_conv(torch.cat([shape, side], 1))
        return functional.conv2d(shape * (attention + 1), self.weight)


class _EdgeAspp(Aspp):
    """ASPP with the edges as an additional branch after the mean's."""

    def __init__(self, depth: int, width: int) -> None:
        super().__init__(depth, width, _RATES)
        self.edge_conv = conv_block(1, width)

    def with_edges(self, features: Tensor, edges: Tensor) -> Tensor:
        small = resized(edges, size_hw_of(features))
        pyramid = self(features)
        width = pyramid.shape[1] // (len(self.features) + 1)
        return torch.cat([pyramid[:, :width], self.edge_conv(small), pyramid[:, width:]], 1)


class GatedScnn(nn.Module):
    """
    Maps images to class scores of the same size.

    :param encoder: of torchvision: resnet50, resnet101 or mobilenet_v2.
    :param width: channels of the pyramid's branches.
    """

    def __init__(self, classes: int, encoder: str = 'resnet50', width: int = 256) -> None:
        super().__init__()
        self.trunk = _SmallTrunk() if encoder == 'mobilenet_v2' else _Trunk(encoder)
        stem, low, third, fourth, last = self.trunk.channels
        self.dsn3, self.dsn4, self.dsn7 = (nn.Conv2d(wide, 1, 1) for wide in (third, fourth, last))
        self.start = nn.Conv2d(stem, 64, 1)
        self.res1, self.res2, self.res3 = _Residual(64), _Residual(32), _Residual(16)
        self.d1, self.d2, self.d3 = (nn.Conv2d(wide, wide // 2, 1) for wide in (64, 32, 16))
        self.gate1, self.gate2, self.gate3 = _Gate(32), _Gate(16), _Gate(8)
        self.fuse = nn.Conv2d(8, 1, 1, bias=False)
        self.cw = nn.Conv2d(2, 1, 1, bias=False)
        self.aspp = _EdgeAspp(last, width)
        self.bot_fine = nn.Conv2d(low, 48, 1, bias=False)
        self.bot_aspp = nn.Conv2d((len(_RATES) + 3) * width, width, 1, bias=False)
        self.final_seg = nn.Sequential(
            *conv_block(width + 48, width, 3), *conv_block(width, width, 3),
            nn.Conv2d(width, classes, 1, bias=False),
        )
        for name, values in (('mean', IMAGENET_MEAN), ('std', IMAGENET_STD)):
            column = torch.tensor(values).view(1, 3, 1, 1)
            self.register_buffer(name, column, persistent=False)

    def edges(self, images: Tensor) -> Tensor:
        """Return the edges in normalised images, 0 or 255, without gradients."""
        with torch.no_grad():
            pixels = torch.round((images * self.std + self.mean) * 255).clamp(0, 255)
            return canny(pixels, *_CANNY) * 255

    def forward(self, images: Tensor) -> Tensor:
        """Score every pixel: (N, 3, H, W) to (N, classes, H, W)."""
        size_hw = size_hw_of(images)
        stem, low, third, fourth, last = self.trunk(images)
        shape = resized(self.start(stem), size_hw)
        for residual, narrow, gate, side, features in (
            (self.res1, self.d1, self.gate1, self.dsn3, third),
            (self.res2, self.d2, self.gate2, self.dsn4, fourth),
            (self.res3, self.d3, self.gate3, self.dsn7, last),
        ):
            shape = gate(narrow(residual(shape)), resized(side(features), size_hw))
        outline = torch.sigmoid(self.fuse(shape))
        acts = torch.sigmoid(self.cw(torch.cat([outline, self.edges(images)], 1)))
        context = self.bot_aspp(self.aspp.with_edges(last, acts))
        fine = self.bot_fine(low)
        scores = self.final_seg(torch.cat([fine, resized(context, size_hw_of(fine))], 1))
        return resized(scores, size_hw)


class _Trunk(nn.Module):
    """A ResNet at stride 8: returns its stem, at stride 2, and its four stages."""

    channels = (64, 256, 512, 1024, 2048)

    def __init__(self, encoder: str) -> None:
        super().__init__()
        from torchvision import models

        resnet: Any = models.get_model(
            encoder, weights=None, replace_stride_with_dilation=[False, True, True]
        )
        self.conv1, self.bn1, self.maxpool = resnet.conv1, resnet.bn1, resnet.maxpool
        self.layer1, self.layer2, self.layer3, self.layer4 = (
            resnet.layer1, resnet.layer2, resnet.layer3, resnet.layer4
        )

    def forward(self, images: Tensor) -> list[Tensor]:
        levels = [functional.relu(self.bn1(self.conv1(images)))]
        features = self.maxpool(levels[0])
        for layer in (self.layer1, self.layer2, self.layer3, self.layer4):
            features = layer(features)
            levels.append(features)
        return levels


class _SmallTrunk(nn.Module):
    """MobileNetV2 at stride 8."""

    channels = CHANNELS

    def __init__(self) -> None:
        super().__init__()
        self.features = atrous_mobilenet()

    def forward(self, images: Tensor) -> list[Tensor]:
        return levels_of(self.features, images)


def build(request: NetworkRequest) -> nn.Module:
    """Build the requested network."""
    return GatedScnn(request.classes, request.chosen_encoder, **request.options)

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
DeepLab v2: an atrous ResNet and four parallel atrous classifiers, summed (ASPP).

Reference: L.-C. Chen et al., DeepLab: Semantic Image Segmentation with Deep Convolutional Nets,
Atrous Convolution, and Fully Connected CRFs, 2016. Its dense CRF is `refine: crf` in the card.
Names of weights, ceil mode and position of the strides follow the published PyTorch conversions of
the Caffe model: `conv1`, `bn1`, `layer1` to `layer4`, `layer5.conv2d_list`.
"""

from typing import Any

from seg_ros.zoo.architectures import NetworkRequest
from seg_ros.zoo.layers.sizes import resized, size_hw_of
from seg_ros.zoo.networks.mobilenet import atrous_mobilenet, CHANNELS
from torch import nn, Tensor

RATES = (6, 12, 18, 24)


class _Classifiers(nn.Module):
    """Sum of one classifier for each dilation rate."""

    def __init__(self, depth: int, classes: int) -> None:
        super().__init__()
        self.conv2d_list = nn.ModuleList(
            nn.Conv2d(depth, classes, 3, padding=rate, dilation=rate) for rate in RATES
        )

    def forward(self, features: Tensor) -> Tensor:
        first, *others = (classifier(features) for classifier in self.conv2d_list)
        total: Tensor = sum(others, first)
        return total


class DeepLabV2(nn.Module):
    """
    Maps images to class scores of the same size.

    :param encoder: of torchvision: resnet50, resnet101 or resnet152.
    """

    def __init__(self, classes: int, encoder: str = 'resnet101') -> None:
        super().__init__()
        trunk = atrous_resnet(encoder)
        self.conv1, self.bn1, self.relu, self.maxpool = (
            trunk.conv1, trunk.bn1, trunk.relu, trunk.maxpool
        )
        self.layer1, self.layer2, self.layer3, self.layer4 = (
            trunk.layer1, trunk.layer2, trunk.layer3, trunk.layer4
        )
        self.layer5 = _Classifiers(trunk.fc.in_features, classes)

    def forward(self, images: Tensor) -> Tensor:
        """Score every pixel: (N, 3, H, W) to (N, classes, H, W)."""
        features = self.maxpool(self.relu(self.bn1(self.conv1(images))))
        for layer in (self.layer1, self.layer2, self.layer3, self.layer4):
            features = layer(features)
        return resized(self.layer5(features), size_hw_of(images))


class SmallDeepLabV2(nn.Module):
    """DeepLab v2 with MobileNetV2 as its encoder."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.features = atrous_mobilenet()
        self.layer5 = _Classifiers(CHANNELS[-1], classes)

    def forward(self, images: Tensor) -> Tensor:
        """Score every pixel: (N, 3, H, W) to (N, classes, H, W)."""
        return resized(self.layer5(self.features(images)), size_hw_of(images))


def atrous_resnet(encoder: str) -> Any:
    """Return torchvision's ResNet at stride 8, with strides and rates placed as in Caffe's."""
    from torchvision import models

    trunk = models.get_model(
        encoder, weights=None, replace_stride_with_dilation=[False, True, True]
    )
    trunk.maxpool.ceil_mode = True
    first = trunk.layer2[0]
    first.conv1.stride, first.conv2.stride = first.conv2.stride, first.conv1.stride
    for layer, rate in ((trunk.layer3, 2), (trunk.layer4, 4)):
        for block in layer:
            block.conv2.dilation = block.conv2.padding = (rate, rate)
    return trunk


def build(request: NetworkRequest) -> nn.Module:
    """Build the requested network."""
    if request.chosen_encoder == 'mobilenet_v2':
        return SmallDeepLabV2(request.classes)
    return DeepLabV2(request.classes, request.chosen_encoder, **request.options)

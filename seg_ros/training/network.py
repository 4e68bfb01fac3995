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
A small panoptic network: MobileNetV2, a pyramid of separable convolutions, and three heads.

After Cheng et al., "Panoptic-DeepLab" (CVPR 2020): each pixel has a class, each thing a centre on
a heat map, and each pixel of a thing an offset to the thing's centre. The backbone is from Sandler
et al., "MobileNetV2" (CVPR 2018), with torchvision's layer names so that published weights can be
loaded.
"""

from pathlib import Path

from seg_ros.core.errors import ModelError
import torch
from torch import nn, Tensor
from torch.nn import functional

STRIDE = 4
OFFSET_SCALE = 16.0     # cells; the unit in which the offset head predicts
_CENTER_SIGMA = 5.0     # cells; centre scores fall with the length of the cell's own offset
# Expansion, channels, repeats and stride of each stage; table 2 of the MobileNetV2 paper.
_STAGES = (
    (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2),
    (6, 320, 1, 1),
)
_LEVELS = (4, 7, 14, 18)    # ends of the backbone's layers with strides 4, 8, 16 and 32
_CHANNELS = (24, 32, 96, 320)


class PanopticNetwork(nn.Module):
    """
    Predicts class scores, centres and offsets at a quarter of the image size.

    :param classes: number of classes.
    :param width: channels of the pyramid.
    """

    def __init__(self, classes: int, width: int = 96) -> None:
        super().__init__()
        self.features = nn.Sequential(*_backbone())
        self.lateral = nn.ModuleList(
            nn.Sequential(nn.Conv2d(channels, width, 1, bias=False), nn.BatchNorm2d(width))
            for channels in _CHANNELS
        )
        self.whole = nn.Conv2d(_CHANNELS[-1], width, 1)
        self.smooth = nn.ModuleList(_separable(width, width) for _ in _CHANNELS)
        self.semantic = nn.Sequential(_separable(width, 64), nn.Conv2d(64, classes, 1))
        self.instance = nn.Sequential(_separable(width, width), _separable(width, 64))
        self.center = nn.Conv2d(64, 1, 1)
        self.offset = nn.Conv2d(64, 2, 1)
        nn.init.constant_(self.center.bias, -3.0)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """
        Predict at a quarter of the image size.

        :param images: float (N, 3, H, W), normalised; H and W multiples of 32.
        :returns: logits of classes (N, C, H/4, W/4), logits of centres (N, 1, H/4, W/4), and
            offsets to the centre (N, 2, H/4, W/4), dy and dx in cells.
        """
        levels = []
        features = images
        for start, end in zip((0, *_LEVELS[:-1]), _LEVELS, strict=True):
            features = self.features[start:end](features)
            levels.append(features)
        pyramid = self.whole(features.mean((2, 3), keepdim=True))
        for level in reversed(range(len(levels))):
            lateral = self.lateral[level](levels[level])
            pyramid = self.smooth[level](functional.relu(lateral + pyramid))
            if level:
                pyramid = functional.interpolate(
                    pyramid, scale_factor=2, mode='bilinear', align_corners=False
                )
        things = self.instance(pyramid)
        centers, offsets = self.center(things), self.offset(things) * OFFSET_SCALE
        if not self.training:
            # Cells that point elsewhere are not centres. Otherwise large things have several.
            centers = centers - offsets.square().sum(1, keepdim=True) / (2 * _CENTER_SIGMA ** 2)
        return self.semantic(pyramid), centers, offsets


def load_backbone(network: PanopticNetwork, path: Path) -> None:
    """
    Load ImageNet weights in torchvision's layout into the backbone.

    :raises ModelError: if the file has another layout.
    """
    try:
        weights = torch.load(path, weights_only=True, map_location='cpu')
        own = network.features.state_dict()
        network.features.load_state_dict({name: weights[f'features.{name}'] for name in own})
    except (OSError, KeyError, RuntimeError) as error:
        raise ModelError(
            f'{path}: {error}', 'weights of MobileNetV2 as torchvision has them'
        ) from error


def freeze(layers: nn.Module) -> None:
    """Freeze layers, including the statistics of their batch normalisation."""
    layers.eval()
    layers.requires_grad_(False)


def in_backbone(name: str) -> bool:
    """Return whether a parameter of this name belongs to the backbone."""
    return name.startswith('features.')


def _backbone() -> list[nn.Module]:
    layers: list[nn.Module] = [_conv(3, 32, 3, 2)]
    channels = 32
    for expansion, wide, repeats, stride in _STAGES:
        for repeat in range(repeats):
            layers.append(_Bottleneck(channels, wide, stride if repeat == 0 else 1, expansion))
            channels = wide
    return layers


class _Bottleneck(nn.Module):
    """An inverted residual: wide inside, narrow outside."""

    def __init__(self, channels: int, wide: int, stride: int, expansion: int) -> None:
        super().__init__()
        inner = channels * expansion
        self.residual = stride == 1 and channels == wide
        self.conv = nn.Sequential(
            *([_conv(channels, inner, 1)] if expansion != 1 else []),
            _conv(inner, inner, 3, stride, inner),
            nn.Conv2d(inner, wide, 1, bias=False),
            nn.BatchNorm2d(wide),
        )

    def forward(self, features: Tensor) -> Tensor:
        result: Tensor = self.conv(features)
        return features + result if self.residual else result


def _conv(channels: int, wide: int, kernel: int, stride: int = 1, groups: int = 1) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(channels, wide, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(wide), nn.ReLU6(inplace=True),
    )


def _separable(channels: int, wide: int) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(channels, channels, 5, padding=2, groups=channels, bias=False),
        nn.BatchNorm2d(channels), nn.ReLU(inplace=True),
        nn.Conv2d(channels, wide, 1, bias=False),
        nn.BatchNorm2d(wide), nn.ReLU(inplace=True),
    )

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

"""VGG16 in torchvision's layout, so that its published ImageNet weights can be loaded."""

from collections.abc import Sequence

from torch import nn

# Channels of each convolution, stage by stage: configuration D of Simonyan and Zisserman, 2014.
STAGES = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))


def scaled_stages(width: float) -> list[tuple[int, ...]]:
    """Return the channels of all stages, multiplied by `width`."""
    return [tuple(max(1, round(channels * width)) for channels in stage) for stage in STAGES]


def vgg_features(
    stages: Sequence[Sequence[int]], pools: Sequence[nn.Module], dilations: Sequence[int],
    normalised: bool,
) -> nn.Sequential:
    """
    Build `features` of vgg16 or, `normalised`, of vgg16_bn.

    :param stages: channels of each convolution.
    :param pools: layer after each stage.
    :param dilations: of each stage's convolutions.
    """
    layers: list[nn.Module] = []
    before = 3
    for stage, pool, dilation in zip(stages, pools, dilations, strict=True):
        for channels in stage:
            layers.append(nn.Conv2d(before, channels, 3, padding=dilation, dilation=dilation))
            layers += [nn.BatchNorm2d(channels)] if normalised else []
            layers.append(nn.ReLU())
            before = channels
        layers.append(pool)
    return nn.Sequential(*layers)


def init_kaiming(network: nn.Module) -> None:
    """
    Initialise all convolutions so that signals neither fade nor grow.

    Reference: K. He et al., Delving Deep into Rectifiers, 2015. PyTorch's default halves signals
    in every layer, so that sixteen layers without batch normalisation cannot be trained.
    """
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, nonlinearity='relu')
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)

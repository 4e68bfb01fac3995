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
Panoptic-DeepLab: class scores, objects' centres and offsets to them, from an atrous ResNet.

Reference: B. Cheng et al., Panoptic-DeepLab, CVPR 2020: two decoders on shared features, at a
quarter of the image size. The family `panoptic_centers` groups the outputs into objects.
"""

from collections.abc import Sequence

from seg_ros.zoo.architectures import NetworkRequest
from seg_ros.zoo.layers.aspp import Aspp, conv_block
from seg_ros.zoo.layers.sizes import size_hw_of
import torch
from torch import nn, Tensor
from torch.nn import functional

_RATES = (3, 6, 9)      # half of DeepLab v3's at stride 16
_EXPANSION = 4          # of torchvision's bottlenecks


class _Decoder(nn.Module):
    """ASPP and two upsampling steps, each fused with the encoder's features of that stride."""

    def __init__(self, depths: Sequence[int], width: int, laterals: Sequence[int]) -> None:
        super().__init__()
        self.aspp = Aspp(depths[0], width, _RATES)
        self.project = conv_block((len(_RATES) + 2) * width, width)
        self.lateral = nn.ModuleList(
            conv_block(depth, lateral) for depth, lateral in zip(depths[1:], laterals, strict=True)
        )
        self.fuse = nn.ModuleList(
            conv_block(width + lateral, width, 5) for lateral in laterals
        )

    def forward(self, levels: Sequence[Tensor]) -> Tensor:
        features = self.project(self.aspp(levels[0]))
        for lateral, fuse, level in zip(self.lateral, self.fuse, levels[1:], strict=True):
            features = functional.interpolate(features, size_hw_of(level), mode='bilinear')
            features = fuse(torch.cat([features, lateral(level)], 1))
        return features


class PanopticDeepLab(nn.Module):
    """
    Maps images to `semantic`, `center` and `offset` at a quarter of their size.

    :param encoder: of torchvision: resnet50 or resnet101.
    :param width: channels of the decoders.
    """

    def __init__(self, classes: int, encoder: str = 'resnet50', width: int = 256) -> None:
        super().__init__()
        from torchvision import models

        self.trunk = models.get_model(
            encoder, weights=None, replace_stride_with_dilation=[False, False, True]
        )
        self.trunk.fc = nn.Identity()
        depths = [_EXPANSION * channels for channels in (512, 128, 64)]
        narrow = width // 2
        self.semantic_decoder = _Decoder(depths, width, (64, 32))
        self.instance_decoder = _Decoder(depths, narrow, (32, 16))
        self.semantic = nn.Sequential(conv_block(width, width, 5), nn.Conv2d(width, classes, 1))
        heat = nn.Conv2d(32, 1, 1)
        nn.init.constant_(heat.bias, -3.0)      # few cells are centres
        self.center = nn.Sequential(conv_block(narrow, 32, 5), heat)
        self.offset = nn.Sequential(conv_block(narrow, 32, 5), nn.Conv2d(32, 2, 1))

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """
        Predict at a quarter of the size of images (N, 3, H, W).

        :returns: logits of classes and of centres, and dy and dx to the centre in cells.
        """
        trunk = self.trunk
        features = trunk.maxpool(trunk.relu(trunk.bn1(trunk.conv1(images))))
        low = trunk.layer1(features)
        middle = trunk.layer2(low)
        levels = [trunk.layer4(trunk.layer3(middle)), middle, low]
        things = self.instance_decoder(levels)
        return (
            self.semantic(self.semantic_decoder(levels)), self.center(things), self.offset(things)
        )


def build(request: NetworkRequest) -> nn.Module:
    """Build the requested network."""
    return PanopticDeepLab(request.classes, request.chosen_encoder, **request.options)

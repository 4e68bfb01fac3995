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
SegNet: VGG16 and a mirrored decoder that unpools maxima to their original places.

Reference: V. Badrinarayanan, A. Kendall, R. Cipolla, SegNet, 2015. The encoder is torchvision's
`vgg16_bn.features`, whose weights load unchanged.
"""

from collections.abc import Sequence

from seg_ros.zoo.architectures import NetworkRequest
from seg_ros.zoo.layers.pooling import max_pool_with_places, max_unpool
from seg_ros.zoo.networks.vgg import init_kaiming, scaled_stages, vgg_features
from torch import nn, Tensor


class SegNet(nn.Module):
    """
    Maps images to class scores of the same size.

    :param width: factor for all channel counts.
    """

    def __init__(self, classes: int, width: float = 1.0) -> None:
        super().__init__()
        stages = scaled_stages(width)
        pools = [nn.MaxPool2d(2, ceil_mode=True) for _ in stages]
        self.features = vgg_features(stages, pools, (1,) * len(stages), normalised=True)
        self.decoder = nn.ModuleList(
            _mirrored(stage, stages[number - 1][-1] if number else stage[0])
            for number, stage in reversed(list(enumerate(stages)))
        )
        self.classifier = nn.Conv2d(stages[0][0], classes, 3, padding=1)
        init_kaiming(self)

    def forward(self, images: Tensor) -> Tensor:
        """Score every pixel: (N, 3, H, W) to (N, classes, H, W)."""
        features, places = images, []
        for layer in self.features:
            if isinstance(layer, nn.MaxPool2d):
                features, place = max_pool_with_places(features)
                places.append(place)
            else:
                features = layer(features)
        for stage in self.decoder:
            features = stage(max_unpool(features, places.pop()))
        scores: Tensor = self.classifier(features)
        return scores


def _mirrored(stage: Sequence[int], last: int) -> nn.Sequential:
    """Build the decoder's mirror of an encoder stage; `last` is its number of output channels."""
    layers: list[nn.Module] = []
    for before, after in zip(stage, (*stage[1:], last), strict=True):
        layers += [nn.Conv2d(before, after, 3, padding=1), nn.BatchNorm2d(after), nn.ReLU()]
    return nn.Sequential(*layers)


def build(request: NetworkRequest) -> nn.Module:
    """Build the requested network."""
    return SegNet(request.classes, **request.options)

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

"""FCN, DeepLab v3 and LR-ASPP from torchvision; their published weights can be loaded."""

from seg_ros.zoo.architectures import NetworkRequest
from seg_ros.zoo.networks.mobilenet import atrous_mobilenet, CHANNELS
from torch import nn, Tensor


class _ScoresOnly(nn.Module):
    """Returns only the main head's scores; torchvision returns a dictionary."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        scores: Tensor = self.network(images)['out']
        return scores


class _Encoder(nn.Module):
    """MobileNetV2 with the dictionary of maps that torchvision's DeepLab v3 expects."""

    def __init__(self) -> None:
        super().__init__()
        self.features = atrous_mobilenet()

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        return {'out': self.features(images)}


def build(request: NetworkRequest) -> nn.Module:
    """
    Build the requested network.

    :raises ValueError: by torchvision, if it has no such network.
    """
    from torchvision import models

    if (request.name, request.chosen_encoder) == ('deeplabv3', 'mobilenet_v2'):
        from torchvision.models.segmentation.deeplabv3 import DeepLabHead, DeepLabV3

        return _ScoresOnly(DeepLabV3(_Encoder(), DeepLabHead(CHANNELS[-1], request.classes)))
    name = f'{request.name}_{request.chosen_encoder}'
    return _ScoresOnly(models.get_model(
        name, weights=None, weights_backbone=None, num_classes=request.classes, **request.options
    ))

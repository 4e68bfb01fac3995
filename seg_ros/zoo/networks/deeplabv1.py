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
DeepLab v1 (LargeFOV): VGG16 whose last two pools have stride 1, with scores at stride 8.

Reference: L.-C. Chen et al., Semantic Image Segmentation with Deep Convolutional Nets and Fully
Connected CRFs, 2014. Its dense CRF is `refine: crf` in the card. `features` loads the weights of
torchvision's `vgg16.features` unchanged; `fc6`, `fc7` and `fc8` have the names of the published
Caffe model.
"""

from seg_ros.zoo.architectures import NetworkRequest
from seg_ros.zoo.layers.sizes import resized, size_hw_of
from seg_ros.zoo.networks.vgg import init_kaiming, scaled_stages, vgg_features
from torch import nn, Tensor
from torch.nn import functional

_STRIDES, _DILATIONS = (2, 2, 2, 1, 1), (1, 1, 1, 1, 2)


class DeepLabV1(nn.Module):
    """
    Maps images to class scores of the same size.

    :param width: factor for all channel counts.
    """

    def __init__(self, classes: int, width: float = 1.0) -> None:
        super().__init__()
        stages = scaled_stages(width)
        pools = [nn.MaxPool2d(3, stride, 1) for stride in _STRIDES]
        self.features = vgg_features(stages, pools, _DILATIONS, normalised=False)
        wide = max(1, round(1024 * width))
        self.pool5a = nn.AvgPool2d(3, 1, 1)
        self.fc6 = nn.Conv2d(stages[-1][-1], wide, 3, padding=12, dilation=12)
        self.fc7 = nn.Conv2d(wide, wide, 1)
        self.fc8 = nn.Conv2d(wide, classes, 1)
        init_kaiming(self)
        nn.init.normal_(self.fc8.weight, std=0.01)  # the paper's choice

    def forward(self, images: Tensor) -> Tensor:
        """Score every pixel: (N, 3, H, W) to (N, classes, H, W)."""
        features = self.pool5a(self.features(images))
        features = functional.relu(self.fc6(features))
        scores = self.fc8(functional.relu(self.fc7(features)))
        return resized(scores, size_hw_of(images))


def build(request: NetworkRequest) -> nn.Module:
    """Build the requested network."""
    return DeepLabV1(request.classes, **request.options)

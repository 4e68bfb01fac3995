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

"""MobileNetV2 at stride 8: a small encoder for networks whose papers use a ResNet."""

from torch import nn, Tensor

CHANNELS = (16, 24, 32, 96, 320)    # of the levels that `levels_of` returns
_STRIDE = 8
_ENDS = (2, 4, 7, 14, 18)           # blocks after which a level is complete


def atrous_mobilenet() -> nn.Sequential:
    """
    Build `features` of torchvision's mobilenet_v2, without its last convolution.

    From stride 8 on, dilation replaces the strides; torchvision's weights load unchanged.
    """
    from torchvision import models

    features: nn.Sequential = models.mobilenet_v2(weights=None).features[:_ENDS[-1]]
    stride, rate = 1, 1
    for layer in features.modules():
        if isinstance(layer, nn.Conv2d) and layer.kernel_size == (3, 3):
            layer.dilation = layer.padding = (rate, rate)
            if layer.stride == (2, 2) and stride == _STRIDE:
                layer.stride, rate = (1, 1), 2 * rate
            stride *= layer.stride[0]
    return features


def levels_of(features: nn.Sequential, images: Tensor) -> list[Tensor]:
    """Return the maps at strides 2, 4 and 8, and two deeper ones at stride 8."""
    levels = []
    for number, block in enumerate(features, start=1):
        images = block(images)
        if number in _ENDS:
            levels.append(images)
    return levels

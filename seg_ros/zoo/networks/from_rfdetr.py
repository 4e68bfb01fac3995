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

"""RF-DETR for segmentation from the package rfdetr; its published weights can be loaded."""

from typing import Any

from seg_ros.zoo.architectures import NetworkRequest
from torch import nn, Tensor

_CONFIGS = {
    'nano': 'RFDETRSegNanoConfig', 'small': 'RFDETRSegSmallConfig',
    'medium': 'RFDETRSegMediumConfig', 'large': 'RFDETRSegLargeConfig',
}


class _Exported(nn.Module):
    """The network in its export mode, with scores, masks and boxes of all queries."""

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.network = network
        network.export()

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        boxes, scores, masks = self.network(images)
        return scores, masks, boxes


def build(request: NetworkRequest) -> nn.Module:
    """
    Build the requested network for square images.

    :raises KeyError: if the encoder size is unknown.
    """
    from rfdetr import config
    from rfdetr.models.lwdetr import build_model_from_config

    kind = getattr(config, _CONFIGS[request.chosen_encoder])
    patch = kind.model_fields['patch_size'].default
    # `num_classes` excludes the background, which the network counts.
    settings = kind(
        num_classes=request.classes - 1, resolution=request.size_hw[0], pretrain_weights='none',
        positional_encoding_size=request.size_hw[0] // patch, device='cpu', **request.options,
    )
    return _Exported(build_model_from_config(settings).eval())

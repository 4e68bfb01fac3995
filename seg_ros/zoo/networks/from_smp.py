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

"""U-Net, DeepLab v3+, PSPNet and FPN from segmentation_models_pytorch."""

from seg_ros.zoo.architectures import NetworkRequest
from seg_ros.zoo.layers.pooling import with_static_pooling
from torch import nn


def build(request: NetworkRequest) -> nn.Module:
    """
    Build the requested network with any of the library's encoders.

    :raises KeyError: by the library, if the encoder is unknown.
    """
    import segmentation_models_pytorch as smp

    return with_static_pooling(smp.create_model(
        request.name, request.chosen_encoder, encoder_weights=None, classes=request.classes,
        **request.options,
    ))

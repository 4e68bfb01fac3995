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

"""Input normalisation for networks with ImageNet backbones."""

from seg_ros.training.batches import Batch
import torch
from torch import Tensor

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)    # of ImageNet
_SEED_STRIDE = 1 << 32      # between steps; larger than the seed of any run


def normalized(batch: Batch, seed: int, step: int) -> Tensor:
    """Add the batch's noise and normalise: float32 (N, 3, H, W), channels last in memory."""
    random = torch.Generator(batch.rgb.device).manual_seed(seed + step * _SEED_STRIDE)
    noise = torch.randn(batch.rgb.shape, generator=random, device=batch.rgb.device)
    rgb = batch.rgb / 255 + noise * batch.noise[:, None, None, None]
    return ((rgb - rgb.new_tensor(MEAN)) / rgb.new_tensor(STD)).permute(0, 3, 1, 2)

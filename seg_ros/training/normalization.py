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

"""Input images for networks with ImageNet backbones."""

from seg_ros.core.card import IMAGENET_MEAN, IMAGENET_STD
from seg_ros.training.batches import Batch
import torch
from torch import Tensor

_SEED_STRIDE = 1 << 32      # between steps; larger than the seed of any run


def add_noise(batch: Batch, seed: int, step: int) -> Tensor:
    """Return the batch's images with its noise, float32 (N, H, W, 3), 1 = white."""
    generator = torch.Generator(batch.rgb.device).manual_seed(seed + step * _SEED_STRIDE)
    noise = torch.randn(batch.rgb.shape, generator=generator, device=batch.rgb.device)
    return batch.rgb / 255 + noise * batch.noise[:, None, None, None]


def normalize(rgb: Tensor) -> Tensor:
    """
    Normalise images: float32 (N, 3, H, W), channels last in memory.

    :param rgb: float32 (N, H, W, 3), 1 = white.
    """
    mean, std = rgb.new_tensor(IMAGENET_MEAN), rgb.new_tensor(IMAGENET_STD)
    return ((rgb - mean) / std).permute(0, 3, 1, 2)

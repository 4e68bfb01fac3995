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

"""Sizes of maps, and resizing to them."""

from torch import Tensor
from torch.nn import functional


def size_hw_of(features: Tensor) -> tuple[int, int]:
    """Return height and width as Python integers, which tracing stores as constants."""
    return int(features.shape[2]), int(features.shape[3])


def resized(features: Tensor, size_hw: tuple[int, int]) -> Tensor:
    """Resize bilinearly; the centres of the corner pixels stay aligned."""
    return functional.interpolate(features, size_hw, mode='bilinear', align_corners=True)

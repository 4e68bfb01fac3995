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

"""Segment ids as the colours of COCO's panoptic format: id = R + 256 G + 65536 B."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from seg_ros.core.frame import Pixels


def rgb_from_ids(ids: NDArray[np.uint32]) -> Pixels:
    """Encode ids below 2^24: uint8 (H, W, 3)."""
    little = np.ascontiguousarray(ids, '<u4')
    return little.view(np.uint8).reshape(*ids.shape, 4)[:, :, :3]


def ids_from_rgb(rgb: NDArray[Any]) -> NDArray[np.int64]:
    """Decode colours (H, W, 3): (H, W)."""
    red, green, blue = (rgb[..., channel].astype(np.int64) for channel in range(3))
    return red + 256 * green + 65536 * blue

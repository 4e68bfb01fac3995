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

"""Arrays from the masks that the node publishes."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sensor_msgs.msg import Image


def array_from_mask(message: Image) -> NDArray[Any]:
    """Return the pixels of `mono8` or `16UC1` masks, (H, W), or of `rgb8`, (H, W, 3)."""
    kind = '<u2' if message.encoding == '16UC1' else np.uint8
    pixels = np.frombuffer(message.data, kind)
    shape = (3,) if message.encoding == 'rgb8' else ()
    return pixels.reshape(message.height, message.width, *shape)

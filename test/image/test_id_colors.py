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

"""Segment ids as colours, as COCO's panoptic format has them."""

import numpy as np
from seg_ros.image.id_colors import ids_from_rgb, rgb_from_ids


def test_an_id_is_a_colour_of_three_bytes_the_lowest_first():
    ids = np.array([[1 + 256 * 2 + 256**2 * 3, 131070, 0]], np.uint32)
    rgb = rgb_from_ids(ids)
    assert rgb.tolist() == [[[1, 2, 3], [254, 255, 1], [0, 0, 0]]]
    assert (ids_from_rgb(rgb) == ids).all()

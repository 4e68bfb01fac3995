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

"""Masks over boxes laid on whole pixels, as torchvision pastes them."""

import cv2
import numpy as np
from seg_ros.core.card import ClassInfo, InputSpec, ModelCard
from seg_ros.core.signature import ModelSignature
from seg_ros.core.tensors import Outputs
from seg_ros.core.thresholds import Thresholds
from seg_ros.image.fit import fit_for
from seg_ros.masks.instance_masks import instance_masks_from_outputs
from seg_ros.masks.postprocess_context import PostprocessContext

SIZE_HW, CELLS = (96, 128), 28


def interpolated(mask, height, width):
    """Resize with half-pixel centres and repeated edges, float64."""
    places = [
        np.clip((np.arange(new) + 0.5) * (old / new) - 0.5, 0, old - 1)
        for new, old in zip((height, width), mask.shape, strict=True)
    ]
    rows, columns = (
        np.maximum(0, 1 - abs(place[:, None] - np.arange(old)))
        for place, old in zip(places, mask.shape, strict=True)
    )
    return rows @ mask @ columns.T


def pasted(mask, box, size_hw):
    """
    Paste one mask by torchvision's rule, written down from its documentation and source.

    One cell of zeros around the mask, the box as much larger, its corners cut off to integers,
    both ends inside.
    """
    bordered = np.pad(mask.astype(np.float64), 1)
    center, half = (box[:2] + box[2:]) / 2, (box[2:] - box[:2]) / 2
    half = half * (len(mask) + 2) / len(mask)
    x0, y0, x1, y1 = (int(value) for value in (*(center - half), *(center + half)))
    small = interpolated(bordered, max(1, y1 - y0 + 1), max(1, x1 - x0 + 1))
    image = np.zeros(size_hw)
    for row, column in np.ndindex(small.shape):
        y, x = y0 + row, x0 + column
        if 0 <= y < size_hw[0] and 0 <= x < size_hw[1]:
            image[y, x] = small[row, column]
    return image


def test_a_snapped_mask_covers_what_torchvisions_does():
    random = np.random.default_rng(5)
    fit = fit_for(SIZE_HW, SIZE_HW, InputSpec())
    signature = ModelSignature(
        SIZE_HW, ('boxes', 'scores', 'classes', 'masks'), mask_frame='box', snap='whole_pixels'
    )
    card = ModelCard('x', 'instance', (ClassInfo(0, 'object', (1, 1, 1), True),))
    limits = Thresholds(0.1, 127.5, 0.0, 0, frozenset({0}))
    context = PostprocessContext(fit, signature, card, limits)
    found = 0
    for _ in range(40):
        corners = np.sort(random.uniform(-0.05, 1.05, (2, 2)), axis=0) * SIZE_HW[::-1]
        box = corners.reshape(4).astype(np.float32)
        coarse = random.uniform(0, 255, (4, 4)).astype(np.float32)
        mask = cv2.resize(coarse, (CELLS, CELLS), interpolation=cv2.INTER_LINEAR).astype(np.uint8)
        outputs = Outputs(
            boxes=box[None], masks=mask[None], scores=np.ones(1, np.float32),
            classes=np.zeros(1, np.int32),
        )
        image = np.zeros(SIZE_HW, int)
        for instance in instance_masks_from_outputs(outputs, context):
            instance.write(image, 1)
        soft = pasted(mask, box.astype(np.float64), SIZE_HW)
        clear = abs(soft - 127.5) > 0.5
        np.testing.assert_array_equal((image > 0)[clear], (soft > 127.5)[clear])
        found += image.sum()
    assert found > 1000

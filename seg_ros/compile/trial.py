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

"""Synthetic images for trial runs of a network, with value ranges as in camera images."""

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray
from seg_ros.core.card import InputSpec
from seg_ros.core.frame import Pixels


@lru_cache(maxsize=2)
def trial_images(size_hw: tuple[int, int], channels: int) -> Pixels:
    """
    Draw surfaces of all colours under uneven light, with camera noise.

    :returns: uint8 (3, H, W, channels), the same each time.
    """
    height, width = size_hw
    random = np.random.default_rng(0)
    images = []
    for patches in (4, 12, 40):
        coarse = random.integers(0, 256, (3 * patches // 4, patches, channels)).astype(np.uint8)
        surfaces = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_NEAREST)
        light = cv2.resize(random.uniform(0.3, 1.2, (3, 4)), (width, height))
        shaded = surfaces.reshape(height, width, channels) * light[..., None]
        images.append(shaded + random.normal(0, 4, shaded.shape))
    return np.clip(np.rint(images), 0, 255).astype(np.uint8)


def network_inputs(images: Pixels, spec: InputSpec, layout: str) -> NDArray[np.float64]:
    """Compute (pixel * scale - mean) / std, in the network's layout."""
    pixels: NDArray[np.float64] = (images * spec.scale - np.array(spec.mean)) / np.array(spec.std)
    return pixels if layout == 'nhwc' else pixels.transpose(0, 3, 1, 2)


def range_warning(spec: InputSpec) -> str:
    """
    Return a warning if a card's normalisation yields implausible values.

    Networks are trained on values of about 0 to 1, -3 to 3, or 0 to 255. Mean and std are given
    either in units of 0..1, with a scale of 1/255, or in units of 0..255, with a scale of 1. The
    mean must lie within the range of pixel values.

    :returns: empty if the values are plausible.
    """
    mean, std, white = np.array(spec.mean), np.array(spec.std), 255 * spec.scale
    low, high = ((level - mean) / std for level in (0, white))
    scale_alone = set(spec.mean) == {0} and set(spec.std) == {1}
    if mean.min() < 0:
        cause = 'the mean is subtracted, and no image has a mean below 0'
    elif (high - low).min() < 0.1 or mean.max() > white:
        cause = 'input.scale is too small' if scale_alone else (
            'mean and std are in units of 0..255, which needs input.scale: 1'
        )
    elif high.max() > 300 or 0 < mean.max() < white / 100:
        cause = 'input.scale is too large' if scale_alone else (
            'mean and std are in units of 0..1, which needs input.scale 1/255'
        )
    else:
        return ''
    return f'images reach the network as {low.min():.3g} to {high.max():.3g}: {cause}'

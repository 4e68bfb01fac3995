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

"""Edges found by a network's operators, against OpenCV's."""

import cv2
import numpy as np
import pytest

torch = pytest.importorskip('torch', reason='torch is not installed')
from seg_ros.zoo.layers.canny import canny  # noqa: E402


def scene(seed, channels):
    """Return blurred discs and noise, uint8 (90, 120, channels)."""
    random = np.random.default_rng(seed)
    image = random.integers(0, 256, (90, 120, channels)).astype(np.float32)
    image = cv2.GaussianBlur(image, (0, 0), 1.5).reshape(90, 120, channels)
    for _ in range(6):
        center = [int(side) for side in random.uniform(0, 90, 2)]
        disc = np.zeros((90, 120), np.uint8)
        cv2.circle(disc, center, int(random.uniform(5, 25)), 1, -1)
        image[disc > 0] = random.uniform(0, 255, channels)
    return np.clip(np.rint(image), 0, 255).astype(np.uint8)


@pytest.mark.parametrize('channels', [1, 3])
@pytest.mark.parametrize('thresholds', [(10, 100), (80, 200)])
def test_the_edges_are_opencvs(channels, thresholds):
    for seed in range(4):
        image = scene(seed, channels)
        pixels = torch.from_numpy(image.astype(np.float32)).permute(2, 0, 1)[None]
        edges = canny(pixels, *thresholds, steps=200)[0, 0].numpy()
        np.testing.assert_array_equal(edges * 255, cv2.Canny(image, *thresholds))

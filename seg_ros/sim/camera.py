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

"""Simulates a real camera's exposure, white balance, blur, noise and vignetting."""

import cv2
import numpy as np
from seg_ros.core.frame import Pixels


def add_camera_effects(rgb: Pixels, random: np.random.Generator) -> Pixels:
    """
    Apply the effects of a random camera to a rendered image.

    :param rgb: uint8 (H, W, 3).
    """
    image = _develop(rgb, random)
    choice = random.random()
    if choice < 0.3:
        blurred = cv2.GaussianBlur(image, (0, 0), random.uniform(0.4, 1.6))
        image = np.asarray(blurred, np.uint8)
    elif choice < 0.45:
        image = _motion_blur(image, random)
    if random.random() < 0.35:
        image = _vignette(image, random)
    return _add_noise(image, random)


def _develop(rgb: Pixels, random: np.random.Generator) -> Pixels:
    """Apply a random gamma, exposure and white balance."""
    gamma = random.uniform(0.7, 1.35)
    levels = (np.arange(256) / 255) ** gamma
    mean = float(levels[rgb].mean()) + 1e-3
    gain = np.clip(random.uniform(0.27, 0.62) / mean, 0.4, 3.5)
    curve = np.clip(levels[:, None] * gain * random.uniform(0.88, 1.12, 3), 0, 1) * 255
    return np.asarray(cv2.LUT(rgb, curve.astype(np.uint8)[None]), np.uint8)


def _motion_blur(image: Pixels, random: np.random.Generator) -> Pixels:
    """Apply motion blur in a random direction."""
    reach = random.uniform(1.5, 4.5)
    angle = random.uniform(0, np.pi)
    kernel = np.zeros((11, 11), np.float32)
    steps = np.linspace(-reach, reach, 40)
    along = np.array([[np.sin(angle)], [np.cos(angle)]])
    rows, columns = np.rint(5 + along * steps).astype(int)
    np.add.at(kernel, (rows, columns), 1 / 40)
    return np.asarray(cv2.filter2D(image, -1, kernel), np.uint8)


def _vignette(image: Pixels, random: np.random.Generator) -> Pixels:
    """Darken with the distance from a point, like vignetting or a lamp at one side."""
    height, width = image.shape[:2]
    y, x = random.uniform(0, height), random.uniform(0, width)
    rows, columns = np.ogrid[:height, :width]
    far = np.hypot((rows - y) / height, (columns - x) / width).astype(np.float32)
    dim = 1.15 - random.uniform(0.2, 0.6) * far
    return np.asarray(np.clip(image * dim[..., None], 0, 255), np.uint8)


def _add_noise(image: Pixels, random: np.random.Generator) -> Pixels:
    noise = np.empty(image.shape, np.int16)
    cv2.setRNGSeed(int(random.integers(2 ** 31)))
    cv2.randn(noise, np.zeros(3), np.full(3, random.uniform(0.5, 9)))
    return np.asarray(np.clip(image + noise, 0, 255), np.uint8)

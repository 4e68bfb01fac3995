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

"""Random geometric and colour augmentation of training samples."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from seg_ros.core.card import InputSpec
from seg_ros.core.frame import Pixels
from seg_ros.training.sample import OTHER, TrainingSample, VOID

_SCALES = 0.35, 2.2     # relative to the whole image letterboxed into the network's input
_SCALE_SIGMA = 0.45     # standard deviation of the logarithm of the scale
_MAX_STRETCH = 1.3      # largest change of the aspect ratio
_MAX_TURN_DEG = 8.0
_FLIP = 0.03            # probability of a vertical flip


def random_crop(
    sample: TrainingSample, size_hw: tuple[int, int], input_hw: tuple[int, int], rng: Generator
) -> TrainingSample:
    """
    Scale, rotate and mirror a sample and crop a window; pixels outside the image become void.

    :param size_hw: size of the window.
    :param input_hw: input size of the exported network; at scale 1 the whole image fits in it.
    """
    height, width = sample.classes.shape
    fit = min(input_hw[0] / height, input_hw[1] / width)
    scale = fit * float(np.clip(np.exp(rng.normal(0.05, _SCALE_SIGMA)), *_SCALES))
    if scale < 0.6:     # bilinear interpolation would skip pixels
        sample, scale = _halve(sample), scale * 2
        height, width = sample.classes.shape
    matrix = _random_affine((height, width), size_hw, scale, rng)
    return TrainingSample(
        _warp(sample.rgb, matrix, size_hw, cv2.INTER_LINEAR, InputSpec().pad),
        _warp(sample.classes, matrix, size_hw, cv2.INTER_NEAREST, VOID),
        _warp(sample.instances, matrix, size_hw, cv2.INTER_NEAREST, 0),
        sample.complete,
    )


def color_jitter(rgb: Pixels, rng: Generator) -> Pixels:
    """Randomly change hue, saturation, exposure, white balance, sharpness and compression."""
    image = rgb
    if rng.random() < 0.5:
        image = _shift_hue(image, rng)
    if rng.random() < 0.6:
        tone = (np.arange(256) / 255) ** rng.uniform(0.6, 1.6)
        balance = rng.uniform(0.7, 1.3) * rng.uniform(0.88, 1.12, 3)
        curve = np.clip(tone[:, None] * balance * 255, 0, 255)
        image = np.asarray(cv2.LUT(image, curve.astype(np.uint8)[None]), np.uint8)
    if rng.random() < 0.05:
        gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
        image = np.asarray(cv2.cvtColor(gray, cv2.COLOR_GRAY2RGB), np.uint8)
    if rng.random() < 0.2:
        image = _blur(image, rng)
    if rng.random() < 0.25:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(20, 85))]
        data = cv2.imencode('.jpg', image, quality)[1]
        image = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
    return image


def tint_surface(
    sample: TrainingSample, things: NDArray[np.bool_], rng: Generator
) -> TrainingSample:
    """
    Change colour and brightness of one stuff class, but not of the things on it.

    Half of the time unlabelled pixels change too: they may be the rest of a partly labelled table.

    :param things: (C), which classes are things.
    """
    present = np.flatnonzero(np.bincount(sample.classes.ravel(), minlength=256)[:len(things)])
    surfaces = present[~things[present]]
    if not len(surfaces):
        return sample
    mask = sample.classes == surfaces[int(rng.integers(len(surfaces)))]
    if rng.random() < 0.5:
        mask |= sample.classes >= OTHER
    gain = np.exp(rng.uniform(np.log(0.06), np.log(1.2))) * rng.uniform(0.75, 1.25, 3)
    soft = cv2.blur(mask.astype(np.float32), (5, 5))[..., None]
    tint = gain.astype(np.float32) - 1
    lit = _highlights(mask.shape, rng)[..., None] if rng.random() < 0.4 else np.float32(0)
    rgb = np.clip(sample.rgb * (1 + soft * tint) + soft * lit, 0, 255)
    return sample._replace(rgb=rgb.astype(np.uint8))


def _highlights(size_hw: Sequence[int], rng: Generator) -> NDArray[np.float32]:
    """Return the brightness that reflections of one to three lamps add, soft ellipses: (H, W)."""
    rows, columns = np.mgrid[:size_hw[0], :size_hw[1]].astype(np.float32)
    light = np.zeros(tuple(size_hw), np.float32)
    for _ in range(int(rng.integers(1, 4))):
        y, x = rng.uniform(0, size_hw[0]), rng.uniform(0, size_hw[1])
        tall, wide = np.exp(rng.uniform(np.log(8), np.log(90), 2))
        bell = np.exp(-((rows - y) / tall) ** 2 - ((columns - x) / wide) ** 2)
        light += np.float32(rng.uniform(40, 220)) * bell.astype(np.float32)
    return light


def random_erasing(sample: TrainingSample, rng: Generator) -> TrainingSample:
    """
    Fill one to three small rectangles with a random colour and mark them void.

    After Zhong et al., "Random Erasing Data Augmentation" (AAAI 2020).
    """
    rgb, classes, instances = (array.copy() for array in sample[:3])
    height, width = classes.shape
    for _ in range(int(rng.integers(1, 4))):
        tall, wide = (int(side * rng.uniform(0.04, 0.2)) for side in (height, width))
        y, x = int(rng.integers(height - tall)), int(rng.integers(width - wide))
        hole = slice(y, y + tall), slice(x, x + wide)
        rgb[hole] = rng.integers(0, 256, 3)
        classes[hole], instances[hole] = VOID, 0
    return TrainingSample(rgb, classes, instances, sample.complete)


def _halve(sample: TrainingSample) -> TrainingSample:
    height, width = (max(1, side // 2) for side in sample.classes.shape)
    rgb = cv2.resize(sample.rgb, (width, height), interpolation=cv2.INTER_AREA)
    return TrainingSample(
        np.asarray(rgb, np.uint8),
        np.ascontiguousarray(sample.classes[:2 * height:2, :2 * width:2]),
        np.ascontiguousarray(sample.instances[:2 * height:2, :2 * width:2]),
        sample.complete,
    )


def _random_affine(
    from_hw: tuple[int, int], to_hw: tuple[int, int], scale: float, rng: Generator
) -> NDArray[np.float64]:
    """Return a random affine transform from image to window, which overlap: (2, 3)."""
    stretch = float(np.exp(rng.uniform(-1, 1) * np.log(_MAX_STRETCH) / 2))
    scales = np.array([scale * stretch, scale / stretch])
    signs = np.array([-1 if rng.random() < 0.5 else 1, -1 if rng.random() < _FLIP else 1])
    turn = np.deg2rad(_MAX_TURN_DEG) * float(np.clip(rng.normal(0, 0.4), -1, 1))
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    linear = rotation @ np.diag(scales * signs)
    spare = np.array(to_hw[::-1]) - scales * np.array(from_hw[::-1])
    corner = rng.uniform(np.minimum(spare, 0), np.maximum(spare, 0))
    middle = corner + scales * np.array(from_hw[::-1]) / 2
    shift = middle - linear @ (np.array(from_hw[::-1]) / 2)
    return np.column_stack([linear, shift])


def _warp(
    array: Pixels, matrix: NDArray[np.float64], size_hw: tuple[int, int], flags: int, pad: int
) -> Pixels:
    border = (pad,) * 3
    return np.asarray(
        cv2.warpAffine(
            np.ascontiguousarray(array), matrix, size_hw[::-1], flags=flags,
            borderMode=cv2.BORDER_CONSTANT, borderValue=border,
        ), np.uint8,
    )


def _shift_hue(image: Pixels, rng: Generator) -> Pixels:
    hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV)
    turn = np.arange(256) + rng.integers(-15, 16)
    paler = np.clip(np.arange(256) * rng.uniform(0.3, 1.5), 0, 255)
    curve = np.stack([turn % 180, paler, np.arange(256)], axis=1).astype(np.uint8)
    return np.asarray(cv2.cvtColor(cv2.LUT(hsv, curve[None]), cv2.COLOR_HSV2RGB), np.uint8)


def _blur(image: Pixels, rng: Generator) -> Pixels:
    """Apply defocus blur, or motion blur along rows or columns."""
    if rng.random() < 0.5:
        return np.asarray(cv2.GaussianBlur(image, (0, 0), rng.uniform(0.5, 1.8)), np.uint8)
    size = (int(rng.integers(2, 8)), 1)
    return np.asarray(cv2.blur(image, size if rng.random() < 0.5 else size[::-1]), np.uint8)

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

"""Random textures made of noise, patterns, shapes and letters."""

from typing import Literal, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray
from seg_ros.core.frame import Pixels
from seg_ros.sim.random_choice import one_of

Split: TypeAlias = Literal['train', 'held-out']
Field: TypeAlias = NDArray[np.float32]

SIDE = 256
_LETTERS = {
    'train': 'ABCDEFGHKLMNOPRSTabcdeghinorst0123', 'held-out': 'IJQUVWXYZfjklmpquvwxyz456789',
}


def surface(random: np.random.Generator, split: Split) -> Pixels:
    """
    Draw a texture for floors, walls and furniture; apart from noise, the splits share no pattern.

    :returns: rgb uint8 (256, 256, 3).
    """
    patterns = {'train': (_cloud, _cloud, _grain, _checks, _stripes),
                'held-out': (_cloud, _bricks, _dots, _waves)}[split]
    blend = one_of(random, patterns)(random)[..., None]
    first = color(random)
    near = np.clip(first + random.normal(0, 30, 3), 0, 255)
    second = near if random.random() < 0.65 else color(random)
    speckle = random.normal(0, random.uniform(0, 7), (SIDE, SIDE, 1))
    return np.clip(first * (1 - blend) + second * blend + speckle, 0, 255).astype(np.uint8)


def printed(random: np.random.Generator, split: Split) -> Pixels:
    """
    Draw a package's print: shapes and words on a plain, white, black or patterned background.

    :returns: rgb uint8 (256, 256, 3).
    """
    ground = random.random()
    if ground < 0.25:
        image = surface(random, split)
    else:
        plain = color(random) if ground < 0.6 else np.full(3, random.choice([12.0, 40, 225, 248]))
        image = np.full((SIDE, SIDE, 3), plain).astype(np.uint8)
    for _ in range(random.integers(1, 12)):
        one_of(random, _PRINTS)(image, random, split)
    return image


def color(random: np.random.Generator) -> NDArray[np.float64]:
    """Choose a colour, mostly pale and bright as in rooms: red, green, blue, 0 to 255."""
    dull = random.random() < 0.7
    saturation = min(255.0, random.exponential(55)) if dull else 255 * random.random()
    value = random.uniform(25, 255) if random.random() < 0.4 else random.uniform(120, 255)
    hsv = np.array([[[random.uniform(0, 180), saturation, value]]]).astype(np.uint8)
    rgb: NDArray[np.float64] = cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)[0, 0].astype(np.float64)
    return rgb


def _noise(random: np.random.Generator, steepness: float, stretch: tuple[float, float]) -> Field:
    """Return noise whose amplitude falls with frequency ** steepness, scaled to 0..1."""
    frequency = np.fft.fftfreq(SIDE)
    radius = np.hypot(frequency[:, None] * stretch[0], frequency[None] * stretch[1])
    radius[0, 0] = 1
    white = np.fft.fft2(random.normal(size=(SIDE, SIDE)))
    field = np.fft.ifft2(white / radius ** steepness).real
    field -= field.min()
    return np.asarray(field / field.max(), np.float32)


def _cloud(random: np.random.Generator) -> Field:
    return _noise(random, random.uniform(0.5, 2.2), (1, 1))


def _grain(random: np.random.Generator) -> Field:
    field = _noise(random, random.uniform(0.8, 1.4), (1.0, random.uniform(5, 15)))
    return field if random.random() < 0.5 else field.T


def _grid(random: np.random.Generator, low: int, high: int) -> tuple[Field, Field, int]:
    pitch = int(random.choice([step for step in (8, 16, 32, 64, 128) if low <= step <= high]))
    rows, columns = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    return rows, columns, pitch


def _checks(random: np.random.Generator) -> Field:
    rows, columns, pitch = _grid(random, 16, 128)
    joint = np.minimum(rows % pitch, columns % pitch) < 2
    checks = (rows // pitch + columns // pitch) % 2 * (random.random() < 0.5)
    return np.asarray(np.clip(checks + joint * 0.8 + 0.2 * _cloud(random), 0, 1), np.float32)


def _stripes(random: np.random.Generator) -> Field:
    _, columns, pitch = _grid(random, 8, 64)
    field = np.asarray(columns // pitch % 2, np.float32)
    return field if random.random() < 0.5 else field.T


def _bricks(random: np.random.Generator) -> Field:
    rows, columns, pitch = _grid(random, 16, 64)
    shifted = columns + rows // pitch % 2 * pitch
    joint = (rows % pitch < 3) | (shifted % (2 * pitch) < 3)
    return np.asarray(np.clip(joint + 0.3 * _cloud(random), 0, 1), np.float32)


def _dots(random: np.random.Generator) -> Field:
    rows, columns, pitch = _grid(random, 16, 64)
    distance = np.hypot(rows % pitch - pitch / 2, columns % pitch - pitch / 2)
    return np.asarray(distance < pitch * random.uniform(0.15, 0.45), np.float32)


def _waves(random: np.random.Generator) -> Field:
    rows, _, pitch = _grid(random, 8, 64)
    phase = rows / pitch + 2 * _noise(random, 1.8, (1, 1))
    return np.asarray(0.5 + 0.5 * np.sin(2 * np.pi * phase), np.float32)


def _ink(random: np.random.Generator) -> tuple[float, ...]:
    if random.random() < 0.35:
        return (float(random.choice([10, 245])),) * 3
    return tuple(color(random).tolist())


def _print_block(image: Pixels, random: np.random.Generator, split: Split) -> None:
    x0, y0, x1, y1 = random.integers(-20, SIDE + 20, 4).tolist()
    cv2.rectangle(image, (x0, y0), (x1, y1), _ink(random), -1)


def _print_disc(image: Pixels, random: np.random.Generator, split: Split) -> None:
    x, y, tilt = random.integers(0, SIDE, 3).tolist()
    axes = random.integers(5, 100, 2).tolist()
    cv2.ellipse(image, (x, y), axes, tilt, 0, 360, _ink(random), int(random.choice([-1, 4])))


def _print_word(image: Pixels, random: np.random.Generator, split: Split) -> None:
    word = ''.join(random.choice(list(_LETTERS[split]), random.integers(2, 10)))
    x, y = random.integers(-20, 200, 2).tolist()
    size = random.uniform(0.5, 3.5)
    thick = int(random.integers(1, 9))
    cv2.putText(image, word, (x, y), int(random.integers(0, 6)), size, _ink(random), thick)


def _print_lines(image: Pixels, random: np.random.Generator, split: Split) -> None:
    """Draw small print: rows of short strokes, or a bar code."""
    x, y = random.integers(0, 180, 2).tolist()
    ink, bars = _ink(random), random.random() < 0.4
    for step in range(int(random.integers(4, 14))):
        start = (x + 5 * step, y) if bars else (x, y + 8 * step)
        length = 50 if bars else int(random.integers(20, 90))
        end = (start[0], y + length) if bars else (x + length, start[1])
        cv2.line(image, start, end, ink, int(random.integers(1, 4)) if bars else 2)


_PRINTS = (_print_block, _print_disc, _print_word, _print_word, _print_lines)

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

"""Moving shapes with known instances, as segmented by an imperfect network."""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from seg_ros.core.segmentation import Segment, Segmentation

SIZE_HW = (240, 320)
PERIOD_NS = 100_000_000
PILLAR = slice(151, 169)


@dataclass(frozen=True)
class Sight:
    """
    One image of the world.

    :param truth: boxes of the visible shapes, by the shape's number.
    :param shape_of: number of the shape of each segment, by the segment's id.
    """

    stamp_ns: int
    segmentation: Segmentation
    truth: dict[int, tuple[int, int, int, int]]
    shape_of: dict[int, int]


def moving_shapes(
    count: int = 10, images: int = 200, *, drop: float = 0.1, jitter: float = 2.0,
    rods: bool = False, still: bool = False, seed: int = 1,
) -> Iterator[Sight]:
    """
    Move ellipses on curved paths, in front of and behind each other and behind a pillar.

    :param count: number of shapes, from front to back.
    :param drop: fraction of the instances that the network misses.
    :param jitter: standard deviation of its masks' positions and sizes in pixels.
    :param rods: use long, thin, slanted shapes, whose boxes carry little information.
    :param still: nothing moves, and each shape lies across another one.
    """
    random = np.random.RandomState(seed)
    height, width = SIZE_HW
    start = random.uniform((0, 0.2 * height), (width, 0.8 * height), (count, 2))
    speed = random.uniform(-6, 6, (count, 2)) * (1, 0.4)
    radius = random.uniform((6, 10), (14, 26), (count, 2))
    bend = random.uniform(0, 2 * np.pi, count)
    tilt = bend if rods else np.zeros(count)
    if rods:
        radius = radius * (0.4, 2)
    if still:
        start[1::2] = start[:count // 2 * 2:2]
        radius[1::2] = radius[:count // 2 * 2:2]
        tilt[1::2] = np.pi - tilt[:count // 2 * 2:2]
    for step in range(images):
        moved = 0 if still else step
        sway = 8 * np.stack([np.cos(bend + 0.1 * moved), np.sin(bend + 0.1 * moved)], 1)
        middle = _bounced(start + speed * moved + sway)
        owner = _drawn(middle, radius, tilt)
        noise = random.normal(0, jitter, (count, 4))
        seen = random.uniform(size=count) >= drop
        shape = np.maximum(radius + 0.5 * noise[:, 2:], 3)
        shown = _drawn(middle + noise[:, :2], shape, tilt)
        yield _sight(step, owner, np.where(seen[shown], shown, -1), np.pi * radius.prod(1), random)


def _bounced(xy: NDArray[np.float64]) -> NDArray[np.float64]:
    """Fold straight paths back into the image, like balls bouncing between walls."""
    size = np.array(SIZE_HW[::-1])
    folded = np.mod(xy, 2 * size)
    return np.where(folded > size, 2 * size - folded, folded)


def _drawn(
    middle: NDArray[np.float64], radius: NDArray[np.float64], tilt: NDArray[np.float64]
) -> NDArray[np.int16]:
    """Return the number of the front shape at each pixel, -1 for none and for the pillar."""
    owner = np.full(SIZE_HW, -1, np.int16)
    for number in reversed(range(len(middle))):
        x, y = middle[number].round().astype(int).tolist()
        across, along = radius[number].round().astype(int).tolist()
        angle = float(np.degrees(tilt[number]))
        cv2.ellipse(owner, (x, y), (across, along), angle, 0, 360, number, cv2.FILLED)
    owner[:, PILLAR] = -1
    return owner


def _sight(
    step: int, owner: NDArray[np.int16], shown: NDArray[np.int16], areas: NDArray[np.float64],
    random: np.random.RandomState,
) -> Sight:
    truth = {
        number: _box(owner == number)
        for number in range(len(areas))
        if (owner == number).sum() > 0.25 * areas[number]
    }
    found = [number for number in range(len(areas))
             if (shown == number).sum() > 0.25 * areas[number]]
    random.shuffle(found)
    instances = np.zeros(SIZE_HW, np.uint16)
    segments = []
    for index, number in enumerate(found, 1):
        mask = shown == number
        instances[mask] = index
        score = 0.4 + 0.55 * min(1.0, mask.sum() / areas[number])
        segments.append(Segment(index, number // 2 % 2, score, _box(mask), int(mask.sum())))
    segments.sort(key=lambda segment: -segment.score)
    return Sight(
        step * PERIOD_NS, Segmentation(SIZE_HW, 255, None, None, instances, tuple(segments)),
        truth, dict(enumerate(found, 1)),
    )


def _box(mask: NDArray[np.bool_]) -> tuple[int, int, int, int]:
    rows, columns = np.nonzero(mask)
    return (
        int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1
    )

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

"""
Copy-paste augmentation: objects cut out of some images are pasted into others.

After Ghiasi et al., "Simple Copy-Paste is a Strong Data Augmentation Method for Instance
Segmentation" (CVPR 2021): pasted objects occlude what is behind them, in all maps.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from seg_ros.core.frame import Pixels
from seg_ros.training.sample import TrainingSample

_MIN_PIXELS = 900   # of a cut-out
_MIN_FILL = 0.25    # fraction of its bounding box that a cut-out covers
_MAX_PASTED = 3     # cut-outs per image
_MAX_NUMBER = 253   # of an instance


@dataclass(frozen=True, eq=False)
class Cutout:
    """
    One object without its surroundings.

    :param rgb: uint8 (h, w, 3).
    :param mask: bool (h, w).
    :param channel: channel of its class.
    :param thing: whether it is a thing, which gets an instance number.
    :param ends: whether the image border cuts it off: (top, left, bottom, right).
    """

    rgb: Pixels
    mask: NDArray[np.bool_]
    channel: int
    thing: bool
    ends: tuple[bool, bool, bool, bool]


class Cutouts:
    """
    Cut-outs that can be pasted, grouped by class.

    :param chosen: sources, each with the channels of the classes to cut out of it. For a stuff
        class, such as robots, all its pixels in an image form one cut-out.
    :param things: (C), which classes are things.
    """

    def __init__(
        self,
        chosen: Iterable[tuple[Sequence[TrainingSample], Sequence[int]]],
        things: NDArray[np.bool_],
    ) -> None:
        self._kinds: dict[int, list[Cutout]] = {}
        for samples, channels in chosen:
            for number in range(len(samples)):
                for cutout in _cutouts(samples[number], channels, things):
                    self._kinds.setdefault(cutout.channel, []).append(cutout)

    def __len__(self) -> int:
        return sum(len(kind) for kind in self._kinds.values())

    def draw(self, rng: Generator) -> Cutout:
        """Draw a class at random, then one of its cut-outs."""
        kinds = sorted(self._kinds)
        kind = self._kinds[kinds[int(rng.integers(len(kinds)))]]
        return kind[int(rng.integers(len(kind)))]


def paste(sample: TrainingSample, cutouts: Cutouts, rng: Generator) -> TrainingSample:
    """Paste one to three cut-outs, each with random scale, mirroring and brightness."""
    rgb, classes, instances = (array.copy() for array in sample[:3])
    for _ in range(int(rng.integers(1, _MAX_PASTED + 1))):
        _paste(rgb, classes, instances, cutouts.draw(rng), rng)
    return TrainingSample(rgb, classes, instances, sample.complete)


def _cutouts(
    sample: TrainingSample, channels: Sequence[int], things: NDArray[np.bool_]
) -> list[Cutout]:
    masks = [sample.instances == number for number in np.unique(sample.instances) if number]
    masks += [sample.classes == channel for channel in channels if not things[channel]]
    found = [_cutout(sample, mask, things) for mask in masks]
    return [item for item in found if item is not None and item.channel in channels]


def _cutout(
    sample: TrainingSample, mask: NDArray[np.bool_], things: NDArray[np.bool_]
) -> Cutout | None:
    if np.count_nonzero(mask) < _MIN_PIXELS:
        return None
    x, y, width, height = cv2.boundingRect(mask.view(np.uint8))
    ends = y <= 1, x <= 1, y + height >= mask.shape[0] - 1, x + width >= mask.shape[1] - 1
    box = slice(y, y + height), slice(x, x + width)
    channel = int(np.bincount(sample.classes[mask]).argmax())
    through = (ends[0] and ends[2]) or (ends[1] and ends[3])
    if through or channel >= len(things) or mask[box].mean() < _MIN_FILL:
        return None
    return Cutout(
        np.array(sample.rgb[box]), np.array(mask[box]), channel, bool(things[channel]), ends
    )


def _paste(
    rgb: Pixels, classes: NDArray[np.uint8], instances: NDArray[np.uint8], cutout: Cutout,
    rng: Generator,
) -> None:
    image, mask, ends = _varied(cutout, classes.shape, rng)
    place, inside = _place(mask.shape, ends, classes.shape, rng)
    soft = cv2.blur(mask.astype(np.float32), (3, 3))[inside][..., None]
    mask = mask[inside]
    behind = rgb[place]
    rgb[place] = np.rint(behind + soft * (image[inside].astype(np.float32) - behind))
    classes[place][mask] = cutout.channel
    number = int(instances.max()) + 1 if cutout.thing else 0
    instances[place][mask] = number if number <= _MAX_NUMBER else 0


def _varied(
    cutout: Cutout, size_hw: Sequence[int], rng: Generator
) -> tuple[NDArray[np.float32], NDArray[np.bool_], tuple[bool, bool, bool, bool]]:
    """Return image, mask and `ends` of a randomly scaled, mirrored and lit cut-out."""
    height, width = cutout.mask.shape
    scale = np.exp(rng.uniform(np.log(0.35), np.log(1.3)))
    scale = min(scale, 0.95 * min(size_hw[0] / height, size_hw[1] / width))
    scale = max(scale, 12 / min(height, width))
    size = max(8, round(width * scale)), max(8, round(height * scale))
    image = np.asarray(cv2.resize(cutout.rgb, size, interpolation=cv2.INTER_AREA), np.float32)
    mask = cv2.resize(cutout.mask.view(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
    light = (rng.uniform(0.6, 1.3) * rng.uniform(0.92, 1.08, 3)).astype(np.float32)
    image = np.clip(image * light, 0, 255)
    top, left, bottom, right = cutout.ends
    if rng.random() < 0.5:
        image, mask, left, right = image[:, ::-1], mask[:, ::-1], right, left
    return image, np.ascontiguousarray(mask), (top, left, bottom, right)


def _place(
    part_hw: Sequence[int], ends: tuple[bool, bool, bool, bool], size_hw: Sequence[int],
    rng: Generator,
) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Choose a cut-out's position: at the border that cuts it off, or anywhere inside."""
    starts = []
    for axis in range(2):
        spare = size_hw[axis] - part_hw[axis]
        if ends[axis]:
            starts.append(0)
        elif ends[axis + 2]:
            starts.append(spare)
        else:
            starts.append(int(rng.integers(min(0, spare), max(0, spare) + 1)))
    place, inside = [], []
    for start, part, size in zip(starts, part_hw, size_hw, strict=True):
        low, high = max(0, start), min(size, start + part)
        place.append(slice(low, high))
        inside.append(slice(low - start, high - start))
    return (place[0], place[1]), (inside[0], inside[1])

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

"""Batches of augmented images and their targets for each training step."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.random import Generator
from seg_ros.training.augment import color_jitter, random_crop, random_erasing, tint_surface
from seg_ros.training.mixed_sources import MixedSources
from seg_ros.training.network import STRIDE
from seg_ros.training.paste import Cutouts, paste
from seg_ros.training.sample import TrainingSample
from seg_ros.training.targets import make_targets
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

_MAX_NOISE = 0.04       # standard deviation, as a fraction of white
_PASTE_PROBABILITY = 0.4    # for each image
_TINT_PROBABILITY = 0.45
_ERASING_PROBABILITY = 0.15


class Batch(NamedTuple):
    """
    Images and, by the names of `Targets`, what the network should predict.

    :param rgb: uint8 (N, H, W, 3).
    :param noise: float32 (N), standard deviation of the noise to add, as a fraction of white.
    :param complete: bool (N, C), as in `TrainingSample`.
    """

    rgb: Tensor
    noise: Tensor
    complete: Tensor
    classes: Tensor
    pixel_weights: Tensor
    centers: Tensor
    center_mask: Tensor
    offsets: Tensor
    offset_weights: Tensor


class Batches(Dataset[Batch]):
    """
    The batch of each step, which depends only on the seed and the step number.

    :param count: images per batch.
    :param size_hw: size of the windows that are cropped from the images.
    :param input_hw: input size of the exported network.
    :param cutouts: objects to paste into images, if any.
    """

    def __init__(
        self, samples: MixedSources, count: int, size_hw: tuple[int, int],
        input_hw: tuple[int, int], seed: int, cutouts: Cutouts | None = None,
    ) -> None:
        self._samples = samples
        self._count = count
        self._sizes = size_hw, input_hw
        self._seed = seed
        self._cutouts = cutouts
        self._probabilities = samples.probabilities()
        self._things = samples.things()

    def __getitem__(self, step: int) -> Batch:
        """Draw images and augment them."""
        rng = np.random.default_rng([self._seed, step])
        numbers = rng.choice(len(self._samples), self._count, p=self._probabilities)
        rows = [self._row(self._samples[number], rng) for number in numbers]
        return Batch(**{
            name: torch.from_numpy(np.stack([row[name] for row in rows])) for name in Batch._fields
        })

    def _row(self, sample: TrainingSample, rng: Generator) -> dict[str, Any]:
        sample = random_crop(sample, *self._sizes, rng)
        if self._cutouts and rng.random() < _PASTE_PROBABILITY:
            sample = paste(sample, self._cutouts, rng)
        if rng.random() < _TINT_PROBABILITY:
            sample = tint_surface(sample, self._things, rng)
        if rng.random() < _ERASING_PROBABILITY:
            sample = random_erasing(sample, rng)
        return {
            'noise': np.float32(rng.uniform(0, _MAX_NOISE)),
            'rgb': color_jitter(sample.rgb, rng),
            'complete': sample.complete,
            **make_targets(sample, self._things, STRIDE)._asdict(),
        }


def batches_of(
    batches: Batches, steps: range, device: torch.device, workers: int
) -> Iterator[Batch]:
    """
    Yield the batches of some steps, in order.

    :param device: device to which the batches are copied.
    :param workers: processes that prepare batches ahead; 0 prepares each batch on demand.
    """
    loader: DataLoader[Batch] = DataLoader(
        batches, batch_size=None, sampler=steps, num_workers=workers,
        pin_memory=device.type == 'cuda', worker_init_fn=_use_one_thread if workers else None,
    )
    for batch in loader:
        yield Batch(*(tensor.to(device, non_blocking=True) for tensor in batch))


def _use_one_thread(worker: int) -> None:
    """Limit a worker process to one thread."""
    cv2.setNumThreads(0)

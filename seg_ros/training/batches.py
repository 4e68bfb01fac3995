"""What a training is shown, step by step."""

from collections.abc import Iterator
from typing import NamedTuple

import cv2
import numpy as np
from seg_ros.training.network import STRIDE
from seg_ros.training.samples import augmented, Samples
from seg_ros.training.targets import make_targets
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

_NOISE = 0.04   # of white, the most that an image gets


class Batch(NamedTuple):
    """
    Images and what the network should say of them, as `make_targets` has it.

    :param rgb: uint8 (N, H, W, 3).
    :param noise: float32 (N), the standard deviation to add, as a share of white.
    """

    rgb: Tensor
    noise: Tensor
    classes: Tensor
    emphasis: Tensor
    centers: Tensor
    offsets: Tensor
    weights: Tensor


class Batches(Dataset[Batch]):
    """
    The batch of each step, which depends on the seed and the step's number alone.

    :param count: images a batch.
    :param size_hw: of the windows that are cut out of them.
    """

    def __init__(
        self, samples: Samples, count: int, size_hw: tuple[int, int], seed: int
    ) -> None:
        self._samples = samples
        self._count = count
        self._size_hw = size_hw
        self._seed = seed
        self._chances = samples.drawing_weights()

    def __getitem__(self, step: int) -> Batch:
        """Draw images, and cut, turn and recolour them."""
        random = np.random.default_rng([self._seed, step])
        rows = []
        for number in random.choice(len(self._samples), self._count, p=self._chances):
            rgb, classes, instances = augmented(
                self._samples.stored(number), self._size_hw, random
            )
            wanted = make_targets(classes, instances, STRIDE)
            noise = np.float32(random.uniform(0, _NOISE))
            rows.append((
                rgb, noise, wanted.classes, wanted.emphasis, wanted.centers, wanted.offsets,
                wanted.weights,
            ))
        return Batch(*(torch.from_numpy(np.stack(column)) for column in zip(*rows, strict=True)))


def batches_of(
    batches: Batches, steps: range, device: torch.device, workers: int
) -> Iterator[Batch]:
    """
    Give the batches of some steps, in order.

    :param device: that they are brought to.
    :param workers: processes that prepare them ahead; 0 prepares each when it is asked for.
    """
    loader: DataLoader[Batch] = DataLoader(
        batches, batch_size=None, sampler=steps, num_workers=workers,
        pin_memory=device.type == 'cuda', worker_init_fn=_alone if workers else None,
    )
    for batch in loader:
        yield Batch(*(tensor.to(device, non_blocking=True) for tensor in batch))


def _alone(worker: int) -> None:
    """Keep one of many processes to one thread."""
    cv2.setNumThreads(0)

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

"""Trains any network of the zoo on folders of images, from random or pretrained weights."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from seg_ros.training.batches import Batches, batches_of
from seg_ros.training.losses import semantic_loss
from seg_ros.training.mixed_sources import MixedSources
from seg_ros.training.normalization import add_noise, normalize
from seg_ros.training.optimizer import make_optimizer, optimizer_step, set_rates
import torch
from torch import nn, Tensor

_WARM_UP = 20       # steps until the full learning rate


@dataclass(frozen=True)
class FineTuningOptions:
    """
    Training settings.

    :param size_hw: size of the network's input.
    :param rates: peak learning rates of loaded and of randomly initialised weights.
    :param workers: processes that prepare images ahead.
    :param bfloat16: whether the forward pass is computed in bfloat16.
    """

    steps: int
    batch: int
    size_hw: tuple[int, int]
    rates: tuple[float, float]
    seed: int = 0
    workers: int = 0
    bfloat16: bool = False


def fine_tune(
    network: nn.Module, loaded: Collection[str], losses: Iterable[Tensor],
    options: FineTuningOptions,
) -> Iterator[float]:
    """
    Train to the end, yielding each step's loss; leaves the network in evaluation mode.

    :param loaded: names of the parameters that were loaded, not initialised at random.
    :param losses: one for each step, computed lazily.
    """
    optimizer = make_optimizer(network, lambda name: name in loaded, options.rates)
    network.train()
    for step, loss in enumerate(losses):
        set_rates(optimizer, step, options.steps, _WARM_UP)
        optimizer_step(network, optimizer, loss)
        yield loss.item()
    network.eval()


def class_losses(
    network: nn.Module, samples: MixedSources, options: FineTuningOptions
) -> Iterator[Tensor]:
    """
    Compute the loss of each step of a semantic network.

    :param network: maps normalised images (N, 3, H, W) to class scores (N, C, h, w).
    """
    device = torch.device('cpu')
    class_weights = torch.from_numpy(samples.class_weights())
    batches = Batches(samples, options.batch, options.size_hw, options.size_hw, options.seed)
    for step, batch in enumerate(
        batches_of(batches, range(options.steps), device, options.workers)
    ):
        with torch.autocast(device.type, torch.bfloat16, enabled=options.bfloat16):
            scores = network(normalize(add_noise(batch, options.seed, step)))
        yield semantic_loss(
            scores.float(), batch.classes, batch.complete, class_weights, batch.pixel_weights
        )

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
from seg_ros.training.learning_rate import parameter_groups, set_rates
from seg_ros.training.losses import semantic_loss
from seg_ros.training.mixed_sources import MixedSources
from seg_ros.training.normalization import add_noise, normalize
import torch
from torch import nn, Tensor

_WARM_UP = 20       # steps until the full learning rate


@dataclass(frozen=True)
class FineTuning:
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
    network: nn.Module, loaded: Collection[str], losses: Iterable[Tensor], recipe: FineTuning
) -> Iterator[float]:
    """
    Train to the end, yielding each step's loss; leaves the network in evaluation mode.

    :param loaded: names of the parameters that were loaded, not initialised at random.
    :param losses: one for each step, computed lazily.
    """
    groups = parameter_groups(network, lambda name: name in loaded, recipe.rates)
    optimizer = torch.optim.AdamW(groups, weight_decay=1e-4)
    network.train()
    for step, loss in enumerate(losses):
        set_rates(optimizer, step, recipe.steps, _WARM_UP)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimizer.step()
        yield loss.item()
    network.eval()


def class_losses(
    network: nn.Module, samples: MixedSources, recipe: FineTuning
) -> Iterator[Tensor]:
    """
    Compute the loss of each step of a semantic network.

    :param network: maps normalised images (N, 3, H, W) to class scores (N, C, h, w).
    """
    device = torch.device('cpu')
    class_weights = torch.from_numpy(samples.class_weights())
    batches = Batches(samples, recipe.batch, recipe.size_hw, recipe.size_hw, recipe.seed)
    for step, batch in enumerate(
        batches_of(batches, range(recipe.steps), device, recipe.workers)
    ):
        with torch.autocast(device.type, torch.bfloat16, enabled=recipe.bfloat16):
            scores = network(normalize(add_noise(batch, recipe.seed, step)))
        yield semantic_loss(
            scores.float(), batch.classes, batch.complete, class_weights, batch.pixel_weights
        )

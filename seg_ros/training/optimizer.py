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

"""AdamW with two groups of parameters, whose learning rates warm up and decay."""

from collections.abc import Callable
from math import cos, pi

import torch
from torch import nn, Tensor

_MAX_GRADIENT_NORM = 5.0


def make_optimizer(
    network: nn.Module, is_first: Callable[[str], bool], rates: tuple[float, float]
) -> torch.optim.Optimizer:
    """
    Make an optimizer of two groups of parameters; a group without any is left out.

    :param is_first: whether the parameter of a name belongs to the first group.
    :param rates: peak learning rates of the two groups.
    """
    named = list(network.named_parameters())
    parts = (
        [value for name, value in named if is_first(name) == first] for first in (True, False)
    )
    groups = [
        {'params': part, 'rate': rate} for part, rate in zip(parts, rates, strict=True) if part
    ]
    return torch.optim.AdamW(groups, weight_decay=1e-4)


def set_rates(optimizer: torch.optim.Optimizer, step: int, steps: int, warm_up: int) -> None:
    """
    Set the learning rates: linear warm-up, then cosine decay to 1/50.

    :param optimizer: from `make_optimizer`.
    :param step: number of the next step, from 0.
    :param steps: of the whole training.
    :param warm_up: steps until the full learning rate.
    """
    lr_factor = min(1, (step + 1) / warm_up) * (0.49 * (1 + cos(pi * (step / steps))) + 0.02)
    for group in optimizer.param_groups:
        group['lr'] = group['rate'] * lr_factor


def optimizer_step(network: nn.Module, optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    """Update a network's parameters by the gradient of a loss, which is clipped to a norm of 5."""
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(network.parameters(), _MAX_GRADIENT_NORM)
    optimizer.step()

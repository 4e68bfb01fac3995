"""
Trains the panoptic network on folders of pictures.

A step's pictures depend on the seed and the step's number alone, so that a run that was
interrupted goes on exactly as it would have.
"""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from math import cos, pi
from pathlib import Path
import time
from typing import Any

import numpy as np
from seg_ros.core.errors import SettingError
from seg_ros.zoo.losses import center_loss, offset_loss, semantic_loss, SHARES
from seg_ros.zoo.network import freeze, load_backbone, PanopticNetwork, parameter_groups, STRIDE
from seg_ros.zoo.samples import augmented, Samples
from seg_ros.zoo.targets import make_targets
from seg_ros.zoo.weights import read_weights, write_weights
import torch
from torch import Tensor

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)    # of ImageNet
_WARM_UP = 60       # steps until the full rate
_KEEP = 0.998       # of the running mean of the weights, a step


@dataclass(frozen=True)
class Recipe:
    """
    How to train.

    :param size_hw: of the crops that the network sees; multiples of 32.
    :param rates: the highest learning rates of the backbone and of the new layers.
    :param init: weights to begin with: NPZ of an earlier run, or torchvision's MobileNetV2 (.pth).
    :param frozen: how many of the backbone's layers, from the picture on, stay as they are.
    :param save_s: seconds between checkpoints.
    """

    steps: int = 20000
    batch: int = 8
    size_hw: tuple[int, int] = (224, 288)
    rates: tuple[float, float] = (4e-4, 1.5e-3)
    seed: int = 0
    init: Path | None = None
    frozen: int = 0
    threads: int = 2
    save_s: float = 180


@dataclass(eq=False)
class Run:
    """
    A training under way.

    :param mean: the network whose weights are a running mean of those trained.
    :param losses: of each step so far: semantic, centre, offset.
    """

    recipe: Recipe
    network: PanopticNetwork
    mean: PanopticNetwork
    optimizer: torch.optim.Optimizer
    step: int = 0
    losses: list[list[float]] = field(default_factory=list)


def open_run(recipe: Recipe, classes: int, folder: Path, resume: bool) -> Run:
    """
    Begin a run, or take up the one whose checkpoint lies in the folder.

    :raises SegError: if there is nothing to resume, or the first weights do not fit.
    """
    torch.manual_seed(recipe.seed)
    torch.set_num_threads(recipe.threads)
    network = PanopticNetwork(classes)
    if recipe.init is not None and not resume:
        read = load_backbone if recipe.init.suffix == '.pth' else None
        read(network, recipe.init) if read else read_weights(recipe.init, network)
    network = network.to(memory_format=torch.channels_last)     # a third quicker on CPUs
    optimizer = torch.optim.AdamW(parameter_groups(network, recipe.rates), weight_decay=1e-4)
    run = Run(recipe, network, deepcopy(network).eval(), optimizer)
    if resume:
        _restore(run, folder / 'checkpoint.pt')
    return run


def train(run: Run, samples: Samples, folder: Path) -> Iterator[Run]:
    """Train to the end, yielding after every step; the checkpoint is written now and then."""
    folder.mkdir(parents=True, exist_ok=True)
    chances = samples.drawing_weights()
    weights = torch.from_numpy(samples.class_weights())
    saved = time.monotonic()
    run.network.train()
    freeze(run.network.features[:run.recipe.frozen])
    while run.step < run.recipe.steps:
        random = np.random.default_rng([run.recipe.seed, run.step])
        images, wanted = _batch(run.recipe, samples, random, chances)
        _set_rates(run)
        losses = _losses(run.network(images), wanted, weights)
        run.optimizer.zero_grad()
        sum(share * losses[name] for name, share in SHARES.items()).backward()
        torch.nn.utils.clip_grad_norm_(run.network.parameters(), 5.0)
        run.optimizer.step()
        run.step += 1
        run.losses.append([losses[name].item() for name in SHARES])
        _follow(run)
        if time.monotonic() - saved > run.recipe.save_s or run.step == run.recipe.steps:
            save(run, folder)
            saved = time.monotonic()
        yield run


def save(run: Run, folder: Path) -> None:
    """Write the checkpoint to resume from, and the mean weights to export."""
    state = {
        'step': run.step, 'losses': run.losses, 'network': run.network.state_dict(),
        'mean': run.mean.state_dict(), 'optimizer': run.optimizer.state_dict(),
    }
    partial = folder / 'checkpoint.partial'
    torch.save(state, partial)
    partial.replace(folder / 'checkpoint.pt')
    write_weights(folder / 'weights.npz', run.mean.state_dict())


def _restore(run: Run, path: Path) -> None:
    try:
        state = torch.load(path, weights_only=True)
    except OSError as error:
        raise SettingError(f'{path}: {error.strerror}', 'the folder of an earlier run') from error
    run.network.load_state_dict(state['network'])
    run.mean.load_state_dict(state['mean'])
    run.optimizer.load_state_dict(state['optimizer'])
    run.step, run.losses = state['step'], state['losses']


def _batch(
    recipe: Recipe, samples: Samples, random: np.random.Generator, chances: Any
) -> tuple[Tensor, list[Tensor]]:
    """Draw a batch: normalised images, and targets stacked in the order of their fields."""
    images, targets = [], []
    for number in random.choice(len(samples), recipe.batch, p=chances):
        rgb, classes, instances = augmented(samples.stored(number), recipe.size_hw, random)
        noise = random.normal(0, random.uniform(0, 0.04), rgb.shape).astype(np.float32)
        images.append((rgb / np.float32(255) + noise - MEAN) / STD)
        one = make_targets(classes, instances, STRIDE)
        targets.append((one.classes, one.emphasis, one.centers, one.offsets, one.weights))
    stacked = np.stack(images).astype(np.float32)
    batch = torch.from_numpy(stacked).permute(0, 3, 1, 2)   # already channels last
    return batch, [torch.from_numpy(np.stack(column)) for column in zip(*targets, strict=True)]


def _losses(
    outputs: tuple[Tensor, ...], wanted: list[Tensor], weights: Tensor
) -> dict[str, Tensor]:
    semantic, center, offset = outputs
    classes, emphasis, centers, offsets, offset_weights = wanted
    return {
        'semantic': semantic_loss(semantic, classes, weights, emphasis),
        'center': center_loss(center[:, 0], centers),
        'offset': offset_loss(offset, offsets, offset_weights),
    }


def _set_rates(run: Run) -> None:
    """Warm up, then fall along a cosine to a fiftieth."""
    done = run.step / run.recipe.steps
    share = min(1, (run.step + 1) / _WARM_UP) * (0.49 * (1 + cos(pi * done)) + 0.02)
    for group in run.optimizer.param_groups:
        group['lr'] = group['rate'] * share


def _follow(run: Run) -> None:
    """Move the mean weights towards those trained; sooner at the beginning."""
    keep = min(_KEEP, (1 + run.step) / (10 + run.step))
    trained = run.network.state_dict()
    with torch.no_grad():
        for name, value in run.mean.state_dict().items():
            if value.is_floating_point():
                value.lerp_(trained[name], 1 - keep)
            else:
                value.copy_(trained[name])

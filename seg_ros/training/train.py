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
Trains the panoptic network on folders of images.

The images of a step depend only on the seed and the step number, so that an interrupted run
resumes exactly as it would have continued.
"""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from pickle import UnpicklingError
import time
from typing import Any

from seg_ros.core.errors import SettingError
from seg_ros.core.shown import few
from seg_ros.core.whole_file import write_whole
from seg_ros.training.batches import Batch, Batches, batches_of
from seg_ros.training.losses import center_loss, LOSS_WEIGHTS, offset_loss, semantic_loss
from seg_ros.training.mixed_sources import MixedSources
from seg_ros.training.network import freeze, in_backbone, load_backbone, PanopticNetwork
from seg_ros.training.normalization import add_noise, normalize
from seg_ros.training.optimizer import make_optimizer, optimizer_step, set_rates
from seg_ros.training.paste import Cutouts
from seg_ros.training.weights import read_weights, write_weights
import torch
from torch import Tensor

_WARM_UP = 60       # steps until the full learning rate
_SCORES = 'semantic.1.bias'     # one value per class
_MEAN_DECAY = 0.998     # of the running mean of the weights, per step


@dataclass(frozen=True)
class TrainingOptions:
    """
    Training settings.

    :param size_hw: size of the training crops; multiples of 32.
    :param input_hw: input size of the exported network.
    :param rates: peak learning rates of the backbone and of the new layers.
    :param init: initial weights: NPZ of an earlier run, or torchvision's MobileNetV2 (.pth).
    :param frozen: number of the backbone's layers, counted from the input, that are not trained.
    :param device: `cpu`, or `cuda`, where the network is computed in bfloat16.
    :param threads: CPU threads for the network.
    :param workers: processes that prepare images ahead.
    :param save_s: seconds between checkpoints.
    """

    steps: int = 20000
    batch: int = 8
    size_hw: tuple[int, int] = (224, 288)
    input_hw: tuple[int, int] = (288, 384)
    rates: tuple[float, float] = (4e-4, 1.5e-3)
    seed: int = 0
    init: Path | None = None
    frozen: int = 0
    device: str = 'cpu'
    threads: int = 2
    workers: int = 0
    save_s: float = 180


@dataclass(eq=False)
class Run:
    """
    State of a training run.

    :param classes: by name, whether a class is a thing; in the order of the network's channels.
    :param mean: network whose weights are a running mean of the trained ones.
    :param losses: semantic, centre and offset loss of each step so far.
    """

    options: TrainingOptions
    classes: dict[str, bool]
    network: PanopticNetwork
    mean: PanopticNetwork
    optimizer: torch.optim.Optimizer
    step: int = 0
    losses: list[list[float]] = field(default_factory=list)


def open_run(
    options: TrainingOptions, classes: Mapping[str, bool], folder: Path, resume: bool
) -> Run:
    """
    Start a run, or resume the one whose checkpoint is in the folder.

    :param classes: as in `Run`.
    :raises SegError: if there is no checkpoint to resume, it has other classes, or the initial
        weights do not fit.
    """
    torch.manual_seed(options.seed)
    torch.set_num_threads(options.threads)
    torch.backends.cudnn.benchmark = True   # pays off because all steps have one size
    network = PanopticNetwork(len(classes))
    if options.init is not None and not resume:
        if options.init.suffix == '.pth':
            load_backbone(network, options.init)
        else:
            read_weights(options.init, network)
    # Channels last: a third faster on CPUs.
    network = network.to(_device(options), memory_format=torch.channels_last)
    optimizer = make_optimizer(network, in_backbone, options.rates)
    run = Run(options, dict(classes), network, deepcopy(network).eval(), optimizer)
    if resume:
        _restore(run, folder / 'checkpoint.pt')
    return run


def _device(options: TrainingOptions) -> torch.device:
    if options.device != 'cpu' and not torch.cuda.is_available():
        raise SettingError(
            f'{options.device}: PyTorch {torch.__version__} finds no GPU', 'cpu, or a GPU and '
            'a PyTorch that is built for it',
        )
    return torch.device(options.device)


def train(
    run: Run, samples: MixedSources, folder: Path, cutouts: Cutouts | None = None
) -> Iterator[Run]:
    """Train to the end, yielding after every step; write checkpoints every `save_s` seconds."""
    folder.mkdir(parents=True, exist_ok=True)
    options, device = run.options, _device(run.options)
    class_weights = torch.from_numpy(samples.class_weights()).to(device)
    batches = Batches(
        samples, options.batch, options.size_hw, options.input_hw, options.seed, cutouts
    )
    saved = time.monotonic()
    run.network.train()
    freeze(run.network.features[:options.frozen])
    for batch in batches_of(batches, range(run.step, options.steps), device, options.workers):
        set_rates(run.optimizer, run.step, options.steps, _WARM_UP)
        images = normalize(add_noise(batch, options.seed, run.step))
        with torch.autocast(device.type, torch.bfloat16, enabled=device.type == 'cuda'):
            outputs = run.network(images)
        losses = _losses(outputs, batch, class_weights)
        loss = sum(weight * losses[name] for name, weight in LOSS_WEIGHTS.items())
        optimizer_step(run.network, run.optimizer, loss)
        run.step += 1
        run.losses.append(torch.stack([losses[name].detach() for name in LOSS_WEIGHTS]).tolist())
        _update_mean(run)
        if time.monotonic() - saved > options.save_s or run.step == options.steps:
            save(run, folder)
            saved = time.monotonic()
        yield run


def save(run: Run, folder: Path) -> None:
    """Write the checkpoint to resume from, and the mean weights to export."""
    state = {
        'step': run.step, 'losses': run.losses, 'classes': list(run.classes),
        'things': list(run.classes.values()),
        'network': run.network.state_dict(),
        'mean': run.mean.state_dict(), 'optimizer': run.optimizer.state_dict(),
    }
    data = BytesIO()
    torch.save(state, data)
    write_whole(folder / 'checkpoint.pt', data.getvalue())
    write_weights(folder / 'weights.npz', run.mean.state_dict())


def _restore(run: Run, path: Path) -> None:
    try:
        state = torch.load(path, weights_only=True, map_location=_device(run.options))
    except OSError as error:
        raise SettingError(f'{path}: {error.strerror}', 'the folder of an earlier run') from error
    except (RuntimeError, UnpicklingError, EOFError) as error:
        raise SettingError(f'{path} cannot be read: {error}', 'a complete checkpoint') from error
    _check_classes(run, state, path)
    run.network.load_state_dict(state['network'])
    run.mean.load_state_dict(state['mean'])
    run.optimizer.load_state_dict(state['optimizer'])
    run.step, run.losses = state['step'], state['losses']


def _check_classes(run: Run, state: Mapping[str, Any], path: Path) -> None:
    """Check that a checkpoint has the run's classes; old checkpoints lack names or things."""
    names, things = (list(state.get(key) or ()) for key in ('classes', 'things'))
    count = len(state['network'][_SCORES])
    do = 'train without --resume into another --output'
    if names != list(run.classes) and (names or count != len(run.classes)):
        raise SettingError(
            f'{path} was trained on {few(names) or f"{count} classes"} and the data have '
            f'{few(run.classes)}', 'the same classes in the same order', do,
        )
    if things and things != list(run.classes.values()):
        was, now = (
            few([name for name, thing in zip(run.classes, flags, strict=True) if thing]) or 'none'
            for flags in (things, run.classes.values())
        )
        raise SettingError(
            f'{path} was trained with the things {was} and in the data they are {now}',
            'the same things', do,
        )


def _losses(
    outputs: tuple[Tensor, ...], batch: Batch, class_weights: Tensor
) -> dict[str, Tensor]:
    semantic, center, offset = (output.float() for output in outputs)
    return {
        'semantic': semantic_loss(
            semantic, batch.classes, batch.complete, class_weights, batch.pixel_weights
        ),
        'center': center_loss(center[:, 0], batch.centers, batch.center_mask),
        'offset': offset_loss(offset, batch.offsets, batch.offset_weights),
    }


def _update_mean(run: Run) -> None:
    """Move the mean weights towards the trained ones, faster in the first steps."""
    keep = min(_MEAN_DECAY, (1 + run.step) / (10 + run.step))
    trained = run.network.state_dict()
    with torch.no_grad():
        for name, value in run.mean.state_dict().items():
            if value.is_floating_point():
                value.lerp_(trained[name], 1 - keep)
            else:
                value.copy_(trained[name])

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

"""The panoptic network trained on folders of images, and exported."""

import argparse
from collections.abc import Sequence
import json
from pathlib import Path
import shlex
import sys
from typing import Any

from seg_ros.core.errors import SettingError

# Roles of the simulated classes, which data sets do not have.
ROLES = {
    'floor': ('traversable',), 'object': ('graspable',), 'robot': ('dynamic',),
    'person': ('dynamic',),
}


def train_panoptic(args: argparse.Namespace, samples: Any) -> dict[str, Any]:
    """
    Train the panoptic network, and write weights.npz, NAME.onnx and NAME.yaml.

    :param args: of `seg_ros train`.
    :returns: the figures to print.
    :raises SegError: if the initial weights or the checkpoint do not fit.
    """
    from seg_ros.training.train import open_run, TrainingOptions

    options = TrainingOptions(
        steps=args.steps, batch=args.batch, seed=args.seed, threads=args.threads,
        init=args.init, rates=tuple(args.rates), frozen=args.frozen,
        size_hw=tuple(args.crop), input_hw=tuple(args.size),
        device=args.device, workers=args.workers,
    )
    classes = {item['name']: bool(item['isthing']) for item in samples.categories}
    training = open_run(options, classes, args.output, args.resume)
    cutouts = _cutouts(samples, args.paste) if args.paste else None
    _train(training, samples, args.output, cutouts)
    training.mean.cpu()
    if args.keep:
        from seg_ros.training.weights import blend_weights, write_weights

        blend_weights(args.init, training.mean, args.keep)
        write_weights(args.output / 'weights.npz', training.mean.state_dict())
    return _export(args, training, samples)


def _cutouts(samples: Any, wishes: Sequence[str]) -> Any:
    from seg_ros.training.paste import Cutouts

    channels = {item['name']: channel for channel, item in enumerate(samples.categories)}
    sources = {source.name: source for source in samples.sources}
    chosen = []
    for wish in wishes:
        name, _, classes = wish.partition('=')
        try:
            chosen.append((sources[name], [channels[item] for item in classes.split(',')]))
        except KeyError as error:
            raise SettingError(
                f'--paste {wish}: {error}', f'SOURCE=CLASS,CLASS of {", ".join(sources)} and '
                f'{", ".join(channels)}',
            ) from error
    return Cutouts(chosen, samples.things())


def _train(training: Any, samples: Any, folder: Path, cutouts: Any) -> None:
    from seg_ros.training.losses import LOSS_WEIGHTS
    from seg_ros.training.train import train
    from tqdm import tqdm

    bar = tqdm(
        train(training, samples, folder, cutouts), initial=training.step,
        total=training.options.steps, unit='step', file=sys.stderr, mininterval=5,
    )
    for now in bar:
        if now.step % 100 == 0:
            _write_curve(folder, now.losses)
        last = now.losses[-50:]
        means = (sum(column) / len(last) for column in zip(*last, strict=True))
        named = zip(LOSS_WEIGHTS, means, strict=True)
        bar.set_postfix({name: f'{mean:.3f}' for name, mean in named})


def _write_curve(folder: Path, losses: Any) -> None:
    from seg_ros.commands.output_file import write_file
    from seg_ros.image.file_writing import encode_png
    from seg_ros.training.curve import draw_curve
    from seg_ros.training.losses import LOSS_WEIGHTS

    write_file(folder / 'curve.png', encode_png(draw_curve(losses, tuple(LOSS_WEIGHTS))))


def _export(args: argparse.Namespace, training: Any, samples: Any) -> dict[str, Any]:
    """Write the network with the mean weights and its card; return the figures to print."""
    from seg_ros.commands.model_files.card_file import text_from_card
    from seg_ros.commands.output_file import write_file
    from seg_ros.training.export import COMPILING, make_card, onnx_from_network
    from seg_ros.training.photographs import CATEGORIES

    data = onnx_from_network(training.mean, tuple(args.size)).SerializeToString()
    path = args.output / f'{args.name}.onnx'
    write_file(path, data)
    if samples.credits:
        write_file(path.with_name('credits.json'), json.dumps(samples.credits, indent=1).encode())
    licence = 'Apache-2.0' if samples.categories == CATEGORIES else ''
    card = make_card(args.name, samples.categories, ROLES, tuple(args.size), licence)
    described = path.with_suffix('.yaml')
    write_file(described, text_from_card(card).encode())
    compiling = [
        'seg_ros', 'compile', str(path), '--card', str(described), *COMPILING,
        '-o', str(path.with_suffix('.compiled.onnx')),
    ]
    return {
        'file': str(path), 'bytes': len(data), 'steps': training.step,
        'compile_with': shlex.join(compiling),
    }

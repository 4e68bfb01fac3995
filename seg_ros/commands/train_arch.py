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

"""A named architecture trained on folders of images, and exported."""

import argparse
from dataclasses import replace
from io import BytesIO
import sys
from typing import Any

from seg_ros.commands.architecture_options import read_options
from seg_ros.core.card import ModelCard
from seg_ros.core.errors import SettingError
from seg_ros.zoo.architectures import ARCHITECTURES, NetworkRequest

_SHOWN = 50     # steps over which the displayed loss is averaged


def train_arch(args: argparse.Namespace, samples: Any) -> dict[str, Any]:
    """
    Train a named architecture, and write weights.pt, NAME.onnx and NAME.yaml.

    :param args: of `seg_ros train`.
    :returns: the figures to print.
    :raises SegError: if a package is missing, or weights do not fit.
    """
    from seg_ros.zoo.export import build_network, export_network
    import torch

    torch.manual_seed(args.seed)
    torch.set_num_threads(args.threads)
    classes = _classes(args.arch, samples)
    request = NetworkRequest(
        args.arch, len(classes), tuple(args.size), args.encoder,
        options=read_options(args.option),
    )
    network = build_network(request)
    loss = _train(args, network, samples)
    folder, weights = args.output, BytesIO()
    torch.save(network.state_dict(), weights)
    data = export_network(network, request).model.SerializeToString()
    path = folder / f'{args.name}.onnx'
    folder.mkdir(parents=True, exist_ok=True)
    _write(args, request, classes, path, {'weights.pt': weights.getvalue(), path.name: data})
    return {'file': str(path), 'bytes': len(data), 'steps': args.steps, 'loss': round(loss, 3)}


def _classes(name: str, samples: Any) -> list[dict[str, Any]]:
    """
    Return the classes that the network predicts: for an instance network only things.

    :raises SettingError: if there are none.
    """
    categories: list[dict[str, Any]] = samples.categories
    if ARCHITECTURES[name].task == 'semantic':
        return categories
    things = [item for item in categories if item['isthing']]
    if not things:
        raise SettingError(f'no thing class for {name}', 'at least one')
    return things


def _train(args: argparse.Namespace, network: Any, samples: Any) -> float:
    """Train the network and return the mean loss of the last steps."""
    from seg_ros.training.detector_batches import detector_losses
    from seg_ros.training.fine_tune import class_losses, fine_tune, FineTuningOptions
    from seg_ros.zoo.weights import load_encoder
    from tqdm import tqdm

    loaded = load_encoder(network, args.init) if args.init else ()
    options = FineTuningOptions(
        args.steps, args.batch, tuple(args.size), tuple(args.rates), args.seed, args.workers,
        args.bfloat16,
    )
    semantic = ARCHITECTURES[args.arch].task == 'semantic'
    steps = (class_losses if semantic else detector_losses)(network, samples, options)
    bar = tqdm(
        fine_tune(network, loaded, steps, options), total=args.steps, unit='step',
        file=sys.stderr, mininterval=5,
    )
    losses: list[float] = []
    for loss in bar:
        losses.append(loss)
        last = losses[-_SHOWN:]
        bar.set_postfix(loss=f'{sum(last) / len(last):.3f}')
    return sum(losses[-_SHOWN:]) / max(1, len(losses[-_SHOWN:]))


def _write(
    args: argparse.Namespace, request: NetworkRequest, classes: Any, path: Any,
    files: dict[str, bytes],
) -> None:
    from seg_ros.commands.model_files.card_file import text_from_card
    from seg_ros.commands.output_file import write_file

    for name, content in files.items():
        write_file(path.with_name(name), content)
    card = _card(request, classes, args.name)
    write_file(path.with_suffix('.yaml'), text_from_card(card).encode())


def _card(request: NetworkRequest, classes: Any, name: str) -> ModelCard:
    """Return the card; with letterbox, since training kept the aspect ratio of images."""
    from seg_ros.zoo.export import make_card

    rows = [
        {'thing': bool(item['isthing']),
         **{key: item[key] for key in ('id', 'name', 'color', 'roles') if key in item}}
        for item in classes
    ]
    card = make_card(request, rows)
    spec = replace(card.input, fit='letterbox')
    return replace(card, name=name, input=spec, source=f'seg_ros train --arch {request.name}')

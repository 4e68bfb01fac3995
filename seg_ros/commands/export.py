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

"""`seg_ros export`: a named architecture written as ONNX, with its card."""

import argparse
from importlib.util import find_spec
import json
from pathlib import Path

from seg_ros.commands.architecture_options import OPTION_HELP, read_classes, read_options
from seg_ros.commands.options import refuse_unused
from seg_ros.core.errors import SettingError
from seg_ros.core.number_options import SIDE
from seg_ros.core.whole_file import check_output
from seg_ros.zoo.architectures import ARCHITECTURES, NetworkRequest

SUMMARY = 'write a named architecture from PyTorch as ONNX, with its card'
EXAMPLE = (
    'seg_ros export deeplabv3plus --encoder resnet34 --classes names.txt --weights best.pt '
    '--size 480 640 -o street.onnx && seg_ros compile street.onnx --card street.yaml '
    '-o street.model.onnx'
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        'arch', choices=ARCHITECTURES, metavar='ARCH', nargs='?',
        help='; '.join(f'{name}: {item.description}' for name, item in ARCHITECTURES.items()),
    )
    parser.add_argument(
        '-o', '--output', type=Path,
        help='the ONNX file to write; the card is written beside it, as YAML',
    )
    parser.add_argument(
        '--encoder', default='',
        help='name of the backbone in the library, such as resnet34 or b2 (default: '
        + ', '.join(
            f'{item.encoder} for {name}' for name, item in ARCHITECTURES.items() if item.encoder
        ) + ')',
    )
    parser.add_argument('--option', nargs='*', default=[], metavar='NAME=NUMBER', help=OPTION_HELP)
    parser.add_argument(
        '--classes', default='21', metavar='N|FILE',
        help='number of classes, or a file: one name per line, or YAML as in a card (default: 21)',
    )
    parser.add_argument(
        '--weights', type=Path, metavar='FILE',
        help='weights of the whole network, .pt or .safetensors (default: random)',
    )
    parser.add_argument(
        '--task', choices=('semantic', 'instance', 'panoptic'),
        help='task in the card, if the network supports several',
    )
    parser.add_argument(
        '--size', type=SIDE, nargs=2, default=(480, 640), metavar=('HEIGHT', 'WIDTH'),
        help='input size (default: 480 640)',
    )
    parser.add_argument(
        '--table', type=Path, nargs='+', metavar='PATH',
        help='instead of writing a file: make ARCH, or every architecture, in a small size with '
        'random weights, compare it with PyTorch on these images, time it and build it for '
        'TensorRT-RTX',
    )
    parser.add_argument('--json', action='store_true', help='print the figures as one JSON object')


def run(args: argparse.Namespace) -> int:
    """
    Build, export and write.

    :raises SegError: if a package is missing, or weights or classes are invalid.
    """
    if args.table:
        names = ('output', 'encoder', 'option', 'classes', 'weights', 'task', 'size')
        refuse_unused(args, add_arguments, names, 'with --table', 'only ARCH and --json with it')
        return _print_table(args)
    if not (args.arch and args.output):
        raise SettingError('no ARCH or no --output', 'both', 'or --table with images')
    path, classes = _card_path(args), read_classes(args.classes)
    request = _request(args, len(classes))
    from seg_ros.commands.figures import print_figures
    from seg_ros.commands.model_files.card_file import text_from_card
    from seg_ros.commands.output_file import write_file
    from seg_ros.zoo.export import build_network, export_network, make_card

    card = make_card(request, classes, args.task)
    exported = export_network(build_network(request), request)
    data = exported.model.SerializeToString()
    write_file(args.output, data)
    write_file(path, text_from_card(card).encode())
    print_figures({
        'file': str(args.output), 'card': str(path), 'bytes': len(data),
        'parameters': exported.parameters,
        'weights': str(args.weights) if args.weights else 'random',
    }, args.json)
    return 0


def _card_path(args: argparse.Namespace) -> Path:
    """
    Return the path of the card.

    :raises SettingError: if the network or the card would overwrite each other or an input.
    """
    path: Path = args.output.with_suffix('.yaml')
    if path == args.output:
        raise SettingError(f'-o {path}, where the card is written', 'a file named .onnx')
    for output in (args.output, path):
        check_output(output, filter(None, (Path(args.classes), args.weights)))
    return path


def _request(args: argparse.Namespace, classes: int) -> NetworkRequest:
    """
    Return the specification of the network.

    :raises SettingError: if an option has a wrong form or does not suit the architecture.
    """
    request = NetworkRequest(
        args.arch, classes, tuple(args.size), args.encoder, args.weights,
        read_options(args.option),
    )
    tasks = request.architecture.tasks or (request.architecture.task,)
    if args.task not in (None, *tasks):
        raise SettingError(f'--task {args.task} for {args.arch}', ' or '.join(tasks))
    return request


def _print_table(args: argparse.Namespace) -> int:
    if find_spec('torch') is None:
        raise SettingError('--table without torch', 'torch', 'pip install "seg_ros[zoo]"')
    from seg_ros.commands.model_files.parity import calibration_frames
    from seg_ros.commands.progress import Progress
    from seg_ros.commands.zoo.table import HEADINGS, rows_of

    names = [args.arch] if args.arch else list(ARCHITECTURES)
    frames = calibration_frames(args.table, Progress('export', len(args.table)))
    rows = []
    if not args.json:
        print(f'| {" | ".join(HEADINGS)} |\n|{" --- |" * len(HEADINGS)}')
    for row in rows_of(names, frames):
        rows.append(dict(zip(HEADINGS, row, strict=True)))
        if not args.json:
            print(f'| {" | ".join(row)} |', flush=True)
    if args.json:
        print(json.dumps({'rows': rows}))
    return 0

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
from collections.abc import Sequence
from importlib.util import find_spec
from math import inf
from pathlib import Path
from typing import Any

from seg_ros.commands.options import refuse_unused
from seg_ros.core.errors import CardError, SettingError
from seg_ros.core.number_options import SIDE
from seg_ros.core.strict_yaml import load_yaml
from seg_ros.core.whole_file import check_output
from seg_ros.zoo.architectures import ARCHITECTURES, NetworkRequest

SUMMARY = 'write a named architecture from PyTorch as ONNX, with its card'
EXAMPLE = (
    'seg_ros export deeplabv3plus --encoder resnet34 --classes names.txt --weights best.pt '
    '--size 480 640 -o street.onnx && seg_ros compile street.onnx --card street.yaml '
    '-o street.model.onnx'
)
MAX_CLASSES = 65535     # ids of a card go to 65534
OPTION = (
    'sizes of an architecture other than the published ones, such as width=0.5 for segnet and '
    'deeplabv1, width=64 for gscnn and mask_rcnn'
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        'arch', choices=ARCHITECTURES, metavar='ARCH', nargs='?',
        help='; '.join(f'{name}: {item.words}' for name, item in ARCHITECTURES.items()),
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
    parser.add_argument('--option', nargs='*', default=[], metavar='NAME=NUMBER', help=OPTION)
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
    described = _card_path(args)
    classes = read_classes(args.classes)
    request = NetworkRequest(
        args.arch, len(classes), tuple(args.size), args.encoder, args.weights,
        read_options(args.option),
    )
    if args.task not in (None, request.architecture.task, *request.architecture.tasks):
        raise SettingError(
            f'--task {args.task} for {args.arch}',
            ' or '.join(request.architecture.tasks or (request.architecture.task,)),
        )
    from seg_ros.commands.figures import print_figures
    from seg_ros.commands.media.mask_files import write_file
    from seg_ros.commands.model_files.card_file import text_from_card
    from seg_ros.zoo.export import build_network, export_network, make_card

    card = make_card(request, classes, args.task)
    exported = export_network(build_network(request), request)
    data = exported.model.SerializeToString()
    write_file(args.output, data)
    write_file(described, text_from_card(card).encode())
    print_figures({
        'file': str(args.output), 'card': str(described), 'bytes': len(data),
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


def _print_table(args: argparse.Namespace) -> int:
    import json

    from seg_ros.commands.model_files.parity import calibration_frames
    from seg_ros.commands.progress import Progress
    from seg_ros.commands.zoo.table import HEADINGS, rows_of

    if find_spec('torch') is None:
        raise SettingError('--table without torch', 'torch', 'pip install "seg_ros[zoo]"')
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


def read_options(words: Sequence[str]) -> dict[str, float]:
    """
    Read options of an architecture.

    :param words: as NAME=NUMBER; a number without a point is an integer.
    :raises SettingError: if one has another form.
    """
    options: dict[str, float] = {}
    for word in words:
        name, _, number = word.partition('=')
        try:
            options[name] = int(number) if number.isdecimal() else float(number)
            if not 0 <= options[name] < inf:
                raise ValueError(number)
        except ValueError as error:
            raise SettingError(f'--option {word}', 'NAME=NUMBER, such as width=0.5') from error
    return options


def read_classes(words: str) -> list[dict[str, Any]]:
    """
    Read classes from a number or a file.

    :returns: rows of a card's `classes`.
    :raises SettingError: if it is neither.
    :raises CardError: if the file holds no classes.
    """
    if words.isdecimal():
        if not 1 <= int(words) <= MAX_CLASSES:
            raise SettingError(f'--classes {words}', f'at least 1 and at most {MAX_CLASSES}')
        return [{'id': index, 'name': f'class {index}'} for index in range(int(words))]
    path = Path(words)
    try:
        text = path.read_text(encoding='utf-8-sig')    # Windows' editors write a BOM
    except (OSError, UnicodeDecodeError) as error:
        raise SettingError(f'--classes {words}: {error}', 'a number or a file of names') from error
    names = [line.strip() for line in text.splitlines() if line.strip()]
    is_card = any(line.startswith('classes:') for line in text.splitlines())
    if path.suffix.lower() not in ('.yaml', '.yml') and not is_card:
        return [{'id': index, 'name': name} for index, name in enumerate(names)]
    import yaml

    try:
        data = load_yaml(text)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise CardError(f'{path}: {error}', 'YAML') from error
    rows = data.get('classes') if isinstance(data, dict) else data
    if not isinstance(rows, list) or not rows:
        raise CardError(f'{path} holds no classes', 'a list of id and name, or a card')
    return [row if isinstance(row, dict) else {'id': index, 'name': str(row)}
            for index, row in enumerate(rows)]

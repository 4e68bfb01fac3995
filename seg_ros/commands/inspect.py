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

"""`seg_ros inspect`: show what a model file holds, or how it would be compiled."""

import argparse
from pathlib import Path
from typing import Any

from seg_ros.core.card_reading import read_card
from seg_ros.core.errors import ModelError, SettingError
from seg_ros.core.number_options import SIDE

SUMMARY = 'show card, contract and classes of a model file, or how it would be compiled'
EXAMPLE = 'seg_ros inspect yolov8n-seg.model.onnx'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        'model', help="a compiled model or a raw network, ONNX, or `default`, the package's own"
    )
    parser.add_argument('--card', type=Path, help='for a raw network: the card to try it with')
    form = parser.add_mutually_exclusive_group()
    form.add_argument(
        '--kimera', action='store_true',
        help="print Kimera-Semantics' colour table of a compiled model instead: CSV",
    )
    form.add_argument(
        '--first-card', action='store_true',
        help='for a raw network: print a first card to complete instead, YAML',
    )
    parser.add_argument(
        '--size', type=SIDE, nargs=2, default=(), metavar=('HEIGHT', 'WIDTH'),
        help='input size in the first card, for a network with dynamic input size',
    )
    form.add_argument('--json', action='store_true', help='print the figures as one JSON object')


def run(args: argparse.Namespace) -> int:
    """
    Read the file and report.

    :raises SettingError: if an option would have no effect.
    :raises ModelError: if the file cannot be read.
    :raises CardError: if the card cannot be read.
    """
    # The graph layer takes a second to import, which --help need not wait for.
    from seg_ros.commands.figures import print_figures
    from seg_ros.commands.model_files.first_card import first_card
    from seg_ros.commands.model_files.kimera import kimera_csv
    from seg_ros.commands.model_files.model_figures import deployed_figures, raw_figures
    from seg_ros.commands.model_name import path_from_name
    from seg_ros.compile.compiled import compiled_from_model, metadata_of
    from seg_ros.compile.onnx_file import read_onnx
    from seg_ros.core.compiled_file import is_compiled

    path = path_from_name(args.model)
    model, sha256 = read_onnx(path)
    compiled = is_compiled(metadata_of(model))
    _refuse_unused(args, compiled)
    if args.kimera:
        if not compiled:
            raise ModelError(f'{args.model} is not compiled', do='run seg_ros compile first')
        print(kimera_csv(compiled_from_model(model, path.name).card))
        return 0
    if args.first_card:
        if compiled:
            raise ModelError(f'{args.model} is compiled and has its card', 'a raw network')
        print(first_card(model, path.stem, args.size))
        return 0
    figures: dict[str, Any] = {'file': str(path), 'sha256': sha256}
    if compiled:
        figures |= deployed_figures(compiled_from_model(model, path.name))
    else:
        figures |= raw_figures(model, path.stem, read_card(args.card) if args.card else None)
    print_figures(figures, args.json)
    return 0


def _refuse_unused(args: argparse.Namespace, compiled: bool) -> None:
    """Refuse options that would have no effect."""
    if args.size and not args.first_card:
        raise SettingError('--size without --first-card', 'both or neither')
    if args.card and (compiled or args.first_card):
        other = 'a compiled model, which has its own' if compiled else '--first-card'
        raise SettingError(f'--card with {other}', '--card only with a raw network')

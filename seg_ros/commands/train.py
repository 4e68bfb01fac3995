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

"""`seg_ros train`: the panoptic network, or a named one, trained on images and exported."""

import argparse
from math import inf
from pathlib import Path
import sys
from typing import Any

from seg_ros.commands.architecture_options import OPTION_HELP, read_classes
from seg_ros.commands.train_options import check_data_options, check_options
from seg_ros.core.errors import SettingError
from seg_ros.core.number_options import number, SEED, SIDE, whole
from seg_ros.zoo.architectures import ARCHITECTURES

TRAINED = [
    *(name for name, item in ARCHITECTURES.items() if item.task == 'semantic'), 'mask_rcnn',
]
SUMMARY = 'train the panoptic network, or a named one, on images with masks, and export it'
EXAMPLE = 'seg_ros train --data renders --init mobilenet_v2.pth -o trained --steps 20000'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    _add_data(parser)
    _add_network(parser)
    _add_training(parser)
    _add_output(parser)


def _add_data(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group('data')
    group.add_argument(
        '--data', type=Path, nargs='+', required=True,
        help='folders of photographs with index.json; with panoptic.json, as written by '
        '`seg_ros render`; or with images/ and labels/',
    )
    group.add_argument(
        '--classes', default='', metavar='FILE',
        help='classes of folders with images/ and labels/ (class ids, in one channel or a '
        'palette): one name per line, or YAML as in a card',
    )
    group.add_argument(
        '--list', default='train', dest='listed', metavar='NAME',
        help='list of the photographs, NAME.txt beside index.json (default: train)',
    )
    group.add_argument(
        '--labels', type=Path, nargs='*', default=[],
        help='files with hand-drawn polygons for photographs',
    )
    group.add_argument(
        '--share', nargs='*', default=[], metavar='SOURCE=PARTS', dest='shares',
        help='relative frequency of sources; others are not used (default: by number of images)',
    )
    group.add_argument(
        '--paste', nargs='*', default=[], metavar='SOURCE=CLASS,CLASS',
        help='paste objects of these classes from some sources into images of all',
    )
    group.add_argument(
        '--cache', type=Path, help='folder for downscaled images (default: OUTPUT/cache)'
    )


def _add_network(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group('network')
    group.add_argument(
        '--arch', choices=TRAINED, metavar='ARCH',
        help='a named architecture instead of the panoptic network, trained on crops of --size '
        f'on the CPU, without pasting, checkpoints and --keep: {", ".join(TRAINED)}',
    )
    group.add_argument('--encoder', default='', help='for --arch, as in `seg_ros export`')
    group.add_argument('--option', nargs='*', default=[], metavar='NAME=NUMBER', help=OPTION_HELP)
    group.add_argument(
        '--size', type=SIDE, nargs=2, default=(288, 384), metavar=('HEIGHT', 'WIDTH'),
        help='input size of the exported network, multiples of 32; images are downscaled to four '
        'thirds of its longer side, but at least 512 pixels (default: 288 384)',
    )
    group.add_argument(
        '--init', type=Path,
        help="initial weights: an earlier weights.npz, or torchvision's mobilenet_v2; with --arch "
        "its encoder's, or an earlier weights.pt",
    )
    group.add_argument(
        '--keep', type=number(0, 1), default=0.0, metavar='SHARE',
        help='fraction of the weights.npz of --init in the exported weights (default: 0)',
    )
    group.add_argument(
        '--frozen', type=whole(0, 18), default=0, metavar='LAYERS',
        help='how many of the 18 layers of the backbone, from the input on, are not trained; 4, '
        'down to a quarter of the resolution, save a quarter of the time (default: 0)',
    )


def _add_training(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group('training')
    group.add_argument('--steps', type=whole(1), default=20000, help='training steps (20000)')
    group.add_argument('--batch', type=whole(1), default=8, help='images per step (default: 8)')
    group.add_argument(
        '--crop', type=SIDE, nargs=2, default=(224, 288), metavar=('HEIGHT', 'WIDTH'),
        help='size of training crops, multiples of 32; crops as large as --size take longer, but '
        'match the images that the network will see (default: 224 288)',
    )
    group.add_argument(
        '--rates', type=number(0, 1), nargs=2, default=(4e-4, 1.5e-3),
        metavar=('BACKBONE', 'HEADS'), help='highest learning rates (default: 4e-4 1.5e-3)',
    )
    group.add_argument('--seed', type=SEED, default=0, help='random seed (default: 0)')
    group.add_argument(
        '--resume', action='store_true',
        help='continue from checkpoint.pt, with the same classes in the same order',
    )
    group.add_argument(
        '--device', choices=('cpu', 'cuda'), default='cpu',
        help='cuda computes in bfloat16 (default: cpu)',
    )
    group.add_argument(
        '--bfloat16', action='store_true',
        help='compute --arch in bfloat16, several times faster on CPUs with matrix units',
    )
    group.add_argument('--threads', type=whole(1), default=2, help='CPU threads (default: 2)')
    group.add_argument(
        '--workers', type=whole(0), default=0,
        help='processes that prepare images during training; a GPU waits for them, so use one '
        'per core with it (default: 0, prepare and train alternately)',
    )


def _add_output(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group('output')
    group.add_argument(
        '-o', '--output', type=Path, required=True,
        help='output folder for checkpoint.pt, weights.npz, curve.png, credits.json, NAME.onnx, '
        'NAME.yaml',
    )
    group.add_argument('--name', default='default', help='name of the exported files')
    group.add_argument('--json', action='store_true', help='print the figures as one JSON object')


def run(args: argparse.Namespace) -> int:
    """
    Train to the end and export.

    :raises SegError: if PyTorch is missing, or data or weights cannot be read.
    """
    try:
        import torch  # noqa: F401
    except ImportError as error:
        raise SettingError(
            'training without PyTorch', 'torch', 'pip install "seg_ros[train]"'
        ) from error
    from seg_ros.commands.figures import print_figures

    check_options(args, add_arguments)
    samples = _samples(args)
    if args.arch:
        from seg_ros.commands.train_arch import train_arch

        print_figures(train_arch(args, samples), args.json)
    else:
        from seg_ros.commands.train_panoptic import train_panoptic

        print_figures(train_panoptic(args, samples), args.json)
    return 0


def _samples(args: argparse.Namespace) -> Any:
    from seg_ros.training.hand_labels import read_hand_labels
    from seg_ros.training.mixed_sources import MixedSources, open_sources
    from seg_ros.training.sample_cache import longest_kept

    labels: dict[str, Any] = {}
    for path in args.labels:
        labels |= read_hand_labels(path)
    classes = read_classes(args.classes) if args.classes else ()
    sources = open_sources(args.data, args.listed, labels, classes)
    check_data_options(args, sources)
    return MixedSources(
        sources, args.cache or args.output / 'cache', dict(_share(text) for text in args.shares),
        lambda line: print(line, file=sys.stderr), longest_kept(tuple(args.size)),
    )


def _share(text: str) -> tuple[str, float]:
    name, _, parts = text.partition('=')
    try:
        share = float(parts)
    except ValueError:
        share = -1.0
    if not 0 <= share < inf:
        raise SettingError(f'--share {text}', 'SOURCE=PARTS, such as renders=0.3')
    return name, share

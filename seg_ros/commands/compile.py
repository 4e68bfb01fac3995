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

"""`seg_ros compile`: compile a trained network and its card into one deployable file."""

import argparse
from collections.abc import Sequence
from pathlib import Path
import re
from typing import TYPE_CHECKING

from seg_ros.compile.export_options import limits
from seg_ros.core.card_reading import read_card
from seg_ros.core.errors import ModelError, SettingError
from seg_ros.core.whole_file import check_output, write_whole

if TYPE_CHECKING:
    from seg_ros.commands.progress import Progress
    from seg_ros.compile.compiled import CompiledModel
    from seg_ros.core.frame import Frame

SUMMARY = 'compile a trained network and its card into one deployable file'
EXAMPLE = 'seg_ros compile yolov8n-seg.onnx --card card.yaml -o yolov8n-seg.model.onnx'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument('raw', type=Path, help='the ONNX file of the exported network')
    parser.add_argument(
        '--card', type=Path,
        help='the model card, YAML; optional if the exporter wrote the class names into the file',
    )
    parser.add_argument('-o', '--output', type=Path, required=True, help='the file to write')
    for item in limits():
        facts = item.metadata
        parser.add_argument(
            f'--{item.name.replace("_", "-")}', type=type(item.default), default=item.default,
            help=f'{facts["meaning"]} {facts["low"]:g} to {facts["high"]:g}, {item.default:g} '
            'if not given.',
        )
    parser.add_argument(
        '--source-size', type=_size, nargs='+', metavar='WxH', default=[],
        help='image sizes, e.g. 1280x720, at which the graph itself can compute labels, if the '
        'parameters request it (upsample: graph, source_size: 1280x720)',
    )
    parser.add_argument(
        '--precision', choices=('fp32', 'fp16', 'int8'), default='fp32',
        help='precision of the network in the file (default: fp32)',
    )
    parser.add_argument(
        '--calibrate', type=Path, nargs='+', metavar='PATH', default=[],
        help='images, folders, videos or bags to calibrate int8 on, and to compare fp16 and int8 '
        'with fp32 on; at most 64 images are used',
    )
    parser.add_argument(
        '--compare', type=Path, nargs='+', metavar='PATH', default=[],
        help='compare with fp32 on these images instead; in any precision, if bfloat16 changes '
        'the masks of these images, make CPUs with bfloat16 compute in 32 bits',
    )
    parser.add_argument(
        '--keep', nargs='+', metavar='PATTERN', default=[],
        help="patterns of nodes to keep in fp32, such as '*/head/*'",
    )
    parser.add_argument(
        '--force', action='store_true',
        help='write an fp16 file without comparison, or a file below the required agreement with '
        'fp32: equal pixels and mIoU (semantic, panoptic) 0.99 and 0.95 for '
        'fp16, 0.95 and 0.80 for int8; recall of instances and the IoU of their masks '
        '(instance, panoptic) 0.95 and 0.95, 0.85 and 0.85',
    )
    parser.add_argument('--json', action='store_true', help='print the figures as one JSON object')


def _size(text: str) -> tuple[int, int]:
    """Parse `1280x720` to (height, width)."""
    match = re.fullmatch('([1-9][0-9]*)x([1-9][0-9]*)', text)
    if not match:
        raise argparse.ArgumentTypeError(f'{text!r}: sizes are given as 1280x720')
    return int(match[2]), int(match[1])


def run(args: argparse.Namespace) -> int:
    """
    Compile, write the file and print its figures.

    :raises SegError: as `compile_model` does, or if a file cannot be read or written.
    """
    # The graph layer takes a second to import, which --help need not wait for.
    from seg_ros.commands.figures import print_figures
    from seg_ros.commands.model_files.model_figures import compiled_figures
    from seg_ros.commands.options import refuse_unused
    from seg_ros.compile.compile_model import compile_model
    from seg_ros.compile.compiled import compiled_from_model
    from seg_ros.compile.onnx_file import weight_files

    inputs = args.raw, args.card, *args.calibrate, *args.compare
    check_output(args.output, filter(None, inputs))
    if args.precision == 'fp32':
        names = ('keep', 'force')
        refuse_unused(args, add_arguments, names, 'with fp32', '--precision fp16 or int8')
    card = read_card(args.card) if args.card else None
    options = {item.name: getattr(args, item.name) for item in limits()}
    model = compile_model(args.raw, card, source_sizes=tuple(args.source_size), **options)
    check_output(args.output, weight_files(args.raw))
    compiled = compiled_from_model(model, args.output.name)
    if args.precision != 'fp32' or args.compare or args.calibrate:
        compiled = _compared(compiled, args)
    data = compiled.model.SerializeToString()
    write_whole(args.output, data)
    figures = {'file': str(args.output), 'bytes': len(data)}
    figures |= compiled_figures(compiled)
    print_figures(figures, args.json)
    return 0


def _compared(compiled: 'CompiledModel', args: argparse.Namespace) -> 'CompiledModel':
    """
    Request 32 bits if bfloat16 would change the masks, and convert to the chosen precision.

    :raises ModelError: if the converted model differs too much, unless --force is given.
    """
    from seg_ros.commands.model_files.parity import calibration_frames, tried_in_bfloat16
    from seg_ros.commands.progress import Progress
    from seg_ros.compile.precision import convert_precision

    # int8 needs images for its scales; fp16 needs them only for the comparison.
    is_fp16 = args.precision == 'fp16'
    if is_fp16 and args.force and not (args.calibrate or args.compare):
        return convert_precision(compiled, args.precision, keep=args.keep)
    if not args.calibrate and (args.precision == 'int8' or not args.compare):
        way_out = ', or --force to write it without comparison' if is_fp16 else ''
        raise SettingError(
            f'{args.precision} without images', 'images like those of the robot',
            f'name them with --calibrate{way_out}',
        )
    progress = Progress('compile', len(args.calibrate or args.compare))
    samples = calibration_frames(args.calibrate or args.compare, progress)
    frames = samples
    if args.calibrate and args.compare:
        frames = calibration_frames(args.compare, progress)
    compiled = tried_in_bfloat16(compiled, frames, progress)
    if args.precision == 'fp32':
        return compiled
    return _reduced(compiled, args, samples, frames, progress)


def _reduced(
    compiled: 'CompiledModel', args: argparse.Namespace, samples: Sequence['Frame'],
    frames: Sequence['Frame'], progress: 'Progress',
) -> 'CompiledModel':
    """
    Reduce the model's precision, and compare it with the original.

    :param samples: images to calibrate int8 on.
    :param frames: images to compare on.
    :raises ModelError: if it differs too much, unless --force is given.
    """
    from seg_ros.commands.model_files.parity import batches_from_frames, parity_of, shortfalls
    from seg_ros.compile.precision import convert_precision, with_parity

    batches = batches_from_frames(samples, compiled)
    tried = convert_precision(compiled, args.precision, batches, args.keep)
    parity = parity_of(compiled, tried, frames, progress)
    short = shortfalls(parity, args.precision, compiled.card.task)
    if short and not args.force:
        raise ModelError(
            f'{args.precision} differs from fp32 on {len(frames)} images: {", ".join(short)}',
            do='keep layers in fp32 (--keep), give more images, or --force',
        )
    return with_parity(tried, parity)

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

"""`seg_ros build`: build TensorRT plans ahead of time, and manage their cache."""

import argparse
from pathlib import Path
import re
from time import monotonic
from typing import Any

from seg_ros.commands.options import add_settings, refuse_unused, settings_from_args
from seg_ros.commands.progress import build_report
from seg_ros.core.errors import EngineError, SettingError
from seg_ros.core.settings import Settings
from seg_ros.core.whole_file import check_output

SUMMARY = 'build the TensorRT plan of a model into the cache, or manage the cache'
EXAMPLE = 'seg_ros build yolov8n-seg.model.onnx'
OPTIONS = (
    'max_batch', 'upsample', 'source_size', 'device', 'workspace_mib', 'optimization_level',
    'dla_core', 'hardware_compatibility', 'cache_dir',
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        'model', nargs='?', help="a compiled model, or `default` for the package's own"
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument('--list', action='store_true', help='list the plans in the cache')
    what.add_argument(
        '--prune', action='store_true', help='remove plans that do not fit this machine, and '
        'files of unfinished builds, from the cache',
    )
    what.add_argument(
        '--for', dest='capabilities', type=_capabilities, default=(), metavar='SM,SM',
        help='build with TensorRT-RTX for these compute capabilities, such as sm86,sm89, on any '
        'machine; needs -o',
    )
    parser.add_argument('-o', '--output', type=Path, help='output file of --for')
    add_settings(parser, OPTIONS)
    parser.add_argument('--json', action='store_true', help='print the figures as one JSON object')


def run(args: argparse.Namespace) -> int:
    """
    Build, list or prune.

    :raises SegError: on bad input, or as `engines.tensorrt.plan_source` does.
    """
    # These take a second to import, which --help need not wait for.
    from seg_ros.commands.figures import print_figures
    from seg_ros.commands.plan_cache import listed, pruned

    _check_options(args)
    args.model = args.model or Settings.model
    settings = settings_from_args(args, ('model', *OPTIONS))
    if args.list:
        figures = listed(settings, args.json)
    elif args.prune:
        with build_report('build') as report:
            figures = pruned(settings, args.json, report)
    elif args.capabilities:
        figures = _built_for_others(settings, args.capabilities, args.output)
    else:
        figures = _built(settings)
    print_figures(figures, args.json)
    return 0


def _check_options(args: argparse.Namespace) -> None:
    """
    Check combinations of options, which the parser cannot.

    :raises SettingError: naming options that cannot be combined.
    """
    manages_cache = args.list or args.prune
    if manages_cache == bool(args.model):
        raise SettingError(
            'a model with --list or --prune' if manages_cache else 'no model',
            'a model to build, or --list, or --prune',
        )
    if manages_cache:
        others = tuple(name for name in OPTIONS if name != 'cache_dir')
        refuse_unused(args, add_arguments, others, 'with --list or --prune', 'only --cache-dir')
    if args.capabilities:
        names = ('device', 'cache_dir')
        refuse_unused(args, add_arguments, names, 'with --for', 'a build without --for')
    if bool(args.capabilities) != bool(args.output):
        raise SettingError('one of --for and -o', 'both or neither')
    if args.output:
        check_output(args.output, [Path(args.model)])


def _capabilities(text: str) -> tuple[str, ...]:
    """Parse `sm86,sm120` as 8.6 and 12.0."""
    found = [re.fullmatch(r'(?:sm_?)?(\d+)\.?(\d)', word.lower()) for word in text.split(',')]
    if not all(found):
        raise argparse.ArgumentTypeError(f'{text!r}: compute capabilities are given as sm86,sm89')
    return tuple(f'{match[1]}.{match[2]}' for match in found if match)


def _built(settings: Settings) -> dict[str, Any]:
    from seg_ros.commands.model_name import path_from_name
    from seg_ros.commands.plan_cache import plan_figures
    from seg_ros.core.compiled_file import read_compiled
    from seg_ros.engines.cuda.gpu import find_gpu
    from seg_ros.engines.tensorrt.flavour import load_flavour, RTX
    from seg_ros.engines.tensorrt.plan_source import build_request_for, plan_of

    compiled = read_compiled(path_from_name(settings.model))
    flavour = load_flavour()
    try:
        gpu = find_gpu(settings.device)
    except EngineError as error:
        if flavour.name == RTX:
            do = 'to build for other machines: seg_ros build MODEL --for sm86,sm89 -o FILE'
        else:
            do = 'build on the machine that will run it: TensorRT times its kernels on the GPU'
        raise EngineError(error.seen, error.expected, do) from error
    request = build_request_for(compiled, settings, gpu)
    begun = monotonic()
    with build_report('build') as report:
        plan_of(request, report)
    facts = request.cache.facts(request.cache_key)
    return {
        **plan_figures(facts), 'machine': str(request.cache_key.machine),
        'took_s': round(monotonic() - begun, 1),
        'file': str(request.cache.folder.path / f'{request.cache_key.key}.plan'),
    }


def _built_for_others(
    settings: Settings, capabilities: tuple[str, ...], file: Path
) -> dict[str, Any]:
    from seg_ros.commands.model_name import path_from_name
    from seg_ros.core.compiled_file import read_compiled
    from seg_ros.engines.tensorrt.flavour import load_flavour, RTX
    from seg_ros.engines.tensorrt.plan_source import build_for_others

    try:
        flavour = load_flavour(RTX)
    except EngineError as error:
        raise EngineError(
            f'--for, but {error.seen}', 'TensorRT-RTX',
            f'{error.do}; the full TensorRT builds only on the GPU that the plan is for',
        ) from error
    compiled = read_compiled(path_from_name(settings.model))
    begun = monotonic()
    with build_report('build') as report:
        notes = build_for_others(compiled, settings, flavour, capabilities, file, report)
    return {
        'model': compiled.card.name, 'precision': compiled.precision,
        'compute_capabilities': list(capabilities),
        'tensorrt': f'{flavour.name} {flavour.version}',
        'build_s': round(monotonic() - begun, 1), 'bytes': file.stat().st_size,
        'file': str(file), 'notes': notes,
    }

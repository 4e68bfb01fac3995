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

"""`seg_ros bench`: benchmarks of engine, stages, node and peers."""

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from seg_ros.core.errors import SettingError
from seg_ros.core.number_options import SECONDS, whole
from seg_ros.threads import bound_blas

SUMMARY = 'benchmark the engine, each stage, the running node, or peers on the same images'
LOOPS = ('picks', 'odometry', 'mapping', 'drive')
EXAMPLE = 'seg_ros bench stages --rounds 100 --out results'
# The options that each benchmark reads, and their defaults.
READS = {
    'engine': ('models', 'rounds'), 'stages': ('models', 'rounds'), 'depth': ('rounds',),
    'outputs': ('seconds',), 'workers': ('rounds',), 'node': ('seconds',), 'soak': ('seconds',),
    'peers': ('rounds',), 'loops': ('models', 'seeds', 'loops'),
}
DEFAULTS: dict[str, Any] = {
    'models': (), 'rounds': 50, 'seconds': 10.0, 'seeds': 3, 'loops': LOOPS,
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument(
        'what', choices=tuple(READS),
        help='engine: the network alone; stages: from a message to its masks in one thread; '
        'depth: the cost of depth; outputs: the age of masks while all outputs are read; '
        'workers: one and two workers, compared with their limit; node: real processes over DDS; '
        'soak: a long run of node; peers: post-processing of the same outputs by other packages; '
        'loops: picks, odometry, mapping and driving in simulation (extra [sim])',
    )
    parser.add_argument(
        '--model', nargs='+', metavar='MODEL', dest='models',
        help="compiled models, or `default` for the package's own: `engine` runs them "
        'interleaved, `stages` times a 640x480 message to all of its masks on all cores, `loops` '
        "takes one (default: generated networks; for `loops` the package's own)",
    )
    parser.add_argument(
        '--rounds', type=whole(1),
        help='interleaved repetitions, in all but `outputs`, `node`, `soak` and `loops` (50)',
    )
    parser.add_argument(
        '--seconds', type=SECONDS, help='duration of each run of `outputs`, `node` and `soak` (10)'
    )
    parser.add_argument(
        '--seeds', type=whole(1), help='number of simulated worlds for each of `loops` (3)'
    )
    parser.add_argument('--loops', nargs='+', choices=LOOPS, help='which of `loops` to run (all)')
    parser.add_argument('--out', type=Path, help='folder for JSON, Markdown and a histogram')
    parser.add_argument('--json', action='store_true', help='print the figures as one JSON object')


def run(args: argparse.Namespace) -> int:
    """
    Measure, print and write.

    :raises SettingError: if an option is given that the benchmark does not read.
    """
    bound_blas()
    import cv2
    from seg_ros.bench.machine import machine
    from seg_ros.bench.report import flattened, without_samples, write_report
    from seg_ros.commands.figures import print_figures
    from seg_ros.pipeline.process_memory import keep_freed_memory

    _complete(args)
    keep_freed_memory()
    cv2.setNumThreads(1)
    described = machine()
    if args.out:
        args.out.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as folder:
        found = _measured(args, Path(folder))
    rows = {name: without_samples(values) for name, values in found.items()}
    if args.json:
        print_figures({'machine': described, args.what: rows}, as_json=True)
    else:
        print_figures({name: list(flattened(values)) for name, values in rows.items()}, False)
    if args.out:
        write_report(args.out, args.what, described, found)
    return 0


def _complete(args: argparse.Namespace) -> None:
    """Set defaults, refuse options that the benchmark does not read, and resolve the models."""
    from seg_ros.commands.model_name import path_from_name

    for name, default in DEFAULTS.items():
        if getattr(args, name) is None:
            setattr(args, name, default)
        elif name not in READS[args.what]:
            flag = 'model' if name == 'models' else name
            takers = ', '.join(what for what, names in READS.items() if name in names)
            raise SettingError(f'--{flag} with {args.what}', f'it with {takers}')
    if args.what == 'loops' and len(args.models) > 1:
        raise SettingError(f'{len(args.models)} models with loops', 'one')
    args.models = [path_from_name(model) for model in args.models]


def _measured(args: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """
    Run one benchmark, importing only its module.

    :param folder: for networks that the benchmark generates.
    """
    if args.what == 'engine':
        from seg_ros.bench.engine import engine

        return engine(folder, args.rounds, args.models)
    if args.what == 'stages':
        from seg_ros.bench.stages import model_stages, stages

        if args.models:
            return model_stages(args.models, args.rounds)
        return stages(folder, args.rounds)
    if args.what == 'depth':
        from seg_ros.bench.depth import depth

        return depth(args.rounds)
    if args.what == 'outputs':
        from seg_ros.bench.outputs import outputs

        return outputs(folder, args.seconds)
    if args.what == 'loops':
        from seg_ros.bench.loops.run import loops

        return loops(args.models[0] if args.models else None, args.seeds, args.loops)
    if args.what == 'peers':
        from seg_ros.bench.peers import compare

        return compare(folder, args.rounds)
    if args.what == 'workers':
        from seg_ros.bench.workers import workers

        return workers(folder, args.rounds)
    from seg_ros.bench.node import node, soak

    if args.what == 'soak':
        return soak(folder, args.seconds)
    return node(folder, args.seconds)

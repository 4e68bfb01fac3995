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

"""`seg_ros selftest`: check the masks and the speed of this machine."""

import argparse
from collections.abc import Iterator
from contextlib import ExitStack
import json
from pathlib import Path
import platform
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from seg_ros import __version__
from seg_ros.commands.checks.check import Check, FAILED, lines_of
from seg_ros.core.number_options import whole
from seg_ros.core.settings import Settings

if TYPE_CHECKING:
    from seg_ros.engines.cuda.gpu import Gpu

SUMMARY = 'check masks computed on this machine against ONNX Runtime, and measure speed'
EXAMPLE = 'seg_ros selftest --gpu model.onnx --images folder --json > report.json'

PRECISIONS = ('fp32', 'fp16', 'int8')


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument(
        'model', nargs='?',
        help="a model compiled in fp32, or `default` for the package's own (default: a small "
        'generated network)',
    )
    parser.add_argument(
        '--gpu', action='store_true',
        help='test TensorRT on the GPU; otherwise OpenVINO on the CPU',
    )
    parser.add_argument('--device', default='auto', help='auto, cuda:0, cuda:1, …')
    parser.add_argument(
        '--images', type=Path, nargs='+', default=[],
        help='images, folders, videos or bags (default: a synthetic table top)',
    )
    parser.add_argument(
        '--precisions', nargs='+', choices=PRECISIONS, default=PRECISIONS,
        help='precisions to test (default: all three)',
    )
    parser.add_argument(
        '--frames', type=whole(1), default=1000,
        help='frames of the long run in each precision, before and after which memory is '
        'measured; 1000 take the default network half a minute on two cores, 10000 show slower '
        'leaks (1000)',
    )
    parser.add_argument('--cache-dir', default='', help='folder of the plan cache')
    parser.add_argument('--json', action='store_true', help='print the report as one JSON object')


def run(args: argparse.Namespace) -> int:
    """Run every check that this machine allows; the exit code is 1 if one failed."""
    checks = []
    for check in _checks(args):
        checks.append(check)
        if not args.json:
            print('\n'.join(lines_of([check])), flush=True)
    if args.json:
        print(json.dumps({'machine': _machine(), 'checks': [each.to_dict() for each in checks]}))
    return int(any(check.result == FAILED for check in checks))


def _machine() -> dict[str, str]:
    return {
        'seg_ros': __version__, 'python': platform.python_version(),
        'platform': platform.platform(),
    }


def _checks(args: argparse.Namespace) -> Iterator[Check]:
    packages = _packages_check()
    yield packages
    if packages.result == FAILED:
        return
    gpu = None
    if args.gpu:
        from seg_ros.commands.checks.gpu_checks import (
            copy_check,
            gpu_check,
            pycuda_check,
            recording_check,
            tensorrt_check,
        )

        found, gpu = gpu_check(args.device)
        parts = [pycuda_check(), tensorrt_check()]
        yield from (found, *parts)
        if gpu is None or parts[0].result == FAILED:
            yield _missing('TensorRT on the GPU', 'needs a GPU and pycuda')
            return
        yield copy_check(gpu)
        yield recording_check(gpu)
        if parts[1].result == FAILED:
            yield _missing('TensorRT on the GPU', 'needs TensorRT')
            return
    with TemporaryDirectory() as folder:
        yield from _model_checks(args, gpu, Path(folder))


def _packages_check() -> Check:
    """Check the packages that a checkout without extras may lack."""
    check = Check('packages')
    missing = []
    for module, package in (
        ('numpy', 'numpy'), ('cv2', 'opencv-python'), ('yaml', 'PyYAML'), ('onnx', 'onnx'),
        ('onnxruntime', 'onnxruntime'), ('spox', 'spox'), ('tqdm', 'tqdm'),
    ):
        try:
            __import__(module)
        except ImportError as error:
            missing.append(package)
            check.seen = str(error)
    if missing:
        check.fail(f'not installed: {", ".join(missing)}', f'pip install {" ".join(missing)}')
    else:
        check.seen = 'all installed'
    return check


def _missing(name: str, needs: str) -> Check:
    check = Check(name)
    check.skip(needs)
    return check


def _model_checks(args: argparse.Namespace, gpu: 'Gpu | None', folder: Path) -> Iterator[Check]:
    from seg_ros.commands.checks.engine_checks import precision_check, Trial
    from seg_ros.commands.checks.gpu_checks import gpu_memory
    from seg_ros.commands.checks.trial_model import trial_frames, trial_model
    from seg_ros.commands.model_files.parity import calibration_frames
    from seg_ros.commands.model_name import path_from_name
    from seg_ros.commands.progress import Progress
    from seg_ros.compile.compiled import load_compiled

    compiled = (
        load_compiled(path_from_name(args.model)) if args.model else trial_model(folder)
    )
    frames = trial_frames()
    if args.images:
        frames = calibration_frames(args.images, Progress('selftest', len(args.images)))
    settings = Settings(
        engine='tensorrt' if gpu else 'openvino', device=args.device, upsample='graph',
        cache_dir=args.cache_dir, inference_precision='f32',
    )
    with ExitStack() as stack:
        used_mib = stack.enter_context(gpu_memory(gpu)) if gpu else None
        trial = Trial(compiled, frames, settings, folder, args.frames, used_mib)
        for precision in args.precisions:
            yield precision_check(trial, precision)

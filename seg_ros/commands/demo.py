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

"""`seg_ros demo`: camera, node and recorder as three processes over DDS."""

import argparse
from contextlib import ExitStack
import json
import os
from pathlib import Path
import signal
import subprocess
import sys
from typing import Any

from seg_ros.commands.options import refuse_unused
from seg_ros.core.errors import SegError
from seg_ros.core.number_options import RATE_HZ, whole
from seg_ros.share import fastdds_profile

SUMMARY = 'show the whole data path on this machine: three processes over DDS'
EXAMPLE = 'seg_ros demo --frames 200 --out demo'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument('--frames', type=whole(1), default=200, help='masks to wait for (200)')
    parser.add_argument('--rate', type=RATE_HZ, default=30.0, help='camera rate in Hz (30)')
    parser.add_argument(
        '--model', default='default', help="compiled model (default: the package's own)"
    )
    cameras = parser.add_mutually_exclusive_group()
    cameras.add_argument(
        '--sim', action='store_true', help='a live simulated table instead of the recorded one'
    )
    cameras.add_argument(
        '--camera', metavar='SOURCE',
        help='a webcam by number (0 is the first) or a video file, instead of the recorded one',
    )
    parser.add_argument('--out', type=Path, default=Path('demo'), help='output folder for images')
    parser.add_argument('--live', action='store_true', help='keep running, to watch in RViz')
    parser.add_argument('--json', action='store_true', help='print the figures as one JSON object')


def run(args: argparse.Namespace) -> int:
    """
    Start the processes, wait for the masks and report.

    :raises SegError: if ROS 2 is not installed, or the camera or model cannot be opened.
    """
    if args.live:
        names = ('frames', 'out', 'json')
        refuse_unused(args, add_arguments, names, 'with --live', 'a run that ends, without --live')
    environment = _environment()
    node = ['seg_ros.ros.main', '--ros-args', '-p', f'model:={_checked(args.model)}']
    camera = _camera(args)
    scored = args.model == 'default' and args.camera is None
    if not args.live:
        args.out.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        processes = [
            stack.enter_context(_Process(command, environment))
            for command in (node, camera)
        ]
        if args.live:
            print('camera and node are running; open RViz with config/segmentation.rviz, '
                  'end with Ctrl-C', flush=True)
            return processes[0].wait()
        recorder = subprocess.run(
            [
                sys.executable, '-m', 'seg_ros.demo.mask_recorder', '--frames', str(args.frames),
                '--timeout', str(30 + 4 * args.frames / args.rate), '--out', str(args.out),
                *(['--score'] if scored else []),
            ],
            env=environment, stdout=subprocess.PIPE, text=True, check=False,
        )
    figures = json.loads(recorder.stdout) if recorder.stdout.strip() else {}
    if scored and figures:
        from seg_ros.commands.evaluation.demo_photographs import score_photographs

        figures['photographs'] = score_photographs(args.model, args.out)
    print(json.dumps(figures) if args.json else _report(figures, args.out))
    return recorder.returncode


def _camera(args: argparse.Namespace) -> list[str]:
    if args.camera is not None:
        from seg_ros.image.capture import open_capture

        open_capture(args.camera).release()
        return ['seg_ros.demo.video_camera', '--source', args.camera, '--rate', str(args.rate)]
    world = 'table' if args.sim else 'recorded'
    return ['seg_ros.demo.sim_camera', '--rate', str(args.rate), '--world', world]


def _checked(model: str) -> str:
    """Check the model before any process starts, and return its absolute name."""
    from seg_ros.core.compiled_file import read_compiled
    from seg_ros.engines.classical import METHODS
    from seg_ros.engines.model_path import absolute_model, path_from_model

    absolute = absolute_model(model)
    if absolute not in METHODS:
        read_compiled(path_from_model(absolute))
    return absolute


def _environment() -> dict[str, str]:
    """Return variables: the shared-memory profile, and discovery on this machine only."""
    try:
        import rclpy  # noqa: F401
    except ImportError as error:
        raise SegError(
            f'ROS 2 cannot be imported ({error})', 'rclpy', 'source ROS 2 or run make setup'
        ) from error
    return {
        'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST', **fastdds_profile(os.environ), **os.environ
    }


class _Process(subprocess.Popen[bytes]):
    """A module of this package as a process, ended with SIGINT as by Ctrl-C."""

    def __init__(self, command: list[str], environment: dict[str, str]) -> None:
        super().__init__([sys.executable, '-m', *command], env=environment)

    def __exit__(self, *error: Any) -> None:
        self.send_signal(signal.SIGINT)
        try:
            self.wait(10)
        except subprocess.TimeoutExpired:
            self.kill()
        super().__exit__(*error)


def _report(figures: dict[str, Any], folder: Path) -> str:
    if not figures:     # the recorder failed, and said why
        return 'no figures: see the messages above'
    if not figures['frames']:
        return 'no masks arrived: see the messages above, and run seg_ros doctor'
    node = figures['node']
    drops = {key[8:]: count for key, count in node.items() if key.startswith('dropped_')}
    arrival = figures['age_at_arrival_ms']
    return '\n'.join([
        f'model       {node.get("model")} on {node.get("engine")}',
        f'masks       {figures["frames"]} frames at {figures["rate_hz"]:.1f} Hz',
        *_quality(figures),
        f'age         at the consumer {arrival["median"]} ms in the median, '
        f'{arrival["p99"]} ms at the 99th percentile',
        # A short run may end before the first diagnostics.
        *([f'            at publish {node["age_ms_median"]} and {node["age_ms_p99"]} ms']
          if 'age_ms_median' in node else []),
        f'dropped     {", ".join(f"{cause} {count}" for cause, count in drops.items())}',
        'transport   camera, node and consumer all load config/fastdds.xml (32 MB shared memory)',
        f'images      {folder}/overlay.png, classes.png, instances.png'
        + (', photographs.png' if 'photographs' in figures else ''),
    ])


def _quality(figures: dict[str, Any]) -> list[str]:
    """Return lines on the quality of the masks, where there is ground truth."""
    lines = []
    if scores := figures.get('scores'):
        lines.append(
            f'simulated   mean IoU {scores["miou"]:.3f}, panoptic quality {scores["pq"]:.3f} '
            f'against the ground truth of {scores["images"]} frames'
        )
    if real := figures.get('photographs'):
        lines.append(
            f'real        mean IoU {real["miou"]:.3f} on {real["images"]} photographs, '
            f'{real["person_found"]} of {real["person_there"]} people and '
            f'{real["object_found"]} of {real["object_there"]} objects found'
        )
    return lines

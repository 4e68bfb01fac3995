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

"""`seg_ros doctor`: what this machine has, what is missing and what to do about it."""

import argparse
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib import import_module
import json
import os
from pathlib import Path
import platform
import shutil
import subprocess

from seg_ros import __version__
from seg_ros.core.errors import EngineError, SegError
from seg_ros.share import share_file

SUMMARY = 'report what this machine has, what is missing and what to do about it'
EXAMPLE = 'seg_ros doctor --json'

RECEIVE_BUFFER_BYTES = 2 << 20
SEGMENT_BYTES = 32 << 20


@dataclass(frozen=True)
class Finding:
    """
    The result of one check.

    :param level: `ok`, `note` if optional or only slower, `missing` if required.
    """

    topic: str
    level: str
    seen: str
    do: str = ''


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument('--json', action='store_true', help='print findings as one JSON object')


def run(args: argparse.Namespace) -> int:
    """Print every finding; the exit code is 1 if something required is missing."""
    findings = [finding for look in LOOKS for finding in look()]
    if args.json:
        print(json.dumps({'findings': [asdict(finding) for finding in findings]}))
    else:
        for finding in findings:
            print(f'{finding.level:8}{finding.topic:20}{finding.seen}')
            if finding.do:
                print(f'{"":28}-> {finding.do}')
    return int(any(finding.level == 'missing' for finding in findings))


def _machine() -> Iterator[Finding]:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count()
    yield Finding('seg_ros', 'ok', f'{__version__}, Python {platform.python_version()}')
    yield Finding('machine', 'ok', f'{platform.machine()}, {cores} cores')


def _module(topic: str, module: str, level: str, do: str) -> Iterator[Finding]:
    """Import a module, since an installed one may still lack a library."""
    try:
        found = import_module(module)
    except Exception as error:  # noqa: BLE001 - a broken package may raise anything
        yield Finding(topic, level, f'cannot be imported: {error}', do)
    else:
        version = getattr(found, '__version__', '')
        yield Finding(topic, 'ok', f'{module} {version}'.strip())


def _runtimes() -> Iterator[Finding]:
    openvino = list(_module('OpenVINO', 'openvino', 'note', 'pip install openvino'))
    onnxruntime = list(_module('ONNX Runtime', 'onnxruntime', 'note', 'pip install onnxruntime'))
    yield from openvino + onnxruntime
    if not any(finding.level == 'ok' for finding in openvino + onnxruntime):
        yield Finding('engines', 'missing', 'no inference runtime', 'pip install openvino')
    yield from _tensorrt()
    yield from _module('pycuda', 'pycuda', 'note', 'needed by TensorRT; pip install pycuda')


def _tensorrt() -> Iterator[Finding]:
    from seg_ros.engines.tensorrt.flavour import load_flavour

    try:
        flavour = load_flavour()
    except EngineError as error:
        yield Finding('TensorRT', 'note', error.seen, error.do)
    else:
        yield Finding('TensorRT', 'ok', f'{flavour.name} {flavour.version}')


def _gpu() -> Iterator[Finding]:
    from seg_ros.engines.cuda.gpu import find_gpu

    try:
        gpu = find_gpu()
    except EngineError as error:
        yield Finding('GPU', 'note', f'networks run on the CPU: {error.seen}', error.do)
    else:
        yield Finding(
            'GPU', 'ok', f'{gpu.name}, compute capability {gpu.compute_capability}, '
            f'{gpu.memory_mib} MiB, driver {gpu.driver}', 'seg_ros selftest --gpu tests it',
        )
    yield from _power_mode()


def _power_mode() -> Iterator[Finding]:
    if not shutil.which('nvpmodel'):
        return
    asked = subprocess.run(['nvpmodel', '-q'], capture_output=True, text=True, check=False)
    mode = ' '.join(asked.stdout.split())
    level = 'ok' if 'MAXN' in mode else 'note'
    yield Finding('power mode', level, mode, '' if level == 'ok' else 'sudo nvpmodel -m 0')


def _ros() -> Iterator[Finding]:
    do = 'source /opt/ros/$ROS_DISTRO/setup.bash, or make setup'
    found = list(_module('ROS 2', 'rclpy', 'missing', do))
    yield from found
    if found[0].level != 'ok':
        return
    yield Finding('ROS distribution', 'ok', os.environ.get('ROS_DISTRO', 'not set (wheels)'))
    yield from _module(
        'vision_msgs', 'vision_msgs.msg', 'note',
        'label_info, nav2/label_info, detections, detections_3d and prompts are absent; '
        'apt install ros-$ROS_DISTRO-vision-msgs',
    )
    yield from _module(
        'cv_bridge', 'cv_bridge', 'note',
        'only needed for rare encodings; apt install ros-$ROS_DISTRO-cv-bridge',
    )


def _transport() -> Iterator[Finding]:
    rmw = os.environ.get('RMW_IMPLEMENTATION', 'rmw_fastrtps_cpp (default)')
    yield Finding('RMW', 'ok', rmw)
    if 'fastrtps' in rmw:
        yield _profile()
        yield _shared_memory()
    limit = Path('/proc/sys/net/core/rmem_max')
    if limit.exists():
        size = int(limit.read_text())
        enough = size >= RECEIVE_BUFFER_BYTES
        yield Finding(
            'socket buffers', 'ok' if enough else 'note', f'net.core.rmem_max {size} bytes',
            '' if enough else f'sudo sysctl -w net.core.rmem_max={RECEIVE_BUFFER_BYTES} '
            '(images from other machines)',
        )


def _profile() -> Finding:
    topic = 'DDS profile'
    names = ('FASTRTPS_DEFAULT_PROFILES_FILE', 'FASTDDS_DEFAULT_PROFILES_FILE')
    paths = [os.environ[name] for name in names if os.environ.get(name)]
    try:
        do = f'export {names[0]}={share_file("config/fastdds.xml")} for the camera driver too'
    except SegError as error:
        return Finding(topic, 'missing', str(error), error.do)
    if not paths:
        return Finding(topic, 'note', 'no profile: raw images above 0.5 MB get lost', do)
    if not Path(paths[0]).is_file():
        return Finding(topic, 'missing', f'no file at {paths[0]}', do)
    return Finding(topic, 'ok', paths[0])


def _shared_memory() -> Finding:
    try:
        free = shutil.disk_usage('/dev/shm').free
    except OSError as error:
        return Finding('shared memory', 'note', str(error), 'mount /dev/shm')
    if free < 4 * SEGMENT_BYTES:
        return Finding(
            'shared memory', 'note', f'/dev/shm has {free >> 20} MB free',
            'in a container: --ipc=host or --shm-size=512m',
        )
    return Finding('shared memory', 'ok', f'/dev/shm has {free >> 20} MB free')


def _bags() -> Iterator[Finding]:
    yield from _module('bags', 'rosbags.highlevel', 'note', 'pip install rosbags')


def _jpeg() -> Iterator[Finding]:
    yield from _module(
        'JPEG', 'simplejpeg', 'note',
        'OpenCV needs three times as long to detect damaged JPEGs; '
        'pip install simplejpeg',
    )


LOOKS: tuple[Callable[[], Iterator[Finding]], ...] = (
    _machine, _runtimes, _gpu, _ros, _transport, _bags, _jpeg,
)

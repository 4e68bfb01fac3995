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

"""Measures the age of masks on arrival, alone and while all other outputs are read as well."""

from contextlib import ExitStack
from functools import partial
import json
from pathlib import Path
import subprocess
from typing import Any

from seg_ros.bench.arrivals import counted, per_frame
from seg_ros.bench.depth_scene import SIZE_HW
from seg_ros.bench.networks import instance_model
from seg_ros.bench.processes import cpu_s, read_line, started, wait_for_line
from seg_ros.bench.rgbd_node import RATE_HZ
from seg_ros.bench.samples import median_runs

_PREFIX = '/segmentation/camera'
_MASK = f'{_PREFIX}/instance'
_WARM_S, _MARGIN_S = 3.0, 2.0   # until all readers are discovered; delay between processes
_REPEATS = 3
# What is read in addition to `instance`: arguments of `bench.output_reader`, None = nothing.
_ADDITIONAL: dict[str, tuple[str, ...] | None] = {
    'instance alone': None, 'all outputs without depth': (), 'all outputs': ('--depth',),
}
_OBJECTS, _CLASSES = 20, 2
# A cheap network, so that the outputs take most of the time; Nav2's layer gets every fourth pixel.
_NODE = (
    'threads:=1', 'cloud_stride:=4', 'target:=nearest', 'camera_height_m:=1.0',
    'camera_pitch_deg:=28.6',
)


def outputs(folder: Path, seconds: float) -> dict[str, Any]:
    """
    Read the masks of a 640 x 480 RGB-D camera at 30 Hz in several variants, interleaved.

    The network finds 20 objects. Rates of other topics include the time until they are found.

    :param seconds: for each variant and repeat.
    :returns: for each variant the age of `instance`, its rate, processor time for each mask, the
        number and the lowest rate of other topics received, and the ratio of the age to that of
        `instance` alone in the same repeat.
    """
    _, model = instance_model(folder, _OBJECTS, source_hw=SIZE_HW, classes=_CLASSES)
    parameters = (f'model:={model}', *_NODE)
    arguments = [word for parameter in parameters for word in ('-p', parameter)]
    with ExitStack() as stack:
        node = stack.enter_context(started('ros.main', '--ros-args', *arguments))
        stack.enter_context(started('bench.rgbd_node'))
        variants = {
            name: partial(_read, node.pid, additional, seconds)
            for name, additional in _ADDITIONAL.items()
        }
        found = median_runs(variants, _REPEATS, lambda run: float(run['age_ms']['median']))
    return {name: {**run, 'age_ratio': ratio} for name, (run, ratio) in found.items()}


def _read(pid: int, additional: tuple[str, ...] | None, seconds: float) -> dict[str, Any]:
    """Read `instance`, and other outputs in another process."""
    other_s = seconds + _WARM_S + _MARGIN_S
    with ExitStack() as stack:
        other = None if additional is None else stack.enter_context(started(
            'bench.output_reader', _PREFIX, *additional, '--seconds', str(other_s),
        ))
        reader = stack.enter_context(started(
            'bench.reader_node', _MASK, '--warm', str(_WARM_S), '--seconds', str(seconds),
            errors=subprocess.PIPE,
        ))
        wait_for_line(reader, 'counting')
        before = cpu_s([pid])
        arrivals = json.loads(read_line(reader))['arrivals']
        used = cpu_s([pid]) - before
        counts = json.loads(read_line(other)) if other else {}
    found = {**counted(arrivals, RATE_HZ, seconds), **per_frame(used, arrivals, seconds)}
    if counts:
        lowest_hz = round(min(counts.values()) / other_s, 1)
        found |= {'other_topics': len(counts), 'lowest_other_hz': lowest_hz}
    return found

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

"""Measures the node over DDS: age, rate, missed frames, processor time and memory."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from functools import partial
import json
from pathlib import Path
import subprocess
from time import monotonic, sleep
from typing import Any

from seg_ros.bench.arrivals import age_growth_ms, counted, per_frame, status_figures
from seg_ros.bench.networks import depth_for, raw_runner, street_model
from seg_ros.bench.processes import (
    cpu_s,
    memory_mib,
    page_faults,
    read_line,
    started,
    wait_for_line,
)
from seg_ros.bench.samples import median_ms, median_runs

CAMERA_HZ, IDLE_HZ = 30.0, 2.0
OVERLOADS = (1, 2, 4, 10)
IDLE_S = 2.0
REPEATS = 5


def node(folder: Path, seconds: float) -> dict[str, Any]:
    """
    Run the node on networks of known cost, each for `seconds`.

    The overload is the network's time divided by the camera's period of 33 ms.
    """
    depth = depth_for(1e3 / CAMERA_HZ, folder, threads=1)
    found: dict[str, Any] = {}
    for overload in OVERLOADS:
        found[f'{overload}x'] = overloaded(*street_model(folder, depth * overload), seconds)
    raw, model = street_model(folder, max(1, depth // 4))
    found['unread'] = unread(model, seconds)
    four = [f'camera{number}' for number in range(4)]
    variants = {
        '4 cameras, 4 processes': [NodeSetup(model, [name]) for name in four],
        **{
            f'4 cameras, 1 process, {workers} at work': [NodeSetup(model, four, workers=workers)]
            for workers in (1, 2, 3)
        },
        '4 cameras, 4 plain nodes': [NodeSetup(raw, [name], plain=True) for name in four],
    }
    return {**found, **serve_interleaved(variants, seconds)}


def soak(folder: Path, seconds: float) -> dict[str, Any]:
    """Run the node for long at twice its capacity, to see whether ages or memory grow."""
    depth = depth_for(2e3 / CAMERA_HZ, folder, threads=1)
    _, model = street_model(folder, depth)
    return {f'2x for {seconds:g} s': measured([NodeSetup(model, ['camera'])], CAMERA_HZ, seconds)}


@dataclass(frozen=True)
class NodeSetup:
    """
    One node and its cameras.

    :param model: compiled model, or the raw network of a plain node.
    :param plain: whether to run the simple node `bench.plain_node` instead of ours.
    """

    model: Path
    cameras: Sequence[str]
    workers: int = 1
    plain: bool = False

    def topics(self, index: int) -> list[str]:
        """Return the topics of the masks of node `index`."""
        return [f'/node{index}/segmentation/{name}/semantic' for name in self.cameras]

    def start(self, index: int) -> AbstractContextManager['subprocess.Popen[str]']:
        """Start node `index`."""
        if self.plain:
            return started('bench.plain_node', str(self.model), *self.cameras, *self.topics(index))
        arguments = [
            '-r', f'__ns:=/node{index}', '-p', f'model:={self.model}', '-p', 'threads:=1',
            '-p', f'workers:={self.workers}', '-p', f'cameras:=[{",".join(self.cameras)}]',
        ]
        for name in self.cameras:
            arguments += ['-r', f'{name}/image_raw:=/{name}/image_raw']
        return started('ros.main', '--ros-args', *arguments)


def serve_interleaved(variants: dict[str, list[NodeSetup]], seconds: float) -> dict[str, Any]:
    """
    Compare variants of serving the same cameras.

    :returns: for each variant the run of median rate, and the ratio of rates; see `median_runs`.
    """
    runs = {name: partial(measured, nodes, CAMERA_HZ, seconds) for name, nodes in variants.items()}
    found = median_runs(runs, REPEATS, lambda run: float(run['rate_hz']))
    return {name: {**run, 'rate_ratio': ratio} for name, (run, ratio) in found.items()}


def overloaded(raw: Path, model: Path, seconds: float) -> dict[str, Any]:
    """
    Compare ages at 30 Hz with the limit T + min(T, camera period) + idle overhead + 5 ms.

    T is the 99th percentile of the network's time in the same run; the idle overhead is the median
    age at 2 Hz minus the median of the network's time at that rate.
    """
    idle = measured([NodeSetup(model, ['camera'])], IDLE_HZ, max(seconds, 10.0))
    run = measured([NodeSetup(model, ['camera'])], CAMERA_HZ, seconds)
    alone = median_ms(raw_runner(raw, 1), 10)
    age_limit = limit_ms(run['network_p99_ms'], 1e3 / CAMERA_HZ, idle_overhead_ms(idle))
    return {
        **run, 'idle_age_ms': idle['age_ms'], 'idle_network_ms': idle['network_median_ms'],
        'network_alone_ms': round(alone, 1), 'age_limit_ms': round(age_limit, 1),
    }


def idle_overhead_ms(idle: dict[str, Any]) -> float:
    """Return the median age of a frame minus the network's time, while no frame has to wait."""
    return float(idle['age_ms']['median'] - idle['network_median_ms'])


def limit_ms(network_p99_ms: float, period_ms: float, overhead_ms: float) -> float:
    """Return the age that at most one frame in a hundred may exceed."""
    return network_p99_ms + min(network_p99_ms, period_ms) + overhead_ms + 5


def measured(nodes: Sequence[NodeSetup], rate_hz: float, seconds: float) -> dict[str, Any]:
    """
    Run nodes, cameras and a reader of every semantic map; the first two seconds do not count.

    :raises EngineError: if no mask arrived.
    """
    cameras = [camera for each in nodes for camera in each.cameras]
    topics = [topic for index, each in enumerate(nodes) for topic in each.topics(index)]
    with ExitStack() as stack:
        start = monotonic()
        pids = [stack.enter_context(each.start(index)).pid for index, each in enumerate(nodes)]
        reader = stack.enter_context(
            started(
                'bench.reader_node', *topics, '--seconds', str(seconds), errors=subprocess.PIPE
            )
        )
        stack.enter_context(started('bench.camera_node', *cameras, '--rate', str(rate_hz)))
        wait_for_line(reader, 'first')
        first_s = monotonic() - start
        wait_for_line(reader, 'counting')
        used, memory_before, faults = cpu_s(pids), memory_mib(pids), page_faults(pids)
        received = json.loads(read_line(reader))
        used, memory = cpu_s(pids) - used, memory_mib(pids)
        faults = page_faults(pids) - faults
    arrivals = received['arrivals']
    return {
        **status_figures(received['statuses']), **counted(arrivals, rate_hz, seconds),
        'first_mask_s': round(first_s, 2),
        'memory_mib': round(memory), 'memory_growth_mib': round(memory - memory_before, 1),
        'age_growth_ms': age_growth_ms(arrivals),
        'page_faults_per_mask': round(faults / sum(map(len, arrivals.values())), 1),
        **per_frame(used, arrivals, seconds),
    }


def unread(model: Path, seconds: float) -> dict[str, float]:
    """Return the share of a core that the node uses while cameras run and nothing subscribes."""
    with ExitStack() as stack:
        process = stack.enter_context(NodeSetup(model, ['camera']).start(0))
        stack.enter_context(started('bench.camera_node', 'camera', '--rate', str(CAMERA_HZ)))
        sleep(3 * IDLE_S)
        before = cpu_s([process.pid])
        sleep(seconds)
        used = cpu_s([process.pid]) - before
    return {'cores': round(used / seconds, 4)}

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

"""
Times a frame from message to message, compared with the raw network or on all cores.

`seg_ros bench stages` starts it as a process, which prints one JSON object.
"""

import argparse
from concurrent.futures import ThreadPoolExecutor
import json
from pathlib import Path
import sys
from time import monotonic
from typing import Any

import cv2
import numpy as np
import rclpy
from rclpy.lifecycle import LifecycleNode
from seg_ros.bench.networks import raw_runner
from seg_ros.bench.samples import difference, interleaved, summary
from seg_ros.core.compiled_file import read_compiled
from seg_ros.core.errors import SegError
from seg_ros.core.number_options import SIDE, whole
from seg_ros.core.settings import Settings
from seg_ros.pipeline.process import segment
from seg_ros.pipeline.process_memory import keep_freed_memory
from seg_ros.pipeline.serving_model import open_serving_model
from seg_ros.ros.conversions import frame_from_image, image_message
from seg_ros.ros.outputs import OUTPUTS
from seg_ros.ros.publishers import parts_of, Publishers, View
from seg_ros.sim.playback import Playback
from std_msgs.msg import Header

RATE_S = 4.0


class FramePath:
    """
    Processes one message as the node does, without the node's threads.

    :param topics: topics with subscribers; those without installed message types are left out, as
        in the node.
    :param threads: of the engine.
    :param workers: messages processed at the same time.
    """

    def __init__(
        self, node: LifecycleNode, model: Path, topics: list[str], message: Any, threads: int = 1,
        workers: int = 1,
    ) -> None:
        # A promptable network does not run without prompts.
        promptable = read_compiled(model).signature.promptable
        prompts = (f'0 0 {message.width} {message.height}',) if promptable else ('',)
        settings = Settings(
            model=str(model), engine='openvino', threads=threads, workers=workers, prompts=prompts
        )
        self.segmenter = open_serving_model(settings)
        self._alpha = settings.overlay_alpha
        self._message = message
        publishers = Publishers(node, 'camera', OUTPUTS)
        self._readers = [
            node.create_subscription(output.message, f'~/camera/{output.topic}', len, 1)
            for output in OUTPUTS if output.topic in topics
        ]
        node.trigger_configure()
        node.trigger_activate()     # lifecycle publishers publish from now on
        self._wanted = publishers.wanted()
        self.topics = [each.output.topic for each in self._wanted]

    def __call__(self) -> None:
        """Process one message."""
        timing, message = self.segmenter.timing, self._message
        with timing.stage('decode'):
            frame = frame_from_image(message)
        segmentation = segment(frame, self.segmenter, parts_of(self._wanted))
        with timing.stage('publish'):
            view = View(
                frame=frame, segmentation=segmentation, card=self.segmenter.card,
                header=message.header, camera_info=None, step=1, alpha=self._alpha,
                rectified=False,
            )
            for each in self._wanted:
                each.publish(view)

    def stages_ms(self) -> dict[str, float]:
        """Return the median of each stage so far."""
        timing = self.segmenter.timing
        found = {name: timing.quantiles(name) for name in timing.stages()}
        return {name: round(values[0], 3) for name, values in found.items() if values}


def compared_with_raw(path: FramePath, raw: Path, rounds: int) -> dict[str, Any]:
    """Return medians in milliseconds: whole, raw network, their difference, and stages."""
    durations_ms = interleaved({'whole': path, 'network': raw_runner(raw, 1)}, rounds)
    return {
        'topics': path.topics,
        'outside_ms': round(difference(durations_ms['whole'], durations_ms['network']), 3),
        **{f'{name}_ms': summary(samples).to_dict() for name, samples in durations_ms.items()},
        'stages_ms': path.stages_ms(),
        'samples_ms': [
            round(whole - network, 3)
            for whole, network in zip(durations_ms['whole'], durations_ms['network'], strict=True)
        ],
    }


def with_stages(path: FramePath, rounds: int) -> dict[str, Any]:
    """Return medians in milliseconds, the rate, and the share of time outside the engine."""
    durations_ms = interleaved({'whole': path}, rounds)['whole']
    stages, whole_ms = path.stages_ms(), float(np.median(durations_ms))
    return {
        'topics': path.topics,
        'rate_hz': round(1e3 / whole_ms, 2),
        'outside_engine': round(1 - stages['network'] / whole_ms, 3),
        'whole_ms': summary(durations_ms).to_dict(),
        'stages_ms': stages,
        'samples_ms': [round(sample, 3) for sample in durations_ms],
    }


def rate_hz(path: FramePath, workers: int) -> float:
    """Return how many messages per second `workers` threads process."""
    end = monotonic() + RATE_S

    def work(_: int) -> int:
        count = 0
        while monotonic() < end:
            path()
            count += 1
        return count

    with ThreadPoolExecutor(workers) as pool:
        return sum(pool.map(work, range(workers))) / RATE_S


def table_image(size_hw: tuple[int, int]) -> Any:
    """Return an image of the recorded table, rgb8; noise would not give realistic masks."""
    return cv2.resize(Playback().render()[0].rgb, size_hw[::-1], interpolation=cv2.INTER_AREA)


def main(arguments: list[str] | None = None) -> int:
    """Measure and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('model', type=Path)
    parser.add_argument('--raw', type=Path, help='the network as exported, to compare with')
    parser.add_argument('--topics', nargs='+', required=True)
    parser.add_argument('--size', type=SIDE, nargs=2, default=(720, 1280))
    parser.add_argument('--threads', type=whole(1), default=1)
    parser.add_argument('--rounds', type=whole(1), default=100)
    args = parser.parse_args(arguments)
    keep_freed_memory()
    cv2.setNumThreads(1)
    rclpy.init()
    node = LifecycleNode('bench')
    message = image_message(table_image(tuple(args.size)), Header(frame_id='camera'))
    path = FramePath(node, args.model, args.topics, message, args.threads)
    if args.raw:
        found = compared_with_raw(path, args.raw, args.rounds)
    else:
        found = with_stages(path, args.rounds)
        workers = args.threads
        # Needs topics of its own, because those of the first node already have readers.
        others = LifecycleNode('bench_workers')
        parallel_path = FramePath(others, args.model, args.topics, message, args.threads, workers)
        found['rate_of_workers_hz'] = {workers: round(rate_hz(parallel_path, workers), 2)}
        others.destroy_node()
    node.destroy_node()
    rclpy.shutdown()
    sys.stdout.write(json.dumps(found))
    return 0


if __name__ == '__main__':
    try:
        sys.exit(main())
    except SegError as error:
        sys.exit(' '.join(str(error).split()))

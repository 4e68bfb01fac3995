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

"""Receives the masks of the demo over DDS, scores them and saves the last ones."""

import argparse
from itertools import pairwise
import json
from pathlib import Path
import sys
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
import numpy as np
import rclpy
from rclpy.node import Node
from rclpy.utilities import remove_ros_args
from seg_ros.core.card import distinct_colors
from seg_ros.core.errors import SegError
from seg_ros.core.number_options import SECONDS, whole
from seg_ros.core.timing import Timing
from seg_ros.core.whole_file import write_whole
from seg_ros.demo.ground_truth_scorer import GroundTruthScorer
from seg_ros.demo.mask_messages import array_from_mask
from seg_ros.image.file_writing import encode_png
from seg_ros.ros.conversions import stamp_ns
from seg_ros.ros.qos import mask_qos
from sensor_msgs.msg import Image

TOPICS = ('overlay', 'color', 'instance')


class MaskRecorder(Node):
    """Subscribes to one camera's overlay, class colours and instance map."""

    def __init__(self) -> None:
        super().__init__('mask_recorder')
        self.timing = Timing()
        self.stamps: dict[str, list[int]] = {topic: [] for topic in TOPICS}
        self.last: dict[str, Image] = {}
        self.complete: dict[str, Image] = {}    # the last masks that have one stamp
        self.status: dict[str, str] = {}
        for topic in TOPICS:
            self.create_subscription(
                Image, f'/segmentation/camera/{topic}',
                lambda message, topic=topic: self._on_mask(topic, message), mask_qos(),
            )
        self.create_subscription(DiagnosticArray, '/diagnostics', self._on_diagnostics, 10)

    def _on_mask(self, topic: str, message: Image) -> None:
        self.stamps[topic].append(stamp_ns(message.header.stamp))
        self.last[topic] = message
        last_stamps = {tuple(stamps[-1:]) for stamps in self.stamps.values()}
        if len(last_stamps) == 1:
            self.complete = dict(self.last)
        if topic == 'instance':
            age_ns = self.get_clock().now().nanoseconds - self.stamps[topic][-1]
            self.timing.add('age', age_ns / 1e6)
            self.timing.tick('masks')

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            self.status.update({pair.key: pair.value for pair in status.values})

    @property
    def frames(self) -> int:
        """Return how many frames have arrived with all masks."""
        return min(len(stamps) for stamps in self.stamps.values())

    def figures(self) -> dict[str, Any]:
        """Summarise the received frames."""
        stamps = self.stamps['instance']
        span_s = (stamps[-1] - stamps[0]) / 1e9 if len(stamps) > 1 else 0.0
        age = self.timing.quantiles('age') or (0.0, 0.0, 0.0)
        return {
            'frames': len(stamps),
            'rate_hz': round((len(stamps) - 1) / span_s, 2) if span_s else 0.0,
            'age_at_arrival_ms': {'median': round(age[0], 1), 'p99': round(age[1], 1)},
            'stamps_forward': all(a < b for a, b in pairwise(stamps)),
            'node': self.status,
        }

    def save(self, folder: Path) -> None:
        """Write the last masks of one image as PNG files, with one colour for each instance."""
        folder.mkdir(parents=True, exist_ok=True)
        palette = np.array([(0, 0, 0), *distinct_colors(255)], np.uint8)
        for topic, message in (self.complete or self.last).items():
            pixels = array_from_mask(message)
            rgb = palette[pixels % 256] if topic == 'instance' else pixels
            name = {'color': 'classes', 'instance': 'instances'}.get(topic, topic)
            write_whole(folder / f'{name}.png', encode_png(rgb))


def main(arguments: list[str] | None = None) -> int:
    """Receive masks until there are enough, then print the figures as JSON."""
    rclpy.init(args=arguments)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--frames', type=whole(1), default=200)
    parser.add_argument('--timeout', type=SECONDS, default=60.0, help='seconds')
    parser.add_argument('--out', type=Path, default=Path('demo'))
    parser.add_argument('--score', action='store_true', help="against the camera's ground truth")
    options = parser.parse_args(remove_ros_args(arguments)[1:])
    node = MaskRecorder()
    scorer = GroundTruthScorer(node) if options.score else None
    deadline = node.get_clock().now().nanoseconds + options.timeout * 1e9

    def seen() -> bool:
        """Return whether enough masks have arrived, and at least one of them has been scored."""
        return node.frames >= options.frames and (scorer is None or scorer.images > 0)

    try:
        while not seen() and node.get_clock().now().nanoseconds < deadline:
            rclpy.spin_once(node, timeout_sec=0.1)
        node.save(options.out)
        scores = {'scores': scorer.figures()} if scorer and scorer.images else {}
        sys.stdout.write(json.dumps({**node.figures(), **scores}) + '\n')
        return 0 if node.frames >= options.frames else 1
    except SegError as error:
        print(f'mask_recorder: {error}', file=sys.stderr)  # noqa: T201
        return 1
    except KeyboardInterrupt:
        return 130
    finally:
        node.destroy_node()
        rclpy.try_shutdown()


if __name__ == '__main__':
    sys.exit(main())

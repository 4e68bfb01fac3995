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

"""A consumer of masks for a benchmark: records the stamp and the age of each on arrival."""

import argparse
import json
import sys
from time import monotonic
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
import rclpy
from rclpy.node import Node
from seg_ros.core.number_options import number, SECONDS
from seg_ros.ros.conversions import stamp_ns
from seg_ros.ros.qos import mask_qos
from sensor_msgs.msg import Image


class BenchReader(Node):
    """
    Subscribes to topics of images and to /diagnostics.

    `arrivals` holds (stamp_ns, age_ms) for each topic, `statuses` the last values of each status.
    """

    def __init__(self, topics: list[str]) -> None:
        super().__init__('bench_reader')
        self.arrivals: dict[str, list[tuple[int, float]]] = {topic: [] for topic in topics}
        self.statuses: dict[str, dict[str, str]] = {}
        self.create_subscription(DiagnosticArray, '/diagnostics', self._on_diagnostics, 10)
        for topic in topics:
            self.create_subscription(
                Image, topic, lambda message, topic=topic: self._on_mask(topic, message),
                mask_qos(),
            )

    def _on_mask(self, topic: str, message: Any) -> None:
        stamp = stamp_ns(message.header.stamp)
        age_ms = (self.get_clock().now().nanoseconds - stamp) / 1e6
        self.arrivals[topic].append((stamp, age_ms))

    def _on_diagnostics(self, message: Any) -> None:
        for status in message.status:
            self.statuses[status.name] = {pair.key: pair.value for pair in status.values}


def main(arguments: list[str] | None = None) -> int:
    """
    Wait for a mask on every topic, print `first`, keep listening and print the arrivals as JSON.

    It listens for `--warm` seconds, which are not counted, and then for `--seconds`. If topics
    have no mask after `--patience` seconds, it names them and the exit code is 1.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('topics', nargs='+')
    parser.add_argument('--warm', type=number(0, 1e6), default=2.0)
    parser.add_argument('--seconds', type=SECONDS, default=10.0)
    parser.add_argument('--patience', type=number(0, 1e6), default=120.0)
    args = parser.parse_args(arguments)
    rclpy.init()
    node = BenchReader(args.topics)
    end = monotonic() + args.patience
    while not all(node.arrivals.values()):
        rclpy.spin_once(node, timeout_sec=0.5)
        if monotonic() > end:
            silent = ', '.join(topic for topic, rows in node.arrivals.items() if not rows)
            sys.stderr.write(f'no mask on {silent} in {args.patience:g} s\n')
            return 1
    _say('first')
    _spin(node, args.warm)
    node.arrivals.update({topic: [] for topic in args.topics})
    _say('counting')
    _spin(node, args.seconds)
    _say(json.dumps({'arrivals': node.arrivals, 'statuses': node.statuses}))
    node.destroy_node()
    rclpy.shutdown()
    return 0


def _say(line: str) -> None:
    sys.stdout.write(f'{line}\n')
    sys.stdout.flush()


def _spin(node: Node, seconds: float) -> None:
    end = monotonic() + seconds
    while monotonic() < end:
        rclpy.spin_once(node, timeout_sec=0.1)


if __name__ == '__main__':
    sys.exit(main())

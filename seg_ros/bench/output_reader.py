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

"""A consumer of many outputs for a benchmark: counts the messages of each topic."""

import argparse
from collections import Counter
import json
import sys
from time import monotonic

import rclpy
from rclpy.node import Node
from seg_ros.core.number_options import SECONDS
from seg_ros.ros.outputs import OUTPUTS
from seg_ros.ros.qos import mask_qos


class OutputReader(Node):
    """
    Subscribes to the outputs of one camera.

    :param prefix: of the topics, such as /segmentation/camera.
    :param with_depth: whether to subscribe to outputs that need depth.
    """

    def __init__(self, prefix: str, with_depth: bool) -> None:
        super().__init__('bench_output_reader')
        self.counts: Counter[str] = Counter()
        for output in OUTPUTS:
            if with_depth or not output.needs_depth:
                self.create_subscription(
                    output.message, f'{prefix}/{output.topic}',
                    lambda message, topic=output.topic: self.counts.update([topic]), mask_qos(),
                )


def main(arguments: list[str] | None = None) -> int:
    """Listen for some seconds and print the counts as a JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('prefix')
    parser.add_argument('--depth', action='store_true')
    parser.add_argument('--seconds', type=SECONDS, default=10.0)
    args = parser.parse_args(arguments)
    rclpy.init()
    node = OutputReader(args.prefix, args.depth)
    end = monotonic() + args.seconds
    while monotonic() < end:
        rclpy.spin_once(node, timeout_sec=0.1)
    sys.stdout.write(json.dumps(node.counts) + '\n')
    # Makes the node stop computing outputs at once; it would serve a vanished reader for long.
    node.destroy_node()
    rclpy.shutdown()
    return 0


if __name__ == '__main__':
    sys.exit(main())

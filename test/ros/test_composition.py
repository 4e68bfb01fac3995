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

"""The node in another program's process, in an executor shared with other nodes."""

import subprocess
import sys

import pytest

CODE = """
import sys
import time
import numpy as np
import rclpy
from rclpy.executors import MultiThreadedExecutor, SingleThreadedExecutor
from rclpy.parameter import Parameter
from seg_ros.ros.node import SegmentationNode
from sensor_msgs.msg import Image

ENOUGH = 3      # with several threads, rclpy 7.1 passes on few messages a second if cores are idle
executor_of, end = sys.argv[1:]
rclpy.init()
parameters = [Parameter('engine', value='classical'), Parameter('model', value='otsu')]
node, other = SegmentationNode(parameter_overrides=parameters), rclpy.create_node('other')
publisher, masks = other.create_publisher(Image, '/camera/image_raw', 1), []
message = Image(height=480, width=640, step=640, encoding='mono8')
message.data.frombytes(np.random.default_rng(0).integers(0, 255, 480 * 640, np.uint8).tobytes())

def send():
    message.header.stamp = other.get_clock().now().to_msg()
    publisher.publish(message)

other.create_timer(0.01, send)
other.create_subscription(Image, '/segmentation/camera/semantic', masks.append, 1)
executor = MultiThreadedExecutor(2) if executor_of == 'multi' else SingleThreadedExecutor()
executor.add_node(node)
executor.add_node(other)
until = time.monotonic() + 20
while len(masks) < ENOUGH and time.monotonic() < until:
    executor.spin_once(timeout_sec=0.1)
assert len(masks) >= ENOUGH and not node.faults
if end == 'destroy':
    executor.shutdown()
    node.destroy_node()
    other.destroy_node()
if end != 'nothing':
    rclpy.shutdown()
"""


@pytest.mark.parametrize('end', ['destroy', 'shutdown', 'nothing'])
@pytest.mark.parametrize('executor', ['single', 'multi'])
def test_the_process_ends_well_however_it_ends_in_mid_stream(executor, end):
    ended = subprocess.run(
        [sys.executable, '-c', CODE, executor, end], capture_output=True, text=True, timeout=60
    )
    assert ended.returncode == 0, ended.stderr
    assert 'engine fails' not in ended.stderr
    assert 'a fault in seg_ros' not in ended.stderr

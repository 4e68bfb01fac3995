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

"""The simulated camera: an image, its depth and its truth under one stamp."""

from collections.abc import Callable, Iterator
from time import monotonic
from typing import Any

import numpy as np
import pytest
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from seg_ros.demo.sim_camera import camera_info, SimCamera
from seg_ros.ros.qos import image_qos
from seg_ros.sim.classes import FLOOR, OBJECT
from seg_ros.sim.ground_truth import segmentation_from_bodies
from seg_ros.sim.view import RenderedView
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header

pytestmark = pytest.mark.ros

BODIES = np.array([[3, 3, 8, 8], [3, 3, 8, -1]], np.int32)
TOPICS = {
    'camera/image_raw': 'rgb8', 'camera/depth_registered/image_rect': '16UC1',
    'sim_camera/truth/semantic': 'mono8', 'sim_camera/truth/instance': '16UC1',
    'sim_camera/truth/panoptic': '32SC1',
}


class Still:
    """A room in which nothing but the clock moves."""

    fov_deg = 60.0

    def __init__(self) -> None:
        self.passed_s = 0.0

    def advance(self, seconds: float) -> None:
        self.passed_s += seconds

    def close(self) -> None:
        pass

    def render(self) -> tuple[RenderedView, Any]:
        rgb = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
        depth = np.full((2, 4), 1.25, np.float32)
        truth = segmentation_from_bodies(BODIES, {3: FLOOR, 8: OBJECT})
        return RenderedView(rgb, depth, BODIES), truth


@pytest.fixture
def received() -> Iterator[Callable[[], dict[str, Any]]]:
    """Run the camera beside a listener; gives one message of each topic, of the same stamp."""
    rclpy.init()
    room = Still()
    camera, listener = SimCamera(room, 40.0), Node('listener')
    executor = SingleThreadedExecutor()
    executor.add_node(camera)
    executor.add_node(listener)
    heard: dict[int, dict[str, Any]] = {}

    def hear(topic: str, message: Any) -> None:
        stamp = message.header.stamp
        heard.setdefault(stamp.sec * 10 ** 9 + stamp.nanosec, {})[topic] = message

    for topic in (*TOPICS, 'camera/camera_info'):
        kind = CameraInfo if topic.endswith('info') else Image
        listener.create_subscription(
            kind, topic, lambda message, topic=topic: hear(topic, message),
            image_qos(reliable=False),
        )

    def wait() -> dict[str, Any]:
        end = monotonic() + 20
        while monotonic() < end:
            executor.spin_once(timeout_sec=0.05)
            for messages in heard.values():
                if len(messages) == len(TOPICS) + 1:
                    assert room.passed_s > 0
                    return messages
        raise AssertionError(f'only {[sorted(part) for part in heard.values()]}')

    yield wait
    executor.shutdown()
    camera.destroy_node()
    listener.destroy_node()
    rclpy.shutdown()


def test_image_depth_and_truth_come_under_one_stamp(received: Callable[[], dict[str, Any]]):
    messages = received()
    assert {topic: messages[topic].encoding for topic in TOPICS} == TOPICS
    assert bytes(messages['camera/image_raw'].data) == bytes(range(24))
    depth = np.frombuffer(messages['camera/depth_registered/image_rect'].data, '<u2')
    assert set(depth.tolist()) == {1250}
    semantic = np.frombuffer(messages['sim_camera/truth/semantic'].data, np.uint8)
    assert semantic.tolist() == [0, 0, 3, 3, 0, 0, 3, 255]
    instance = np.frombuffer(messages['sim_camera/truth/instance'].data, '<u2')
    assert instance.tolist() == [0, 0, 1, 1, 0, 0, 1, 0]
    panoptic = np.frombuffer(messages['sim_camera/truth/panoptic'].data, '<i4')
    assert panoptic.tolist() == [0, 0, 3 << 16 | 1, 3 << 16 | 1, 0, 0, 3 << 16 | 1, 255 << 16]


def test_the_camera_info_projects_the_edge_of_the_view_to_the_edge_of_the_image():
    info = camera_info((480, 640), 60.0, Header())
    _, _, _, _, focal, y, *_ = info.k
    # A ray 30 degrees up meets the upper edge of the first row, half a pixel before its middle.
    assert y - focal * np.tan(np.radians(30)) == pytest.approx(-0.5)
    assert info.k[2] == pytest.approx(319.5)

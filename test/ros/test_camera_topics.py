"""What a camera asks of its topics, and what it leaves behind."""

from collections.abc import Iterator
from time import monotonic
from typing import Any

import pytest
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import qos_profile_sensor_data
from seg_ros.core.settings import LiveSettings, Settings
from seg_ros.ros.cameras import Camera
from seg_ros.ros.lifecycle import SafeLifecycleNode
from sensor_msgs.msg import Image

TOPIC, PATIENCE_S = 'front/image_raw', 10


@pytest.fixture
def node() -> Iterator[SafeLifecycleNode]:
    context = rclpy.Context()
    rclpy.init(context=context)
    each = SafeLifecycleNode('reader', context=context)
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(each)
    yield each
    executor.shutdown()
    each.destroy_node()
    rclpy.shutdown(context=context)


def make_camera(node: SafeLifecycleNode, reliability: str) -> Camera:
    settings = LiveSettings(Settings(input_reliability=reliability))
    camera = Camera(node, 'front', settings, lambda *_: None, lambda: None, lambda *_: None)
    camera.subscribe()
    return camera


def spin_until(node: SafeLifecycleNode, condition: Any) -> None:
    end = monotonic() + PATIENCE_S
    while not condition():
        assert monotonic() < end
        node.executor.spin_once(timeout_sec=0.02)


def test_a_publisher_that_does_not_suit_what_was_asked_for_is_told_of(node):
    camera = make_camera(node, 'reliable')
    assert camera.mismatch() == ''
    node.create_publisher(Image, TOPIC, qos_profile_sensor_data)
    spin_until(node, camera.mismatch)
    assert '/front/image_raw has a publisher without reliable delivery' in camera.mismatch()
    camera.unsubscribe()
    assert camera.mismatch() == ''


@pytest.mark.parametrize('reliability', ['auto', 'best_effort'])
def test_a_camera_that_asks_for_what_there_is_has_nothing_to_tell(node, reliability):
    camera = make_camera(node, reliability)
    publisher = node.create_publisher(Image, TOPIC, qos_profile_sensor_data)
    spin_until(node, publisher.get_subscription_count)
    assert camera.mismatch() == ''

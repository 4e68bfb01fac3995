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

"""The topics and QoS that a camera subscribes to, and its reports of problems with them."""

from collections.abc import Iterator
from threading import Event, Thread
from time import monotonic
from types import SimpleNamespace
from typing import Any

import pytest
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import qos_profile_sensor_data, QoSProfile, ReliabilityPolicy
from seg_ros.core.errors import SettingError
from seg_ros.core.settings import LiveSettings, Settings
from seg_ros.ros.camera import Camera
from seg_ros.ros.lifecycle import SafeLifecycleNode
from seg_ros.ros.publishers import DEPTH, MAPS, Output, OutputPublisher
from seg_ros.ros.topic_advice import COMPRESSED, namesakes, RAW, several_publishers
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

TOPIC, PATIENCE_S = 'front/image_raw', 10
POINTS = [OutputPublisher(Output('points', Image, MAPS, len, DEPTH), None)]


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


@pytest.fixture
def other() -> Iterator[rclpy.node.Node]:
    """Return a node of another participant: a participant has only one type per topic."""
    context = rclpy.Context()
    rclpy.init(context=context)
    each = rclpy.create_node('driver', context=context)
    yield each
    each.destroy_node()
    rclpy.shutdown(context=context)


def test_another_node_of_the_same_name_is_seen_until_it_leaves(node):
    assert namesakes(node) == ''
    context = rclpy.Context()
    rclpy.init(context=context)
    elsewhere = rclpy.create_node('reader', namespace='/elsewhere', context=context)
    twin = rclpy.create_node('reader', context=context)
    spin_until(node, lambda: 'another node is called /reader' in namesakes(node))
    twin.destroy_node()
    spin_until(node, lambda: not namesakes(node))
    elsewhere.destroy_node()
    rclpy.shutdown(context=context)


def make_camera(
    node: SafeLifecycleNode, reliability: str, transport: str = 'raw'
) -> Camera:
    settings = LiveSettings(
        Settings(input_reliability=reliability, image_transport=transport)
    )
    camera = Camera(
        node, 'front', settings, lambda *_: None, lambda *_: None,
    )
    camera.subscribe()
    return camera


def spin_until(node: SafeLifecycleNode, condition: Any) -> None:
    end = monotonic() + PATIENCE_S
    while not condition():
        assert monotonic() < end
        node.executor.spin_once(timeout_sec=0.02)


@pytest.fixture(autouse=True)
def started(monkeypatch):
    """Report problems of a camera from the start, without waiting for `STARTING_S`."""
    monkeypatch.setattr('seg_ros.ros.subscription.STARTING_S', 0.0)


def said(node: SafeLifecycleNode, camera: Camera, words: str) -> str:
    """Wait until a camera reports a problem with these words, and return it."""
    spin_until(node, lambda: words in camera.problem())
    return camera.problem()


def test_a_publisher_with_an_incompatible_reliability_is_reported(node):
    camera = make_camera(node, 'reliable')
    node.create_publisher(Image, TOPIC, qos_profile_sensor_data)
    said(node, camera, '/front/image_raw has a publisher without reliable delivery')
    camera.unsubscribe()
    assert camera.problem() == ''


def test_where_nobody_publishes_the_topic_the_most_alike_is_named(node):
    camera = make_camera(node, 'auto')
    words = said(node, camera, 'nobody')
    assert 'nobody publishes /front/image_raw; there is no other topic of images' in words
    for topic in ('rear/depth', 'frnt/image_raw', 'front/info'):
        node.create_publisher(CameraInfo if 'info' in topic else Image, topic, 1)
    words = said(node, camera, '/frnt/image_raw')
    assert 'published are /frnt/image_raw, /rear/depth: remap to one of them' in words


def test_the_images_of_another_camera_are_not_proposed(node):
    camera = make_camera(node, 'auto')
    node.create_publisher(Image, 'rear/image_raw', 1)
    said(node, camera, 'published are /rear/image_raw')
    node.create_subscription(Image, 'rear/image_raw', lambda _: None, 1)    # like the other camera
    assert 'there is no other topic of images to remap to' in camera.problem()


def test_where_the_topic_has_another_type_that_is_said(node, other):
    camera = make_camera(node, 'auto')
    other.create_publisher(CompressedImage, TOPIC, 1)
    words = said(node, camera, 'is published as')
    assert 'sensor_msgs/msg/CompressedImage, not sensor_msgs/msg/Image' in words
    assert 'set image_transport to compressed' in words


@pytest.mark.parametrize(('transport', 'topic', 'kind', 'other'), [
    ('raw', 'front/image_raw/compressed', CompressedImage, 'compressed'),
    ('compressed', 'front/image_raw', Image, 'raw'),
])
def test_where_only_the_other_transport_is_published_it_is_named(
    node, transport, topic, kind, other
):
    camera = make_camera(node, 'auto', transport)
    node.create_publisher(kind, topic, 1)
    words = said(node, camera, 'set image_transport')
    assert f'/{topic} is published: set image_transport to {other}' in words


def test_a_publisher_that_sends_nothing_is_named(node):
    camera = make_camera(node, 'auto')
    node.create_publisher(Image, TOPIC, 1)
    assert '/reader publishes /front/image_raw, but nothing arrives' in said(
        node, camera, 'but nothing arrives')


def test_of_a_camera_whose_images_stopped_it_is_said_since_when(node):
    camera = make_camera(node, 'auto')
    image = node.create_publisher(Image, TOPIC, 1)
    spin_until(node, image.get_subscription_count)
    image.publish(Image(height=1, width=1, encoding='mono8', step=1, data=b'a'))
    words = said(node, camera, 'the last image came')
    assert '/reader publishes /front/image_raw' in words
    assert 'in transport' not in words


def test_a_driver_that_was_started_twice_is_noticed(node, other):
    for each in (node, other):
        each.create_publisher(Image, TOPIC, 1)
    other.create_publisher(CompressedImage, f'{TOPIC}/compressed', 1)
    spin_until(node, lambda: several_publishers(node, f'/{TOPIC}', RAW))
    words = several_publishers(node, f'/{TOPIC}', RAW)
    assert words.startswith('/front/image_raw has 2 publishers, /driver, /reader: ')
    assert several_publishers(node, f'/{TOPIC}/compressed', COMPRESSED) == ''


def test_small_images_that_come_seldom_are_throttled_and_not_lost(node):
    camera = make_camera(node, 'best_effort')
    image = node.create_publisher(Image, TOPIC, qos_profile_sensor_data)
    spin_until(node, image.get_subscription_count)
    message = Image(height=1, width=1, encoding='mono8', step=1, data=b'a')

    def arrived():
        image.publish(message)
        return camera.health.timing.recent_count('input') > 3

    spin_until(node, arrived)
    assert camera.problem() == ''


def test_depth_is_asked_for_as_its_publishers_offer_it_as_they_come_and_go(
    node, other, monkeypatch
):
    monkeypatch.setattr('seg_ros.ros.subscription.GRAPH_POLL_S', 0.0)
    camera = make_camera(node, 'auto')

    def asked():
        camera.depth.subscribe(POINTS)
        [reader] = node.get_subscriptions_info_by_topic(camera.depth.topic)
        return reader.qos_profile.reliability

    for reliability in (ReliabilityPolicy.RELIABLE, ReliabilityPolicy.BEST_EFFORT):
        publisher = other.create_publisher(
            Image, camera.depth.topic, QoSProfile(depth=1, reliability=reliability)
        )
        spin_until(node, lambda expected=reliability: asked() == expected)
        spin_until(node, publisher.get_subscription_count)
        other.destroy_publisher(publisher)
        spin_until(node, lambda: not node.count_publishers(camera.depth.topic))


@pytest.fixture
def depth(node) -> Iterator[Any]:
    """Return the depth input of a camera whose clouds have a subscriber."""
    camera = make_camera(node, 'auto')
    camera.depth.subscribe(POINTS)
    yield camera.depth
    camera.unsubscribe()


def test_where_depth_has_another_type_that_is_said(node, other, depth):
    other.create_publisher(CompressedImage, depth.topic, 1)
    spin_until(node, lambda: 'is published as' in depth.problem())
    words = depth.problem()
    assert f'{depth.topic} is published as sensor_msgs/msg/CompressedImage, not' in words
    assert 'decompress it with republish of image_transport' in words


def test_where_nobody_publishes_depth_only_what_is_named_so_is_proposed(node, depth):
    assert f'nobody publishes {depth.topic}; there is no other topic of depth' in depth.problem()
    node.create_publisher(Image, 'front/color/image_rect', 1)
    node.create_publisher(Image, 'front/aligned_depth_to_color/image_raw', 1)
    spin_until(node, lambda: 'published are' in depth.problem())
    assert depth.problem().endswith(
        'published are /front/aligned_depth_to_color/image_raw: remap to one of them'
    )


def test_where_no_camera_info_comes_the_cause_is_said(node, other):
    camera = make_camera(node, 'auto')
    assert 'nobody publishes /front/camera_info; there is no other' in camera.why_no_info()
    wrong = other.create_publisher(Image, 'front/camera_info', 1)
    spin_until(node, lambda: 'is published as sensor_msgs/msg/Image' in camera.why_no_info())
    other.destroy_publisher(wrong)
    info = node.create_publisher(CameraInfo, 'front/camera_info', 1)
    spin_until(node, info.get_subscription_count)
    words = camera.why_no_info()
    assert words == '/reader publishes /front/camera_info, but nothing arrives: it sends nothing'

    def arrived():
        info.publish(CameraInfo())
        return not camera.why_no_info()

    spin_until(node, arrived)
    camera.unsubscribe()


def image_at(nanosec: int) -> Image:
    message = Image()
    message.header.stamp.nanosec = nanosec
    return message


def test_no_pair_overtakes_one_that_is_just_being_delivered(node, depth):
    delivered, begun, go_on = [], Event(), Event()

    def deliver(job):
        begun.set()
        assert go_on.wait(PATIENCE_S)
        delivered.append(job.message.header.stamp.nanosec)

    depth._deliver = deliver
    for nanosec in (1, 2):
        depth.offer([], SimpleNamespace(header=image_at(nanosec).header, nbytes=0))
    threads = [Thread(target=depth._on_depth, args=(image_at(nanosec),)) for nanosec in (1, 2)]
    threads[0].start()
    assert begun.wait(PATIENCE_S)
    begun.clear()
    threads[1].start()
    assert not begun.wait(0.2)
    go_on.set()
    for thread in threads:
        thread.join()
    assert delivered == [1, 2]


def test_nothing_waits_once_nobody_reads_what_needs_depth(node, depth):
    view = SimpleNamespace(header=image_at(1).header, nbytes=0)
    depth.offer([], view)
    assert depth._pairs.waiting == 1
    depth.subscribe([])
    depth.offer([], view)
    assert depth._pairs.waiting == 0


def test_a_camera_info_below_the_image_is_read_where_there_is_no_other(node):
    camera = make_camera(node, 'auto')
    assert camera.info_topic == '/front/camera_info'
    below = node.create_publisher(CameraInfo, 'front/image_raw/camera_info', 1)

    def followed():
        camera.subscribe()
        return below.get_subscription_count()

    spin_until(node, followed)
    assert camera.info_topic == '/front/image_raw/camera_info'
    node.create_publisher(CameraInfo, 'front/camera_info', 1)
    spin_until(node, lambda: camera.subscribe() or camera.info_topic == '/front/camera_info')


@pytest.mark.parametrize('reliability', ['auto', 'best_effort'])
def test_a_camera_that_gets_images_has_nothing_to_report(node, reliability):
    camera = make_camera(node, reliability)
    publisher = node.create_publisher(Image, TOPIC, qos_profile_sensor_data)

    def arrived():
        publisher.publish(Image(height=1, width=1, encoding='mono8', step=1, data=b'a'))
        return camera.health.timing.recent_count('input')

    spin_until(node, arrived)
    assert camera.problem() == ''


@pytest.mark.parametrize(('policy', 'value'), [
    ('depth', '5'), ('depth', -1), ('history', 'keeplast'), ('depth', 2.5),
])
def test_qos_overrides_that_cannot_be_are_one_clear_error(policy, value):
    context = rclpy.Context()
    rclpy.init(context=context)
    name = f'qos_overrides./front/image_raw.subscription.{policy}'
    node = SafeLifecycleNode(
        'reader', context=context, parameter_overrides=[rclpy.Parameter(name, value=value)]
    )
    try:
        for _ in range(2):
            camera = make_camera(node, 'auto')
            assert not camera.subscribed
            assert 'front/image_raw cannot be opened' in camera.open_error
            assert 'expected qos_overrides such as' in camera.open_error
            camera.close()
    finally:
        node.destroy_node()
        rclpy.shutdown(context=context)


def test_what_was_opened_before_a_topic_that_cannot_be_is_withdrawn(node):
    name = 'qos_overrides./reader/front/panoptic.publisher.history'
    node.declare_parameter(name, 'keeplast')
    with pytest.raises(SettingError, match='front/panoptic cannot be opened'):
        make_camera(node, 'auto')
    assert [item for item in node.publishers if '/front/' in item.topic_name] == []

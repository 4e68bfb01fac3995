"""Images taken and published past rclpy are those that rclpy takes and publishes."""

from collections.abc import Iterator
import gc
from typing import Any

from builtin_interfaces.msg import Time
from image_line import Line
import numpy as np
import pytest
from rclpy.exceptions import InvalidHandle
from seg_ros.ros import pixels
from seg_ros.ros.convert import frame_from_image, image_message
from seg_ros.ros.pixels import Picture, publish_image, take_newest
from seg_ros.ros.rcl_images import rcl_for_images
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header

REFUSED = 1     # RCL_RET_ERROR
HEADER = Header(stamp=Time(sec=-3, nanosec=999_999_999), frame_id='Küche/links')
FIELDS = ('header', 'height', 'width', 'encoding', 'is_bigendian', 'step')


@pytest.fixture
def line() -> Iterator[Line]:
    each = Line(Image)
    yield each
    each.close()


def random_array(shape: tuple[int, ...], kind: Any) -> Any:
    return np.random.default_rng(0).integers(0, 120, shape).astype(kind)


def equal(one: Any, other: Any) -> bool:
    return bytes(one.data) == bytes(other.data) and all(
        getattr(one, name) == getattr(other, name) for name in FIELDS
    )


ARRAYS = [
    ('mono8', random_array((480, 640), np.uint8)),
    ('rgb8', random_array((9, 7, 3), np.uint8)),
    ('rgb8', random_array((20, 30, 3), np.uint8)[::2, ::3]),
    ('16UC1', random_array((8, 5), '>u2')),
    ('32SC1', random_array((6, 4), np.int32)),
    ('mono8', random_array((1, 1), np.uint8)),
]


@pytest.mark.parametrize(('encoding', 'array'), ARRAYS)
def test_what_is_published_is_what_rclpy_would_publish(line, encoding, array):
    publish_image(line.publisher, Picture(array, encoding, HEADER))
    assert line.taken_by_rclpy() == image_message(array, encoding, HEADER)


@pytest.mark.parametrize(('encoding', 'array'), ARRAYS)
def test_what_is_taken_is_what_rclpy_takes(line, encoding, array):
    sent = image_message(array, encoding, HEADER)
    sent.is_bigendian = 1
    line.publisher.publish(sent)
    assert equal(line.taken(), sent)
    assert line.taken_by_rclpy() == sent


def test_an_image_may_be_empty(line):
    line.publisher.publish(Image())
    assert equal(line.taken(), Image())


def test_the_newest_of_several_is_taken():
    line = Line(Image, depth=5)
    for value in range(4):
        array = np.full((2, 2), value, np.uint8)
        publish_image(line.publisher, Picture(array, 'mono8', HEADER))
    for _ in range(4):      # the other subscription has them all, and so has this one
        last = line.taken_by_rclpy()
    taken = line.taken()
    assert bytes(taken.data) == bytes(last.data) == bytes([3] * 4)
    assert take_newest(line.subscriptions[0]) is None
    line.close()


def test_pixels_stay_when_everything_else_has_gone(line):
    array = random_array((64, 48, 3), np.uint8)
    line.publisher.publish(image_message(array, 'rgb8', HEADER))
    frame = frame_from_image(line.taken())
    line.node.destroy_subscription(line.subscriptions[0])
    line.publisher.publish(image_message(255 - array, 'rgb8', HEADER))
    line.taken_by_rclpy()
    gc.collect()
    np.testing.assert_array_equal(frame.pixels, array)


@pytest.mark.parametrize('refuses', ['_publish', '_take'])
def test_where_rcl_refuses_rclpy_does_it(line, monkeypatch, refuses):
    monkeypatch.setattr(rcl_for_images(), refuses, lambda *_: REFUSED)
    encoding, array = ARRAYS[1]
    publish_image(line.publisher, Picture(array, encoding, HEADER))
    expected = image_message(array, encoding, HEADER)
    assert equal(line.taken(), expected)
    assert line.taken_by_rclpy() == expected


def test_without_rcl_rclpy_does_it(line, monkeypatch):
    monkeypatch.setattr(pixels, 'rcl_for_images', lambda: None)
    encoding, array = ARRAYS[1]
    publish_image(line.publisher, Picture(array, encoding, HEADER))
    assert line.taken() == image_message(array, encoding, HEADER)


def test_other_messages_are_left_to_rclpy():
    line = Line(CompressedImage)
    line.publisher.publish(CompressedImage(header=HEADER, format='png', data=b'abc'))
    assert line.taken() == line.taken_by_rclpy()
    line.close()


def test_a_subscription_that_is_gone_says_so(line):
    line.node.destroy_subscription(line.subscriptions[0])
    with pytest.raises(InvalidHandle):
        take_newest(line.subscriptions[0])

"""rcl is used past rclpy only where it is known, and everything is given back to it."""

from collections.abc import Iterator
from ctypes import Structure
from typing import Any

from image_line import Line
import numpy as np
import pytest
from seg_ros.ros import rcl_images
from seg_ros.ros.pixels import Picture, publish_image
from seg_ros.ros.rcl_images import rcl_for_images
from sensor_msgs.msg import Image
from std_msgs.msg import Header


@pytest.fixture
def line() -> Iterator[Line]:
    each = Line(Image)
    yield each
    each.close()


def test_rcl_is_the_one_that_this_was_written_for():
    assert rcl_for_images() is not None


def test_every_message_is_given_back(line, monkeypatch):
    rcl = rcl_for_images()
    held: list[int] = []
    create, destroy = rcl.create, rcl.destroy

    def created() -> int:
        held.append(create())
        return held[-1]

    def destroyed(address: int) -> None:
        held.remove(address)
        destroy(address)

    monkeypatch.setattr(rcl, 'create', created)
    monkeypatch.setattr(rcl, 'destroy', destroyed)
    publish_image(line.publisher, Picture(np.ones((4, 6), np.uint8), 'mono8', Header()))
    assert not held
    taken = line.taken()
    assert len(held) == 1
    pixel_bytes = np.frombuffer(taken.data, np.uint8)
    del taken
    assert len(held) == 1
    del pixel_bytes
    assert not held


def test_fields_in_another_order_are_found_out(monkeypatch):
    rcl = rcl_for_images()
    assert rcl.finds_fields()
    first, *others = rcl_images.Fields._fields_
    for order in ([*others, first], [first, *others[::-1]], [others[0], first, *others[1:]]):
        other = type('Other', (Structure,), {'_fields_': order})
        monkeypatch.setattr(rcl_images, 'Fields', other)
        assert not rcl.finds_fields()


@pytest.mark.parametrize('lacks', ['librcl.so', 'librcutils.so'])
def test_a_library_of_another_name_is_no_harm(monkeypatch, lacks):
    real = rcl_images.PyDLL

    def library(name: str, mode: int) -> Any:
        return real('libnothing.so' if name == lacks else name, mode)

    monkeypatch.setattr(rcl_images, 'PyDLL', library)
    rcl_for_images.cache_clear()
    assert rcl_for_images() is None
    monkeypatch.undo()
    rcl_for_images.cache_clear()
    assert rcl_for_images() is not None


def test_a_rclpy_that_tells_no_addresses_is_no_harm(monkeypatch):
    class Silent:
        """What stands for rclpy's publishers and subscriptions."""

    monkeypatch.setattr(rcl_images.rclpy_implementation, 'Subscription', Silent)
    rcl_for_images.cache_clear()
    assert rcl_for_images() is None
    monkeypatch.undo()
    rcl_for_images.cache_clear()
    assert rcl_for_images() is not None

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

"""Ids are stable and equal in all outputs, while tracking is on and outputs have subscribers."""

from itertools import count

from lifecycle_msgs.msg import Transition
import numpy as np
import pytest
from robot import pixels
from sensor_msgs.msg import Image

CLASSICAL = {'engine': 'classical', 'model': 'otsu'}
SECOND_NS = 1_000_000_000


def discs(*circles):
    """Paint bright discs of x, y and radius on a dark table."""
    rows, columns = np.indices((120, 160))
    image = np.full((120, 160, 3), 30, np.uint8)
    for x, y, radius in circles:
        image[(columns - x) ** 2 + (rows - y) ** 2 < radius ** 2] = 220
    return image


class Film:
    """Sends images a tenth of a second apart and collects their masks."""

    def __init__(self, each, *topics):
        self.each, self.stamp_ns = each, 1_000 * SECOND_NS
        self.masks = {
            topic: each.listen(f'/segmentation/camera/{topic}', Image) for topic in topics
        }
        each.wait(
            lambda: each.node._pipeline
            and len(each.node._pipeline.cameras['camera'].publishers.wanted()) == len(topics),
            'the readers',
        )

    def next(self, *circles, seconds=0.1):
        self.stamp_ns += int(seconds * SECOND_NS)
        self.each.send(self.each.image(discs(*circles), self.stamp_ns))
        return [
            pixels(self.each.wait(
                lambda found=found: found and self._of_now(found[-1]) and found[-1], topic
            ))
            for topic, found in self.masks.items()
        ]

    def _of_now(self, message):
        stamp = message.header.stamp
        return stamp.sec * SECOND_NS + stamp.nanosec == self.stamp_ns


def at(mask, *circles):
    return [int(mask[y, x]) for x, y, _ in circles]


def ids_over_a_larger_newcomer(film):
    """Return the ids before and after a larger disc appears, which is then detected first."""
    first, second = (30, 30, 10), (120, 80, 12)
    before = at(film.next(first, second)[0], first, second)
    third = (40, 90, 18)
    after = at(film.next(first, second, third)[0], first, second, third)
    return before, after


def test_ids_last_while_tracking_is_on_and_only_then(robot):
    each = robot(**CLASSICAL)
    film = Film(each, 'instance')
    before, after = ids_over_a_larger_newcomer(film)
    assert before != after[:2]
    assert each.set_parameter('tracking', True).successful
    before, after = ids_over_a_larger_newcomer(film)
    assert before == after[:2]
    assert sorted(after) == [1, 2, 3]
    assert each.set_parameter('tracking', False).successful
    before, after = ids_over_a_larger_newcomer(film)
    assert before != after[:2]


def test_instance_and_panoptic_show_the_same_ids(robot):
    film = Film(robot(**CLASSICAL, tracking=True), 'instance', 'panoptic')
    for step in range(5):
        moving, coming = (30 + 8 * step, 40, 11), (120, 80, 8 + 2 * step)
        instance, panoptic = film.next(moving, *([coming] if step else []))
        np.testing.assert_array_equal(panoptic & 0xFFFF, instance)
        assert at(instance, moving, coming) == [1, 2 if step else 0]


def test_a_bag_that_starts_over_brings_new_ids(robot):
    film = Film(robot(**CLASSICAL, tracking=True), 'instance')
    disc = (60, 60, 15)
    assert at(film.next(disc)[0], disc) == [1]
    assert at(film.next(disc)[0], disc) == [1]
    assert at(film.next(disc, seconds=-50)[0], disc) == [2]


def test_ids_are_new_after_the_node_was_deactivated(robot):
    each = robot(**CLASSICAL, tracking=True)
    film, disc = Film(each, 'instance'), (60, 60, 15)
    assert at(film.next(disc)[0], disc) == [1]
    assert each.change_state(Transition.TRANSITION_DEACTIVATE)
    assert each.change_state(Transition.TRANSITION_ACTIVATE)
    assert at(film.next(disc)[0], disc) == [2]


@pytest.mark.parametrize(('topic', 'stages'), [
    ('semantic', {'smooth'}), ('instance', {'track'}), ('overlay', {'track', 'smooth'}),
])
def test_what_nobody_reads_is_not_worked_on(robot, topic, stages):
    each = robot(**CLASSICAL, tracking=True, smoothing=0.5)
    Film(each, topic).next((60, 60, 15))
    timing = each.node._models.holder.current.timing
    assert {'track', 'smooth'}.intersection(timing.stages()) == stages


def test_smoothing_leaves_out_what_shows_in_one_image_only(robot):
    each = robot()
    assert each.set_parameter('smoothing', 0.8).successful
    semantic = each.listen('/segmentation/camera/semantic', Image)

    def seen(channel, stamp_ns):
        image = np.zeros((48, 64, 3), np.uint8)
        image[..., channel] = 200
        count = len(semantic)
        each.send(each.image(image, stamp_ns))
        each.wait(lambda: len(semantic) > count, 'a mask')
        return int(np.median(pixels(semantic[-1])))

    shown = [seen(channel, SECOND_NS * (100 + step) // 10)
             for step, channel in enumerate([0, 0, 1, 0, 1, 1, 1, 1, 1])]
    assert shown[:5] == [10] * 5
    assert shown[-1] == 20


def test_two_workers_follow_one_camera_in_the_order_of_its_stamps(robot):
    each = robot(**CLASSICAL, tracking=True, workers=2)
    instance = each.listen('/segmentation/camera/instance', Image)
    circle = (60, 60, 15)
    steps = count()

    def followed():
        each.send(each.image(discs(circle), 1_000 * SECOND_NS + next(steps) * SECOND_NS // 50))
        return len(instance) >= 20

    each.wait(followed, 'masks')
    stamps = [(mask.header.stamp.sec, mask.header.stamp.nanosec) for mask in instance]
    assert stamps == sorted(stamps)
    assert {at(pixels(mask), circle)[0] for mask in instance} == {1}


def test_ids_last_where_the_driver_stamps_nothing(robot):
    each = robot(**CLASSICAL, tracking=True)
    masks = each.listen('/segmentation/camera/instance', Image)
    circles = (30, 30, 10), (120, 80, 12), (40, 90, 18)     # the largest comes last
    found = []
    for shown in (2, 3):
        count = len(masks)
        each.send(each.image(discs(*circles[:shown]), 0))
        each.wait(lambda count=count: len(masks) > count, 'a mask')
        found.append(at(pixels(masks[-1]), *circles[:2]))
        assert (masks[-1].header.stamp.sec, masks[-1].header.stamp.nanosec) == (0, 0)
    assert found[0] == found[1]

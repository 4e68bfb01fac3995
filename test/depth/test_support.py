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

"""Support planes against the table under ray-cast objects."""

from dataclasses import replace

import numpy as np
import pytest
from ray_cast import Box, Scene
from seg_ros.core.card import ClassInfo, ModelCard
from seg_ros.depth.ground import fit_ground
from seg_ros.depth.planes import Plane
from seg_ros.depth.support import support_planes
from seg_ros.sim.classes import CARD, FLOOR

PLAIN = ModelCard('no support', 'panoptic', (
    ClassInfo(2, 'desk', (9, 9, 9)), ClassInfo(3, 'cup', (90, 9, 9), thing=True),
))
BOXES = [Box(0.8, -0.1, (0.1, 0.1, 0.1)), Box(0.9, 0.2, (0.1, 0.1, 0.08))]


def scene(boxes=BOXES, **changes):
    return Scene(boxes, eye=(0, 0, 0.9), pitch=0.8, size_hw=(240, 320), focal=260.0, **changes)


def height_and_tilt(plane, seen):
    up = seen.rotation.T @ (0, 0, 1.0)
    return plane.offset_m, np.arccos(min(1.0, plane.normal @ up))


@pytest.mark.parametrize('card', [CARD, PLAIN])
def test_the_table_is_found_by_its_role_and_by_what_lies_around_the_objects(card):
    seen = scene()
    noisy = seen.metres * np.random.RandomState(0).normal(1, 0.003, seen.metres.shape)
    plane, = support_planes(noisy.astype(np.float32), seen.camera, seen.segmentation(), card)
    height, tilt = height_and_tilt(plane, seen)
    assert height == pytest.approx(0.9, abs=0.006)
    assert tilt < 0.015


def test_a_support_in_sight_wins_over_a_wall_that_covers_more():
    wall = Box(1.15, 0.0, (0.02, 2.0, 2.0), class_id=1)
    seen = scene([*BOXES, wall])
    seen.ids[seen.ids == 3] = 0
    seen.boxes.pop()
    plane, = support_planes(seen.metres, seen.camera, seen.segmentation(), CARD)
    height, tilt = height_and_tilt(plane, seen)
    assert height == pytest.approx(0.9, abs=0.005)
    assert tilt < 0.01


def test_no_objects_or_no_depth_around_them_gives_no_plane():
    empty = scene([])
    assert support_planes(empty.metres, empty.camera, empty.segmentation(), CARD) == ()
    blind = scene()
    metres = np.where(blind.ids > 0, blind.metres, np.float32(np.nan))
    assert support_planes(metres, blind.camera, blind.segmentation(), CARD) == ()


def test_without_classes_the_support_is_what_lies_around_the_objects():
    seen = scene()
    masks = replace(seen.segmentation(), classes=None)
    plane, = support_planes(seen.metres, seen.camera, masks, CARD)
    assert height_and_tilt(plane, seen)[0] == pytest.approx(0.9, abs=0.005)


def test_a_few_pixels_beside_an_object_that_fills_the_image_are_no_support():
    seen = scene([Box(0.8, 0.0, (0.1, 0.1, 0.1))])
    seen.ids[:, 4:] = 1     # leaves 60 of the pixels that are examined, one of them without depth
    seen.metres[0, 0] = np.nan
    assert support_planes(seen.metres, seen.camera, seen.segmentation(), PLAIN) == ()


def before_a_wall(body, pitch=0.0, card=PLAIN, **knowledge):
    """Make a level camera's view of a body on the floor, and of a larger wall behind it."""
    seen = Scene([body, Box(3.8, 0.0, (0.02, 8.0, 6.0), class_id=1)], eye=(0, 0, 1.0),
                 pitch=pitch, size_hw=(240, 320), focal=250.0, floor=FLOOR)
    seen.ids[seen.ids == 2] = 0
    seen.boxes.pop()
    if knowledge.pop('floor', False):
        knowledge['ground'] = fit_ground(seen.metres, seen.camera, seen.classes, CARD).plane
    if knowledge.pop('tf', False):
        knowledge['up'] = seen.rotation.T @ (0, 0, 1.0)
    return seen, support_planes(seen.metres, seen.camera, seen.segmentation(), card, **knowledge)


@pytest.mark.parametrize('card', [CARD, PLAIN])
@pytest.mark.parametrize('knowledge', ['floor', 'tf'])
@pytest.mark.parametrize(('body', 'pitch'), [
    (Box(3.0, 0.0, (0.3, 0.5, 1.7)), 0.0), (Box(2.5, 0.0, (0.45, 0.45, 0.9)), 0.17),
    (Box(3.55, 0.0, (0.3, 0.5, 1.7)), 0.1),
])
def test_no_one_stands_on_the_wall_behind(body, pitch, knowledge, card):
    seen, planes = before_a_wall(body, pitch, card, **{knowledge: True})
    assert planes
    for plane in planes:
        height, tilt = height_and_tilt(plane, seen)
        assert height == pytest.approx(1.0, abs=0.03)
        assert tilt < 0.02


def test_a_wall_that_no_object_reaches_is_no_support_where_nothing_is_known_of_up():
    seen, planes = before_a_wall(Box(2.9, 0.0, (0.3, 0.5, 1.7)), 0.1)
    for plane in planes:
        assert height_and_tilt(plane, seen)[1] < 0.02
    hanging, planes = before_a_wall(Box(3.69, 0.0, (0.1, 0.5, 0.4), base=1.0), 0.0)
    assert abs((hanging.rotation @ planes[0].normal)[0]) > 0.99


@pytest.mark.parametrize(('body', 'pitch'), [
    (Box(3.0, 0.0, (0.3, 0.5, 1.7)), 0.0), (Box(2.5, 0.0, (0.45, 0.45, 0.9)), 0.17),
])
def test_people_and_chairs_stand_on_the_floor_where_nothing_is_known_of_up(body, pitch):
    seen, (plane,) = before_a_wall(body, pitch)
    height, tilt = height_and_tilt(plane, seen)
    assert height == pytest.approx(1.0, abs=0.03)
    assert tilt < 0.02


@pytest.mark.parametrize('height_m', [0.02, 0.12])
def test_a_camera_straight_above_needs_no_roles_to_find_the_bins_floor(height_m):
    bodies = [Box(0.1 * x, 0.12 * y, (0.05, 0.07, height_m)) for x in (-1, 1) for y in (-1, 0, 1)]
    walls = [Box(0.3, 0.0, (0.02, 0.6, 0.2)), Box(-0.3, 0.0, (0.02, 0.6, 0.2))]
    seen = Scene([*bodies, *walls], eye=(0, 0, 0.8), pitch=np.pi / 2, size_hw=(240, 320),
                 focal=260.0)
    seen.ids[seen.ids > len(bodies)] = 0
    del seen.boxes[len(bodies):]
    plane, = support_planes(seen.metres, seen.camera, seen.segmentation(), PLAIN)
    height, tilt = height_and_tilt(plane, seen)
    assert height == pytest.approx(0.8, abs=0.005)
    assert tilt < 0.01


def test_what_was_fitted_as_ground_counts_only_if_it_is_level_by_tf():
    seen = scene()
    up = seen.rotation.T @ (0, 0, 1.0)
    known = seen.metres, seen.camera, seen.segmentation(), CARD
    wall = Plane(seen.rotation.T @ (-1.0, 0, 0), 3.0)
    assert wall in support_planes(*known, wall)
    plane, = support_planes(*known, wall, up)
    assert height_and_tilt(plane, seen)[0] == pytest.approx(0.9, abs=0.005)
    # The base of an arm that hangs from the ceiling has its z axis down.
    assert len(support_planes(*known, Plane(up, 0.9), -up)) == 2

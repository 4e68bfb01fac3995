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

"""The plane below objects, against the table that they were put on."""

import numpy as np
import pytest
from ray_cast import Box, Scene
from seg_ros.core.card import ClassInfo, ModelCard
from seg_ros.depth.support import points_of, support_plane
from seg_ros.sim.classes import CARD

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
    plane = support_plane(noisy.astype(np.float32), seen.camera, seen.segmentation(), card)
    height, tilt = height_and_tilt(plane, seen)
    assert height == pytest.approx(0.9, abs=0.006)
    assert tilt < 0.015


def test_a_support_in_sight_wins_over_a_wall_that_covers_more():
    wall = Box(1.15, 0.0, (0.02, 2.0, 2.0), class_id=1)
    seen = scene([*BOXES, wall])
    seen.ids[seen.ids == 3] = 0
    seen.boxes.pop()
    height, tilt = height_and_tilt(
        support_plane(seen.metres, seen.camera, seen.segmentation(), CARD), seen
    )
    assert height == pytest.approx(0.9, abs=0.005)
    assert tilt < 0.01


def test_no_objects_or_no_depth_around_them_gives_no_plane():
    empty = scene([])
    assert support_plane(empty.metres, empty.camera, empty.segmentation(), CARD) is None
    blind = scene()
    metres = np.where(blind.ids > 0, blind.metres, np.float32(np.nan))
    assert support_plane(metres, blind.camera, blind.segmentation(), CARD) is None


@pytest.mark.parametrize('step', [1, 4])
def test_marked_pixels_are_lifted_row_by_row(step):
    seen = scene()
    marks = (seen.ids == 1)[::step, ::step]
    points = points_of(seen.metres, seen.camera, marks, step)
    expected = seen.lifted()[::step, ::step][marks]
    np.testing.assert_allclose(seen.world(points), expected, atol=1e-5)

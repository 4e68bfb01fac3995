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

"""Ground and obstacles against a ray-cast world."""

from dataclasses import replace

import numpy as np
import pytest
from ray_cast import Box, Scene
from seg_ros.core.segmentation import marked
from seg_ros.depth.ground import (
    base_from_plane,
    fit_ground,
    ground_segmentation,
    GroundSegmentation,
    plane_from_transform,
    up_from_pitch,
)
from seg_ros.depth.intrinsics import Intrinsics
from seg_ros.depth.planes import Plane
from seg_ros.sim.classes import CARD, FLOOR, PERSON, WALL

BOXES = [
    Box(2.0, 0.3, (0.3, 0.4, 0.8), 0.4, WALL), Box(3.0, -0.8, (0.4, 0.4, 1.6), 0.0, PERSON),
    Box(1.6, -0.4, (0.4, 0.3, 0.03), 0.0, WALL),
]


def room(boxes=BOXES, **changes):
    options = {'eye': (0.2, 0.1, 0.7), 'pitch': 0.25, 'size_hw': (240, 320), 'focal': 260.0,
               'far': 8.0, 'floor': FLOOR}
    return Scene(boxes, **{**options, **changes})


def ground(scene, plane=None, step=1):
    plane = plane or fit_ground(scene.metres, scene.camera, scene.classes, CARD).plane
    return ground_segmentation(
        scene.metres, scene.camera, scene.classes, CARD, plane, step, max_m=8.0
    )


def test_the_ground_is_fitted_to_what_is_traversable():
    scene = room()
    noisy = scene.metres * np.random.RandomState(0).normal(1, 0.004, scene.metres.shape)
    plane = fit_ground(noisy.astype(np.float32), scene.camera, scene.classes, CARD).plane
    assert plane.offset_m == pytest.approx(0.7, abs=0.01)
    assert np.arccos(plane.normal @ scene.rotation.T @ (0, 0, 1.0)) < 0.01


def test_floor_without_depth_is_left_out_of_the_fit():
    scene = room([])
    random = np.random.RandomState(0)
    sparse = np.where(random.uniform(size=scene.metres.shape) < 0.5, scene.metres, np.nan)
    plane = fit_ground(sparse, scene.camera, scene.classes, CARD).plane
    assert plane.offset_m == pytest.approx(0.7, abs=1e-3)
    few = np.where(random.uniform(size=scene.metres.shape) < 0.05, scene.metres, np.nan)
    assert fit_ground(few, scene.camera, scene.classes, CARD) == (None, None)


@pytest.mark.parametrize(('height_m', 'kinds'), [
    (-0.11, {'drop'}), (-0.09, {'ground'}), (0.04, {'ground'}), (0.06, {'ground', 'obstacle'}),
    (0.11, {'obstacle'}), (1.9, {'obstacle'}), (2.1, set()),
])
def test_what_a_pixel_may_be_follows_from_its_height(height_m, kinds):
    camera = Intrinsics(10.0, 10.0, 1.5, 1.5, (4, 4))
    above = Plane(np.array([0.0, 0.0, -1.0]), 3.0)      # the camera looks straight down
    metres = np.full((4, 4), 3.0 - height_m, np.float32)
    found = set()
    for traversable in (False, True):
        cut = GroundSegmentation(metres, camera, np.full((4, 4), traversable), above)
        np.testing.assert_allclose(cut.height_m, height_m, atol=1e-6)
        found |= {kind for kind in ('drop', 'ground', 'obstacle') if getattr(cut, kind).all()}
        assert not (traversable and cut.obstacle.any())
        assert not (cut.ground.any() and not traversable)
    assert found == kinds


def test_the_ground_of_tf_is_the_base_frames_own():
    scene = room()
    plane = plane_from_transform(scene.world_from_optical)
    heights = ground(scene, plane).height_m
    np.testing.assert_allclose(heights, scene.lifted()[..., 2], atol=1e-5, equal_nan=True)


def test_a_wall_that_was_labelled_floor_is_no_ground():
    scene = room([], pitch=0.0)
    wall = room([Box(1.0, 0.0, (0.1, 9.0, 3.0), 0.0, FLOOR)], pitch=0.0)
    assert fit_ground(wall.metres, wall.camera, wall.classes, CARD).plane is None
    assert fit_ground(scene.metres, scene.camera, scene.classes, CARD).plane is not None


def test_a_ceiling_that_was_labelled_floor_is_no_ground():
    scene = room([])
    above = scene.metres[::-1].copy(), scene.camera, scene.classes[::-1].copy()
    assert fit_ground(scene.metres, scene.camera, scene.classes, CARD).plane is not None
    assert fit_ground(*above, CARD).plane is None


def turned(scene, quarters):
    """Return the image, its camera and the up vector after a roll by quarter turns."""
    metres, classes = (np.rot90(x, quarters).copy() for x in (scene.metres, scene.classes))
    height, width = metres.shape
    camera = replace(
        scene.camera, cx=width / 2 - 0.5, cy=height / 2 - 0.5, size_hw=(height, width)
    )
    x, y, z = scene.rotation.T @ (0, 0, 1.0)
    for _ in range(quarters):
        x, y = y, -x
    return (metres, camera, classes), np.array([x, y, z])


@pytest.mark.parametrize(('pitch', 'quarters'), [(1.1, 0), (1.5, 0), (0.5, 1), (0.5, 2), (0.5, 3)])
def test_what_is_up_may_be_given_for_cameras_that_look_down_or_are_mounted_turned(pitch, quarters):
    image, up = turned(room([], pitch=pitch), quarters)
    assert fit_ground(*image, CARD).plane is None
    plane = fit_ground(*image, CARD, up).plane
    assert plane.offset_m == pytest.approx(0.7, abs=1e-3)
    assert plane.normal @ up > 0.999
    assert fit_ground(*image, CARD).tilt_rad == pytest.approx(np.arccos(-up[1]), abs=0.01)
    assert fit_ground(*image, CARD, up).tilt_rad == pytest.approx(0, abs=0.01)


def test_up_by_the_pitch_is_that_of_a_level_camera_that_was_tipped():
    scene = room([], pitch=1.1)
    np.testing.assert_allclose(up_from_pitch(1.1), scene.rotation.T @ (0, 0, 1.0), atol=1e-12)


def test_a_floor_of_too_few_pixels_or_on_no_plane_is_not_called_tilted():
    scene = room([])
    few = np.full_like(scene.classes, WALL)
    assert fit_ground(scene.metres, scene.camera, few, CARD).tilt_rad is None
    noise = np.random.RandomState(0).uniform(0.3, 8, scene.metres.shape).astype(np.float32)
    everywhere = np.full_like(scene.classes, FLOOR)
    assert fit_ground(noise, scene.camera, everywhere, CARD).tilt_rad == np.inf


def test_blind_is_what_has_no_depth_is_not_traversable_and_meets_the_ground_in_range():
    scene = room()
    plane = plane_from_transform(scene.world_from_optical)
    at_m = np.where(scene.ids == 0, scene.metres, np.nan)    # the floor's depth
    scene.metres[100:180, 100:200] = np.nan
    scene.classes[100:180, 100:150] = 255
    cut = ground(scene, plane)
    blind = cut.blind
    rays = np.stack(np.broadcast_arrays(*scene.camera.slopes_xy, 1.0), -1) @ scene.rotation.T
    with np.errstate(divide='ignore'):
        meets = np.where(rays[..., 2] < 0, -scene.eye[2] / rays[..., 2], np.inf)
    unlabelled = scene.classes != FLOOR
    np.testing.assert_array_equal(blind, np.isnan(scene.metres) & unlabelled & (meets < 8))
    floor = blind & np.isfinite(at_m)
    assert floor.any()
    np.testing.assert_allclose(cut.reached_m[floor], at_m[floor], rtol=1e-4)
    np.testing.assert_array_equal(cut.reached_m[~blind], cut.metres[~blind])


def test_the_height_of_the_floor_is_that_above_the_plane_that_is_given():
    scene = room()
    high = scene.world_from_optical.copy()
    high[2, 3] -= 0.15      # the base is 15 cm above the floor
    plane = plane_from_transform(high)
    assert ground(scene, plane).floor_height_m == pytest.approx(-0.15, abs=1e-3)
    wall = room([Box(1.8, 0.0, (0.1, 9.0, 3.0), 0.0, WALL)])
    assert (wall.classes == FLOOR).mean() < 0.4
    assert ground(wall, plane).floor_height_m == pytest.approx(-0.15, abs=1e-3)
    scene.metres[:] = np.nan
    assert np.isnan(ground(scene, plane).floor_height_m)


def test_too_little_floor_gives_no_plane():
    scene = room()
    classes = np.full_like(scene.classes, WALL)
    classes[-4:] = FLOOR
    assert fit_ground(scene.metres, scene.camera, classes, CARD).plane is None


@pytest.mark.parametrize('step', [1, 2, 3])
def test_obstacles_stand_above_the_ground_and_floor_lies_on_it(step):
    scene = room()
    cut = ground(scene, plane_from_transform(scene.world_from_optical), step)
    height = scene.lifted()[::step, ::step, 2]
    ids, seen = scene.ids[::step, ::step], np.isfinite(height)
    np.testing.assert_array_equal(cut.obstacle, (ids > 0) & seen & (height >= 0.05))
    np.testing.assert_array_equal(cut.ground, (ids == 0) & seen)
    assert not cut.drop.any()
    assert (ids == 3).any()
    assert not cut.obstacle[ids == 3].any()     # lower than a step


def test_what_hangs_above_the_robot_is_no_obstacle():
    lamp = Box(2.0, 0.0, (0.3, 0.3, 0.2), 0.0, WALL, base=2.3)
    scene = room([lamp], pitch=-0.5)
    cut = ground(scene, plane_from_transform(scene.world_from_optical))
    assert (scene.ids == 1).any()
    assert not cut.obstacle.any()


def test_a_pit_is_a_drop_and_no_ground():
    scene = room([])
    cut_plane = plane_from_transform(scene.world_from_optical)
    deep = room([], eye=(0.2, 0.1, 1.2))    # the floor half a metre lower
    cut = ground_segmentation(deep.metres, deep.camera, deep.classes, CARD, cut_plane)
    seen = np.isfinite(deep.metres)
    np.testing.assert_array_equal(cut.drop, seen)
    assert not cut.ground.any()


def test_the_projected_frame_has_its_origin_below_the_camera_and_looks_along():
    scene = room()
    transform = base_from_plane(plane_from_transform(scene.world_from_optical))
    points = scene.rotation.T @ (np.array([[0.2, 0.1, 0], [1.2, 0.1, 0], [0.2, 1.1, 0],
                                           [0.2, 0.1, 1]]) - scene.eye).T
    found = transform[:3, :3] @ points + transform[:3, 3:]
    np.testing.assert_allclose(
        found.T, [[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], atol=1e-6
    )


def test_a_role_marks_things_and_stuff_alike():
    classes = np.array([[FLOOR, WALL, PERSON, 255]], np.uint8)
    dynamic, traversable = (
        marked(classes, CARD.ids_with_role(role)) for role in ('dynamic', 'traversable')
    )
    assert dynamic.tolist() == [[False, False, True, False]]
    assert traversable.tolist() == [[True, False, False, False]]

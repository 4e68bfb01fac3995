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

"""The occupancy grid against lines of sight through a ray-cast world."""

import numpy as np
import pytest
from ray_cast import Box
from seg_ros.depth.free_space import FREE, free_space, Grid, OCCUPIED, UNSEEN
from seg_ros.depth.ground import ground_segmentation, plane_from_transform
from seg_ros.sim.classes import CARD, FLOOR, PERSON, WALL
from test_ground import ground, room

BOXES = [
    Box(2.0, 0.5, (0.3, 0.5, 0.8), 0.4, WALL), Box(3.0, -0.8, (0.4, 0.4, 1.6), 0.0, PERSON),
]


def filled(scene, grid=None):
    plane = plane_from_transform(scene.world_from_optical)
    return free_space(ground(scene, plane), scene.world_from_optical, grid)


def inside(box, x, y):
    local = np.stack([x - box.x, y - box.y], -1) @ box.axes[:2, :2].T
    return (np.abs(local) <= np.array(box.size[:2]) / 2).all(-1)


def hidden(boxes, eye, x, y):
    """Whether the line of sight from the camera to each place crosses a box."""
    return np.logical_or.reduce([
        inside(box, eye[0] + t * (x - eye[0]), eye[1] + t * (y - eye[1]))
        for box in boxes for t in np.linspace(0, 1, 200)
    ])


def test_cells_are_occupied_where_boxes_stand_and_nowhere_else():
    scene, grid = room(BOXES), Grid()
    found = filled(scene, grid)
    x, y = grid.centres_xy()
    near = np.logical_or.reduce([
        inside(box, x + dx, y + dy) for box in BOXES
        for dx in (-0.05, 0, 0.05) for dy in (-0.05, 0, 0.05)
    ])
    assert not (found[~near] == OCCUPIED).any()
    for box in BOXES:       # the middle of its front
        front = box.axes[:2].T @ (-box.size[0] / 2, 0, 0)[:2]
        column = int((box.x + front[0] + 5) / 0.05)
        row = int((box.y + front[1] + 5) / 0.05)
        assert (found[row - 1:row + 2, column - 1:column + 2] == OCCUPIED).any()


def test_no_cell_is_free_that_a_box_hides_or_fills_and_the_way_to_it_is():
    scene, grid = room(BOXES), Grid()
    found = filled(scene, grid)
    x, y = grid.centres_xy()
    blocked = hidden(BOXES, scene.eye, x, y)
    assert (found[blocked] == FREE).mean() < 0.01   # a bearing's width beside a corner
    seen_x, seen_y = scene.lifted()[scene.ids == 0][:, :2].T
    ok = np.isfinite(seen_x) & (seen_x < 4.9) & (np.abs(seen_y) < 4.9)
    columns, rows = ((values[ok] + 5) / 0.05 for values in (seen_x, seen_y))
    values = found[rows.astype(int), columns.astype(int)]
    assert (values == FREE).mean() > 0.97
    assert not (values == OCCUPIED).mean() > 0.01


def test_what_the_image_does_not_show_is_unseen():
    scene, grid = room([]), Grid()
    found = filled(scene, grid)
    x, y = grid.centres_xy()
    bearing = np.abs(np.arctan2(y - scene.eye[1], x - scene.eye[0]))
    side = np.arctan2(160, 260)
    assert (found[bearing > side + 0.2] == UNSEEN).all()
    assert (found[x < 0.4] == UNSEEN).all()
    assert (found[(bearing < side - 0.1) & (x > 1.5) & (x < 4.5)] == FREE).all()


def test_ground_that_is_not_traversable_is_neither_free_nor_occupied():
    scene = room([])
    lifted = scene.lifted()
    lawn = (lifted[..., 0] > 2) & (lifted[..., 0] < 3)
    scene.classes[lawn] = WALL
    found, grid = filled(scene), Grid()
    x, y = grid.centres_xy()
    ahead = np.abs(y) < 0.5
    assert (found[ahead & (x > 2.1) & (x < 2.9)] == UNSEEN).all()
    assert (found[ahead & (x > 1.5) & (x < 1.9)] == FREE).all()


def test_a_few_pixels_of_floor_with_another_label_leave_it_free():
    scene, (x, y) = room([]), Grid().centres_xy()
    wrong = np.random.RandomState(0).uniform(size=scene.classes.shape) < 0.1
    scene.classes[wrong] = WALL
    near = (np.abs(y) < 0.3) & (x > 1.3) & (x < 2)      # several pixels a cell
    assert (filled(scene)[near] == FREE).all()


@pytest.mark.parametrize('number', [1, 2])
def test_an_obstacle_without_depth_is_not_free_nor_is_what_it_hides(number):
    scene, (x, y) = room(BOXES), Grid().centres_xy()
    scene.metres[scene.ids == number] = np.nan      # glass, or black
    found, box = filled(scene), [BOXES[number - 1]]
    stands = inside(box[0], x, y)
    assert (found[stands] == FREE).mean() < 0.1     # corners within a bearing's width
    behind = hidden(box, scene.eye, x, y) & (x < box[0].x + 0.5)
    assert (found[behind] == FREE).mean() < 0.1
    before = (np.hypot(x - box[0].x, y - box[0].y) < 0.7) & (x < box[0].x - 0.4) & (x > 1)
    assert (found[before] == FREE).mean() > 0.9


@pytest.mark.parametrize('step', [1, 4])
@pytest.mark.parametrize('near', [1.5, 3.0])
def test_a_hole_without_depth_is_unseen_unless_it_is_labelled_floor(near, step):
    # Where pixel rows are several cells apart, the cells between them are not free either.
    scene, (x, y) = room([]), Grid().centres_xy()
    lifted = scene.lifted()
    hole = (lifted[..., 0] > near) & (lifted[..., 0] < near + 1.5) & (np.abs(lifted[..., 1]) < 0.8)
    scene.metres[hole] = np.nan
    plane = plane_from_transform(scene.world_from_optical)
    within = (x > near + 0.3) & (x < near + 1.2) & (np.abs(y) < 0.6)
    glossy = free_space(ground(scene, plane, step), scene.world_from_optical)
    assert (glossy[within] == FREE).mean() > 0.97
    scene.classes[hole] = 255
    stairs = free_space(ground(scene, plane, step), scene.world_from_optical)
    assert (stairs[within] == UNSEEN).all()
    assert (stairs[(x > 1.1) & (x < 1.4) & (np.abs(y) < 0.3)] == FREE).all()


def test_what_is_not_traversable_has_no_free_stripes_between_rows_of_pixels():
    scene, (x, y) = room([]), Grid().centres_xy()
    lifted = scene.lifted()
    scene.classes[(lifted[..., 0] > 3) & (lifted[..., 0] < 4.5)] = WALL
    plane = plane_from_transform(scene.world_from_optical)
    found = free_space(ground(scene, plane, 4), scene.world_from_optical)
    assert (found[(np.abs(y) < 0.5) & (x > 3.3) & (x < 4.2)] == UNSEEN).all()


def test_behind_the_edge_of_a_drop_nothing_is_free():
    scene = room([])
    plane = plane_from_transform(scene.world_from_optical)
    deep = room([], eye=(0.2, 0.1, 1.2))
    lifted = scene.lifted()
    beyond = lifted[..., 0] > 2.0
    metres = np.where(beyond, deep.metres, scene.metres)
    cut = ground_segmentation(metres, scene.camera, scene.classes, CARD, plane)
    found = free_space(cut, scene.world_from_optical)
    x, y = Grid().centres_xy()
    ahead = np.abs(y) < 0.4
    assert (found[ahead & (x > 1.4) & (x < 1.9)] == FREE).all()
    assert not (found[ahead & (x > 2.1)] == FREE).any()


def test_the_grid_is_in_the_base_frame_wherever_the_camera_sits():
    scene = room([Box(2.0, 0.0, (0.2, 0.2, 1.0), 0.0, WALL)])
    plane = plane_from_transform(scene.world_from_optical)
    turned = np.eye(4)
    turned[:2, :2] = [[0, -1], [1, 0]]
    turned[:2, 3] = 0.4, -0.3
    found = free_space(ground(scene, plane), turned @ scene.world_from_optical)
    rows, columns = np.nonzero(found == OCCUPIED)
    x, y = columns * 0.05 - 5 + 0.025, rows * 0.05 - 5 + 0.025
    assert np.median(x) == pytest.approx(0.4, abs=0.12)
    assert np.median(y) == pytest.approx(2.0 - 0.1 - 0.3, abs=0.12)


def test_an_image_without_depth_says_nothing():
    scene = room([])
    scene.metres[:] = np.nan
    assert (filled(scene) == UNSEEN).all()


def test_rows_run_along_y_and_columns_along_x():
    grid = Grid(cell_m=0.5, reach_m=2.0)
    assert grid.size == 8
    x, y = grid.centres_xy()
    assert x[0, 0] == y[0, 0] == -1.75
    assert (x[0, 7], y[0, 7]) == (1.75, -1.75)
    inside_one = grid.cells(np.float32([1.6, 9.0, -1.9]), np.float32([-1.9, 0, 1.6]))
    assert inside_one.tolist() == [7, 56]
    at_edges = grid.cells(
        np.float32([-2, 1.99, 2, -2.01, 0, 0]), np.float32([-2, 1.99, 0, 0, 2, -2.01])
    )
    assert at_edges.tolist() == [0, 63]     # the grid ends before its far sides
    assert FLOOR in CARD.ids_with_role('traversable')

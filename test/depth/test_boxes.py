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

"""Boxes against the bodies that points were sampled from, and quaternions against matrices."""

import numpy as np
import pytest
from seg_ros.depth.boxes import (
    free_boxes,
    OrientedBox,
    planes_below,
    quaternion_xyzw,
    upright_boxes,
)
from seg_ros.depth.planes import Plane

TABLE = Plane(np.array([0.0, -0.8, -0.6]), 0.9)


def surface(size, centre, axes, count=256, seed=0):
    """Points on a box's surface, as many per side as its area requires."""
    random = np.random.RandomState(seed)
    size = np.array(size)
    areas = np.array([size[1] * size[2], size[0] * size[2], size[0] * size[1]])
    side = random.choice(3, count, p=areas / areas.sum())
    points = random.uniform(-0.5, 0.5, (count, 3))
    points[np.arange(count), side] = random.choice([-0.5, 0.5], count)
    return points * size @ axes + centre


def turned(basis, yaw):
    cos, sin = np.cos(yaw), np.sin(yaw)
    return np.array([[cos, sin, 0], [-sin, cos, 0], [0, 0, 1]]) @ basis


@pytest.mark.parametrize('yaw', [0.0, 0.3, 0.8, 1.2])
def test_an_upright_box_has_the_size_place_and_turn_of_the_body(yaw):
    axes = turned(TABLE.basis(np.array([0.0, 0, 1])), yaw)
    size = np.array([0.2, 0.08, 0.12])
    foot = np.array([0.1, 0.3, 0.7])
    foot -= TABLE.height_m(foot) * TABLE.normal
    centre = foot + 0.06 * TABLE.normal
    box = upright_boxes(surface(size, centre, axes)[None], TABLE)[0]
    np.testing.assert_allclose(box.centre, centre, atol=0.006)
    np.testing.assert_allclose(np.sort(box.size_m[:2]), [0.08, 0.2], atol=0.008)
    assert box.size_m[2] == pytest.approx(0.12, abs=0.004)
    longest = box.axes[int(box.size_m[:2].argmax())]
    assert abs(longest @ axes[0]) > np.cos(0.06)
    np.testing.assert_allclose(box.axes[2], TABLE.normal, atol=1e-9)


def plate(height_m, ahead_m=0.0, size=(0.1, 0.1)):
    """Points of a top surface only, this high above the table and this far ahead of the camera."""
    axes = TABLE.basis(np.array([0.0, 0, 1]))
    return surface((*size, 0.0), ahead_m * axes[0] + (height_m - 0.9) * axes[2], axes)


@pytest.mark.parametrize(('height_m', 'ahead_m'), [(0.05, 1.0), (0.05, 0.0), (0.2, 0.0),
                                                   (0.6, 0.0), (0.2, 0.2)])
def test_an_upright_box_reaches_the_plane_where_only_its_top_was_seen(height_m, ahead_m):
    box = upright_boxes(plate(height_m, ahead_m)[None], TABLE)[0]
    assert box.size_m[2] == pytest.approx(height_m, abs=1e-3)
    assert TABLE.height_m(box.centre) == pytest.approx(height_m / 2, abs=1e-3)


@pytest.mark.parametrize(('height_m', 'ahead_m'), [(0.2, 1.0), (0.5, 0.5)])
def test_what_hangs_and_is_seen_from_aside_ends_where_it_is_last_seen(height_m, ahead_m):
    assert upright_boxes(plate(height_m, ahead_m)[None], TABLE)[0].size_m[2] < 0.01


@pytest.mark.parametrize('ahead_m', [0.0, 0.8])
def test_what_lies_on_another_object_reaches_down_to_that(ahead_m):
    book, cup = plate(0.06, ahead_m, (0.3, 0.2)), plate(0.12, ahead_m + 0.05, (0.08, 0.08))
    beside = plate(0.15, ahead_m + 0.25, (0.16, 0.16))
    for order in ([0, 1, 2], [2, 1, 0]):
        boxes = upright_boxes(np.stack([book, cup, beside])[order], TABLE)
        heights = np.array([box.size_m[2] for box in boxes])[order]
        np.testing.assert_allclose(heights, [0.06, 0.06, 0.15], atol=1e-3)


@pytest.mark.parametrize('lift', [-0.5, -0.13, -0.07, 0.0])
def test_what_is_below_the_plane_ends_where_it_is_last_seen(lift):
    axes = TABLE.basis(np.array([0.0, 0, 1]))
    body = surface((0.1, 0.08, 0.12), np.array([0.1, 0.3, 0.7]), axes)
    body += (lift - TABLE.height_m(body).min()) * TABLE.normal
    box = upright_boxes(body[None], TABLE)[0]
    assert box.size_m[2] == pytest.approx(0.12, abs=0.004)
    assert TABLE.height_m(box.centre) == pytest.approx(lift + 0.06, abs=0.004)


def test_noise_below_the_plane_is_not_of_what_stands_on_it():
    axes = TABLE.basis(np.array([0.0, 0, 1]))
    body = surface((0.1, 0.08, 0.12), np.array([0.1, 0.3, 0.7]), axes)
    body -= (TABLE.height_m(body).min() + 0.008) * TABLE.normal
    box = upright_boxes(body[None], TABLE)[0]
    assert box.size_m[2] == pytest.approx(0.112, abs=0.004)


def test_the_plane_of_an_object_is_the_next_below_it():
    axes = TABLE.basis(np.array([0.0, 0, 1]))
    floor = Plane(TABLE.normal, TABLE.offset_m + 0.7)
    body = surface((0.1, 0.08, 0.12), np.array([0.1, 0.3, 0.7]), axes)
    body -= TABLE.height_m(body).min() * TABLE.normal
    lifts = [0.3, 0.0, -0.009, -0.1, -0.69, -0.8]
    bodies = np.stack([body + lift * TABLE.normal for lift in lifts])
    assert planes_below(bodies, [TABLE, floor]).tolist() == [0, 0, 0, 1, 1, 1]
    assert planes_below(bodies, [floor, TABLE]).tolist() == [1, 1, 1, 0, 0, 0]


def test_a_free_box_follows_the_points_own_axes():
    axes = turned(TABLE.basis(np.array([1.0, 0, 0])), 0.4)
    size = np.array([0.4, 0.2, 0.1])
    box = free_boxes(surface(size, np.array([0, 0, 2.0]), axes)[None])[0]
    np.testing.assert_allclose(box.size_m, size, rtol=0.15)
    np.testing.assert_allclose(box.centre, [0, 0, 2], atol=0.012)
    np.testing.assert_allclose(np.abs((box.axes * axes).sum(1)), 1, atol=0.01)
    assert np.linalg.det(box.axes) == pytest.approx(1)


def test_objects_are_measured_alike_alone_and_together():
    axes = TABLE.basis(np.array([0.0, 0, 1]))
    clouds = np.stack([
        surface((0.1 + 0.05 * k, 0.1, 0.1), np.array([0.2 * k, 0.2, 1.0]), axes, seed=k)
        for k in range(5)
    ])
    for measure in (lambda points: upright_boxes(points, TABLE), free_boxes):
        for one, many in zip((measure(each[None])[0] for each in clouds), measure(clouds),
                             strict=True):
            np.testing.assert_allclose(one.corners, many.corners, atol=1e-9)


def test_erosion_is_undone_across_the_line_of_sight_alone():
    facing = np.array([[1.0, 0, 0], [0, 1, 0], [0, 0, 1]])
    plate = surface((0.2, 0.1, 0.0), np.array([0, 0, 2.0]), facing)
    bare, grown = (free_boxes(plate[None], margin)[0].size_m for margin in (0.0, 3 / 500))
    np.testing.assert_allclose(grown - bare, [2 * 2 * 3 / 500, 2 * 2 * 3 / 500, 0], atol=2e-4)


def test_corners_are_the_ends_of_the_axes():
    box = OrientedBox(np.array([1.0, 2, 3]), np.eye(3), np.array([2.0, 4, 6]))
    np.testing.assert_allclose([box.corners.min(0), box.corners.max(0)], [[0, 0, 0], [2, 4, 6]])


def test_a_quaternion_turns_the_boxs_axes_into_the_frames():
    random = np.random.RandomState(0)
    cases = [np.linalg.qr(random.normal(size=(3, 3)))[0] for _ in range(40)]
    cases += [np.diag([1.0, -1, -1]), np.diag([-1.0, -1, 1]), np.eye(3)]
    for axes in cases:
        axes[2] = np.cross(axes[0], axes[1])
        x, y, z, w = quaternion_xyzw(axes)
        assert x * x + y * y + z * z + w * w == pytest.approx(1)
        # The textbook formula; the matrix' columns are the rotated axes.
        matrix = np.array([
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ])
        np.testing.assert_allclose(matrix, axes.T, atol=1e-9)

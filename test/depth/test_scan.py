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

"""The scan against rays in the ground plane and a loop over pixels."""

import cv2
import numpy as np
import pytest
from ray_cast import Box
from seg_ros.depth.ground import plane_from_transform
from seg_ros.depth.scan import laser_scan
from seg_ros.sim.classes import WALL
from test_ground import ground, room

BOXES = [
    Box(2.0, 0.5, (0.3, 0.5, 0.8), 0.4, WALL), Box(3.0, -0.8, (0.4, 0.4, 1.6), 0.0, WALL),
]


def scanned(scene, bearings=160):
    plane = plane_from_transform(scene.world_from_optical)
    return laser_scan(ground(scene, plane), bearings)


def angles_of(scan):
    return scan.angle_min + scan.angle_increment * np.arange(len(scan.ranges_m))


def test_ranges_are_the_nearest_obstacles_of_a_loop_over_pixels():
    scene = room(BOXES)
    scan = scanned(scene)
    nearest = np.full(160, np.inf)
    low = scan.angle_min - scan.angle_increment / 2
    lifted = scene.lifted() - (*scene.eye[:2], 0)
    for x, y in lifted[(scene.ids > 0) & (lifted[..., 2] >= 0.05)][:, :2]:
        bin_ = int((np.arctan2(y, x) - low) / scan.angle_increment)
        nearest[min(bin_, 159)] = min(nearest[min(bin_, 159)], np.hypot(x, y))
    found = np.where(np.isnan(scan.ranges_m), np.inf, scan.ranges_m)
    hit = np.isfinite(nearest) & np.isfinite(found)
    assert hit.sum() > 20
    assert (np.isfinite(nearest) == np.isfinite(found)).mean() > 0.97   # a bin's edge may round
    close = np.abs(nearest[hit] - found[hit]) < 1e-3
    assert close.mean() > 0.95


def test_a_wall_ahead_is_as_far_as_trigonometry_says():
    scene = room([Box(2.0, 0.0, (0.2, 9.0, 2.5), 0.0, WALL)])
    scan = scanned(scene)
    angles = angles_of(scan)
    middle = np.abs(angles) < 0.4
    expected = (1.9 - scene.eye[0]) / np.cos(angles)
    np.testing.assert_allclose(scan.ranges_m[middle], expected[middle], rtol=0.01)


def test_free_bearings_are_infinite_and_unseen_ones_nan():
    scene = room(BOXES)
    scene.metres[:, :100] = np.nan
    scan = scanned(scene)
    left = angles_of(scan) > 0.35
    assert np.isnan(scan.ranges_m[left]).mean() > 0.8
    assert np.isinf(scan.ranges_m).any()


def facing(box, scene):
    """Return the centre and half the width of the middle half of a box's bearings."""
    angle = np.arctan2(box.y - scene.eye[1], box.x - scene.eye[0])
    return angle, 0.25 * box.size[1] / np.hypot(box.x, box.y)


@pytest.mark.parametrize('behind', [
    [], [Box(4.5, 0.0, (0.2, 9.0, 2.5), 0.0, WALL)],
])
def test_an_obstacle_without_depth_makes_its_bearings_nan_whatever_stands_behind(behind):
    box = Box(2.0, 0.3, (0.3, 0.6, 0.4), 0.0, WALL)
    scene = room([box, *behind])
    scene.metres[scene.ids == 1] = np.nan
    scan = scanned(scene)
    angle, reach = facing(box, scene)
    there = np.abs(angles_of(scan) - angle) < reach
    assert there.sum() >= 5
    assert np.isnan(scan.ranges_m[there]).all()
    assert not np.isnan(scan.ranges_m[np.abs(angles_of(scan) - angle) > 4 * reach]).any()


def test_what_is_blind_behind_an_obstacle_or_before_all_that_has_depth_changes_nothing():
    scene = room([Box(2.0, 0.0, (0.2, 9.0, 2.5), 0.0, WALL)])
    whole = scanned(scene).ranges_m
    rows = np.arange(240)[:, None]
    speckled = (scene.ids == 1) & (rows % 3 > 0)
    scene.metres[speckled] = np.nan
    scene.metres[200:], scene.classes[200:] = np.nan, WALL      # the robot's own
    middle = np.abs(angles_of(scanned(scene))) < 0.45
    assert np.isfinite(whole[middle]).all()
    np.testing.assert_allclose(scanned(scene).ranges_m[middle], whole[middle], rtol=0.01)


@pytest.mark.parametrize('side_px', [1, 4])
@pytest.mark.parametrize('boxes', [
    [Box(2.0, 0.0, (2.4, 9.0, 0.03), 0.0, WALL), Box(3.0, 0.0, (0.3, 0.6, 1.6), 0.0, WALL)],
    [Box(2.0, 0.0, (2.4, 9.0, 0.03), 0.0, WALL)],
])
def test_holes_of_a_depth_image_in_flat_ground_hide_nothing_that_is_seen_behind(boxes, side_px):
    scene = room(boxes)
    whole = scanned(scene).ranges_m
    share = 1 - 0.7 ** (1 / side_px ** 2)
    random = np.random.RandomState(0)
    holes = cv2.dilate((random.rand(240, 320) < share).astype(np.uint8), np.ones(2 * [side_px]))
    assert holes.mean() == pytest.approx(0.3, abs=0.03)
    scene.metres[holes > 0] = np.nan
    ranges = scanned(scene).ranges_m
    assert not np.isnan(ranges).any()
    both = np.isfinite(whole) & np.isfinite(ranges)
    assert both.sum() >= 0.98 * max(np.isfinite(whole).sum(), np.isfinite(ranges).sum())
    np.testing.assert_allclose(ranges[both], whole[both], rtol=0.02)


def test_noise_of_the_floor_before_the_robots_own_body_takes_no_bearing():
    scene = room([Box(3.0, 0.0, (0.2, 9.0, 2.5), 0.0, WALL)], pitch=0.5)
    noise = np.random.RandomState(0).normal(1, 0.01, (240, 320))
    scene.metres *= noise.astype(np.float32)
    scene.metres[180:, 100:220], scene.classes[180:, 100:220] = np.nan, WALL
    middle = np.abs(angles_of(scanned(scene))) < 0.4
    assert np.isfinite(scanned(scene).ranges_m[middle]).all()


def test_in_an_image_of_few_columns_an_obstacle_has_no_bearing_that_is_free():
    scene = room([Box(2.0, 0.0, (0.2, 1.0, 0.5), 0.0, WALL)], size_hw=(60, 80), focal=65.0)
    scan = scanned(scene)
    there = np.abs(angles_of(scan)) < 0.25
    assert there.sum() >= 10
    ahead = scan.ranges_m * np.cos(angles_of(scan))
    np.testing.assert_allclose(ahead[there], 1.7, rtol=0.03)


def test_a_wall_whose_foot_is_beyond_the_range_of_depth_leaves_its_bearings_infinite():
    scene = room([Box(9.0, 0.0, (0.2, 40.0, 2.5), 0.0, WALL)], pitch=0.0)
    assert np.isnan(scene.metres[110:130]).any()
    assert np.isinf(scanned(scene).ranges_m).all()


def test_no_range_is_beyond_that_of_depth_at_the_edges_of_the_image_either():
    scene = room([Box(7.5, 0.0, (0.2, 40.0, 2.5), 0.0, WALL)], pitch=0.0)
    ranges, angles = scanned(scene).ranges_m, angles_of(scanned(scene))
    expected = (7.4 - scene.eye[0]) / np.cos(angles)
    assert (expected > 8).any()
    seen = np.isfinite(ranges)
    assert ranges[seen].max() <= 8
    np.testing.assert_array_equal(seen[np.abs(expected - 8) > 0.1], (expected < 8)[
        np.abs(expected - 8) > 0.1])
    assert np.isinf(ranges[~seen]).all()


@pytest.mark.parametrize('pitch', [1.0, 1.3, np.pi / 2 - 0.01])
def test_a_camera_that_sees_its_own_foot_point_has_every_obstacle_at_its_own_bearing(pitch):
    posts = [
        Box(0.9 * np.cos(a), 0.9 * np.sin(a), (0.1, 0.1, 0.3), 0.0, WALL)
        for a in np.deg2rad([0, 40, 95, 140, 178, 250])
    ]
    scene = room(posts, eye=(0.0, 0.0, 2.5), pitch=pitch)
    scan = scanned(scene)
    x, y = scene.lifted()[(scene.ids > 0) & (scene.lifted()[..., 2] >= 0.05)][:, :2].T
    truth, ranges = np.exp(1j * np.arctan2(y, x)), np.hypot(x, y)
    hits = np.flatnonzero(np.isfinite(scan.ranges_m))
    assert hits.size > 5
    for angle, range_m in zip(angles_of(scan)[hits], scan.ranges_m[hits], strict=True):
        there = np.abs(np.angle(truth * np.exp(-1j * angle))) < 0.6 * scan.angle_increment
        assert np.abs(ranges[there] - range_m).min() < 0.01
    found = np.exp(1j * angles_of(scan)[hits])
    for point in truth[::50]:
        assert np.abs(np.angle(found / point)).min() < 0.6 * scan.angle_increment


@pytest.mark.parametrize('size_hw', [(1, 1), (1, 7), (7, 1)])
def test_images_of_one_pixel_a_side_have_scans_too(size_hw):
    scan = scanned(room([Box(1.0, 0.1, (0.2, 5.0, 2.5), 0.0, WALL)], size_hw=size_hw))
    assert scan.angle_increment > 0
    seen = np.isfinite(scan.ranges_m)
    assert seen.any()
    np.testing.assert_allclose(scan.ranges_m[seen], 0.7, rtol=0.02)


def test_bearings_grow_to_the_left():
    scan = scanned(room([Box(2.0, 0.8, (0.2, 0.2, 1.0), 0.0, WALL)]))
    hit = np.isfinite(scan.ranges_m)
    assert angles_of(scan)[hit].mean() == pytest.approx(np.arctan2(0.7, 1.8), abs=0.06)
    assert scan.angle_increment > 0

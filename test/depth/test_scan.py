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

"""The scan against rays in the plane and a loop over pixels."""

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


def test_bearings_grow_to_the_left():
    scan = scanned(room([Box(2.0, 0.8, (0.2, 0.2, 1.0), 0.0, WALL)]))
    hit = np.isfinite(scan.ranges_m)
    assert angles_of(scan)[hit].mean() == pytest.approx(np.arctan2(0.7, 1.8), abs=0.06)
    assert scan.angle_increment > 0

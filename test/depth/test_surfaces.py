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

"""Surfaces of a depth image: what divides them and what does not."""

import numpy as np
import pytest
from seg_ros.depth.surfaces import surfaces


def wall(size_hw=(30, 40), metres=3.0):
    return np.full(size_hw, metres, np.float32)


def parts_of(labels):
    """Return the marked cells of each surface, the largest first."""
    found = [labels == label for label in np.unique(labels) if label]
    return sorted(found, key=np.count_nonzero, reverse=True)


def test_a_wall_is_one_surface():
    np.testing.assert_array_equal(surfaces(wall()), np.ones((30, 40)))


def test_without_depth_there_is_none():
    np.testing.assert_array_equal(surfaces(wall(metres=np.inf)), np.zeros((30, 40)))


@pytest.mark.parametrize(('share', 'count'), [(0.97, 1), (0.9, 2)])
def test_a_jump_of_more_than_a_twentieth_divides(share, count):
    depth = wall()
    depth[:, 20:] *= share
    assert len(parts_of(surfaces(depth))) == count


def test_a_box_before_a_wall_is_a_surface_of_its_own_and_the_wall_around_it_none():
    depth, box = wall(), np.zeros((30, 40), bool)
    box[10:20, 15:25] = True
    depth[box] = 1.0
    around = np.zeros_like(box)
    around[7:23, 12:28] = True
    largest, smaller = parts_of(surfaces(depth))
    np.testing.assert_array_equal(smaller, box)
    assert not (largest & around).any()
    assert largest[~around].mean() > 0.9


@pytest.mark.parametrize(('gap', 'count'), [(6, 2), (7, 3)])
def test_parts_at_one_distance_are_one_surface_across_a_gap_of_six_cells(gap, count):
    depth = wall()
    depth[5:25, 8:14] = 1.0
    depth[5:25, 14 + gap:20 + gap] = 1.0
    assert len(parts_of(surfaces(depth))) == count


def test_a_gap_without_depth_divides_no_more_than_one_with_the_wall_in_it():
    depth = wall()
    depth[:, 18:23] = np.inf
    labels = surfaces(depth)
    assert len(parts_of(labels)) == 1
    assert not labels[:, 18:23].any()


def test_a_floor_that_runs_away_from_the_camera_is_one_surface():
    rows = np.arange(60, 119, dtype=np.float32)[::-1]
    metres = 1.1 * 130 / (rows[:, None] - 40)     # 1.1 m below the camera, up to 7 m away
    assert len(parts_of(surfaces(np.repeat(metres, 40, axis=1).astype(np.float32)))) == 1

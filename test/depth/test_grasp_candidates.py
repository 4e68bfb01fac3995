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

"""Grasp candidates along one closing direction, on points as seen from above."""

import numpy as np
import pytest
from seg_ros.depth.grasp_candidates import candidates_along, GraspPoints, Gripper
from seg_ros.depth.rim import Rim

NOTHING = np.zeros((0, 2))
NO_RIM = Rim(np.array([1.0, 0.0]), np.float64(1), np.float64(0), np.float64(0))


def filled(width_m, low_m=-0.05, high_m=0.05):
    """Return a grid of points, as wide as said, that ends at `low_m` and `high_m` across."""
    x, y = np.meshgrid(
        np.linspace(-width_m / 2, width_m / 2, 21), np.arange(low_m, high_m, 0.002)
    )
    return np.stack([x.ravel(), y.ravel()], axis=1)


def candidates(points, others=NOTHING, rim=NO_RIM):
    return {
        round(item.across_m, 4): item
        for item in candidates_along(GraspPoints(points, points, others, rim), Gripper())
    }


def test_a_bar_is_grasped_at_each_place_along_it_and_best_in_the_middle():
    found = candidates(filled(0.04))
    assert sorted(found) == pytest.approx([-0.0294, -0.0147, 0, 0.0147, 0.0294], abs=1e-3)
    assert max(found.values(), key=lambda item: item.score).across_m == 0
    for item in found.values():
        assert (item.along_m, item.width_m) == (pytest.approx(0), pytest.approx(0.04))


def test_a_hammer_is_grasped_by_its_handle_alone():
    hammer = np.concatenate([filled(0.1, -0.05, 0.015), filled(0.02, 0.015, 0.05)])
    (across, item), = candidates(hammer).items()
    assert across == pytest.approx(0.0294, abs=1e-3)
    assert item.width_m == pytest.approx(0.02)


@pytest.mark.parametrize(('width', 'fits'), [(0.071, True), (0.073, False)])
def test_an_object_must_leave_4_mm_to_each_finger(width, fits):
    assert bool(candidates(filled(width))) == fits


def test_the_rim_belongs_to_the_object():
    rim = Rim(np.array([1.0, 0.0]), np.float64(1), np.float64(0), np.float64(0.01))
    assert candidates(filled(0.04), rim=rim)[0].width_m == pytest.approx(0.06)
    assert not candidates(filled(0.06), rim=rim)


@pytest.mark.parametrize('side', [-1, 1])
@pytest.mark.parametrize(('place', 'blocked'), [(0.030, False), (0.045, True), (0.053, False)])
def test_a_finger_comes_down_only_where_nothing_stands(side, place, blocked):
    # A finger reaches from 28 mm at least, 40 less its thickness, to 52 mm from the middle.
    others = np.tile([[side * place, 0.0]], (3, 1))
    found = candidates(filled(0.06), others)
    assert (0 in found) != blocked
    assert 0 in candidates(filled(0.06), others[:2])     # two points may be noise


def test_what_else_is_between_the_fingers_costs_its_share_of_the_points():
    own = filled(0.04)
    strip = own[np.abs(own[:, 1]) < 0.01]
    alone, together = (candidates(own, others)[0].score for others in (NOTHING, strip * (0.5, 1)))
    assert alone - together == pytest.approx(2.0 * 0.5)


def test_faces_that_are_not_parallel_cost_as_much_as_they_slant():
    bar = filled(0.04)
    slanted = bar + np.stack([bar[:, 1] * 0.2, np.zeros(len(bar))], axis=1)
    shift = 2 * 0.2 * 0.01      # both faces, over the middles of a finger's halves
    costs = candidates(bar)[0].score - candidates(slanted)[0].score
    assert costs == pytest.approx(shift / 0.01, abs=0.1)

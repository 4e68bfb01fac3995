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

"""Fitted planes against the planes that points were sampled from, among many outliers."""

import numpy as np
import pytest
from seg_ros.depth.planes import fit_plane, Plane


def points_on(normal, offset, count, noise, seed=0):
    random = np.random.RandomState(seed)
    normal = np.array(normal) / np.linalg.norm(normal)
    points = random.uniform(-1, 1, (count, 3))
    points -= np.outer(points @ normal + offset, normal)
    return points + noise * random.normal(size=(count, 1)) * normal, normal


@pytest.mark.parametrize('seed', range(12))
def test_the_plane_of_six_in_ten_points_is_found(seed):
    flat, normal = points_on((0.2, -1, -0.5), 0.8, 3000, 0.003, seed)
    clutter = np.random.RandomState(seed).uniform((-1, -1.6, -1), (1, 0.4, 1), (2000, 3))
    mixed = np.random.RandomState(seed).permutation(np.concatenate([flat, clutter]))
    plane = fit_plane(mixed.astype(np.float32))
    assert np.arccos(min(1.0, plane.normal @ normal)) < 0.01
    assert plane.offset_m == pytest.approx(0.8, abs=0.005)


def test_a_perfect_plane_is_as_exact_as_its_least_squares():
    flat, _ = points_on((0, -1, -0.1), 1.5, 400, 0.002)
    plane = fit_plane(flat, tolerance_m=1.0)
    centred = flat[np.linspace(0, 399, 400).astype(int)] - flat.mean(0)
    expected = np.linalg.svd(centred)[2][2]
    np.testing.assert_allclose(abs(plane.normal @ expected), 1, atol=1e-9)


def test_the_camera_is_above_the_plane_whichever_way_it_was_found():
    for sign in (1, -1):
        flat, _ = points_on((0, sign, 0), sign * -0.7, 500, 0.001)
        plane = fit_plane(flat)
        assert plane.offset_m == pytest.approx(0.7, abs=0.01)
        assert plane.height_m(np.zeros(3)) == pytest.approx(0.7, abs=0.01)
        assert abs(plane.height_m(flat)).max() < 0.01


def test_a_wall_is_no_ground_where_the_normal_must_point_up():
    wall, _ = points_on((0, 0, -1), 1.2, 3000, 0.001)
    floor, _ = points_on((0, -1, 0), 0.9, 1500, 0.001)
    both = np.random.RandomState(0).permutation(np.concatenate([wall, floor]))
    assert fit_plane(both).normal[2] == pytest.approx(-1, abs=0.01)
    up = np.array([0.0, -1, 0])
    assert fit_plane(both, up=up, max_tilt_rad=0.5).normal[1] == pytest.approx(-1, abs=0.01)


@pytest.mark.parametrize('points', [
    np.zeros((0, 3)), np.zeros((2, 3)), np.zeros((50, 3)),
    np.outer(np.linspace(0, 1, 90), (1, 2, 3)), np.random.RandomState(0).uniform(-3, 3, (900, 3)),
])
def test_what_is_no_plane_gives_none(points):
    assert fit_plane(points) is None


def test_a_basis_is_right_handed_and_lies_in_the_plane():
    plane = Plane(np.array([0, -0.6, -0.8]), 1.0)
    for ahead in ([0, 0, 1.0], [1.0, 0, 0], [0, -0.6, -0.8]):
        basis = plane.basis(np.array(ahead))
        np.testing.assert_allclose(basis @ basis.T, np.eye(3), atol=1e-12)
        assert np.linalg.det(basis) == pytest.approx(1)
        np.testing.assert_allclose(basis[2], plane.normal)

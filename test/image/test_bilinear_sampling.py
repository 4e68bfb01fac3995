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

"""Every source pixel lies between pixels of a smaller map, and its value between theirs."""

import numpy as np
import pytest
from seg_ros.core.card import InputSpec
from seg_ros.image.bilinear_sampling import (
    interpolated,
    interpolation_at,
    row_and_column_interpolation,
)
from seg_ros.image.fit import fit_for

RULES = ('half_pixel', 'align_corners', 'asymmetric')


@pytest.mark.parametrize('size', [1, 2, 7])
def test_a_position_lies_between_the_two_pixels_around_it(size):
    position = np.linspace(-3, size + 2, 101)
    grid = interpolation_at(position, size)
    assert grid.first.min() >= 0
    assert (grid.first + (grid.weights[1] > 0)).max() <= size - 1
    np.testing.assert_allclose(
        grid.first + grid.weights[1], np.clip(position, 0, size - 1), atol=1e-6
    )


def test_the_nearest_pixel_is_the_one_whose_centre_is_closest():
    position = np.array([-1, 0, 0.4, 0.6, 1, 1.49, 1.51, 2, 9])
    assert interpolation_at(position, 3).nearest.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]


def test_the_second_of_two_pixels_equally_close_is_the_nearest():
    assert interpolation_at(np.array([0.5, 1.5]), 3).nearest.tolist() == [1, 2]


@pytest.mark.parametrize(('first', 'last'), [(0, 0), (0, 6), (2, 2), (3, 5), (6, 6)])
def test_a_span_holds_the_source_pixels_that_marked_pixels_weigh_in(first, last):
    position = np.sort(np.random.default_rng(2).uniform(0, 6, 60))
    marked = (np.arange(7) >= first) & (np.arange(7) <= last) & (np.arange(7) != 4)
    weights = np.maximum(0, 1 - abs(position[:, None] - np.arange(7)))
    affected = np.flatnonzero(weights @ marked)
    assert interpolation_at(position, 7).reached(marked[None]).tolist() == [
        [affected[0], affected[-1] + 1]
    ]


def positions(count, size):
    """Return where the centres of `count` pixels lie among those of `size` pixels."""
    return (np.arange(count) + 0.5) * size / count - 0.5


@pytest.mark.parametrize(('source', 'network', 'size'), [
    (50, 32, 8), (20, 32, 8), (97, 64, 5), (40, 40, 1),
])
def test_three_neighbours_are_enough_for_two_interpolations(source, network, size):
    fit = fit_for((source, source), (network, network), InputSpec(fit='stretch'))
    values = np.random.default_rng(3).uniform(-1, 1, size)
    once = np.interp(positions(source, size), np.arange(size), values)
    inner = np.interp(positions(network, size), np.arange(size), values)
    twice = np.interp(positions(source, network), np.arange(network), inner)
    for expected, by_way_of_network in ((once, False), (twice, True)):
        found, _ = row_and_column_interpolation(fit, (size, size), enlarged=by_way_of_network)
        padded = np.pad(values, (0, 2))
        sums = sum(
            padded[found.first + index] * weights for index, weights in enumerate(found.weights)
        )
        np.testing.assert_allclose(found.matrix @ values, expected, atol=1e-6)
        column = values.astype(np.float32)[:, None]
        np.testing.assert_allclose(found.apply(column, 0, source)[:, 0], expected, atol=1e-6)
        np.testing.assert_array_equal(
            found.matrix[np.arange(source), found.nearest], found.matrix.max(axis=1)
        )
        for index, (begin, end) in enumerate(found.reached(np.eye(size, dtype=bool)).tolist()):
            assert set(np.flatnonzero(found.matrix[:, index])) <= set(range(begin, end))
        np.testing.assert_allclose(sums, expected, atol=1e-6)
        np.testing.assert_allclose(found.weights.sum(0), 1, atol=1e-6)


@pytest.mark.parametrize('rule', RULES)
def test_the_sampling_of_a_fit_lies_on_its_grid(rule):
    fit = fit_for((50, 70), (64, 64), InputSpec())
    for axis in (0, 1):
        slope, start = fit.grid((16, 9), axis, rule)
        position = [slope * index + start for index in range(fit.source_hw[axis])]
        expected = np.clip(position, 0, (16, 9)[axis] - 1)
        grid = row_and_column_interpolation(fit, (16, 9), rule)[axis]
        np.testing.assert_allclose(grid.first + grid.weights[1], expected, atol=1e-6)


@pytest.mark.parametrize('size_hw', [(1, 1), (1, 6), (6, 1), (9, 11)])
def test_bytes_are_interpolated_as_in_floats(size_hw):
    rng = np.random.default_rng(0)
    small = rng.integers(0, 256, size_hw, np.uint8)
    places = [np.sort(rng.uniform(-1, side + 1, 40)) for side in size_hw]
    grids = [interpolation_at(place, side) for place, side in zip(places, size_hw, strict=True)]
    weights = [
        np.maximum(0, 1 - abs(np.clip(place, 0, side - 1)[:, None] - np.arange(side)))
        for place, side in zip(places, size_hw, strict=True)
    ]
    expected = weights[0] @ small @ weights[1].T
    np.testing.assert_allclose(interpolated(small, *grids), expected, atol=1e-3)


def test_black_stays_black_and_white_white():
    grids = [interpolation_at(np.linspace(0, 1, 257), 2)] * 2
    for level in (0, 255):
        uniform = interpolated(np.full((2, 2), level, np.uint8), *grids)
        np.testing.assert_allclose(uniform, level, atol=1e-4)
    edge = interpolated(np.array([[0, 255], [0, 255]], np.uint8), *grids)
    assert (np.diff(edge, axis=1) >= 0).all()
    assert edge[0].tolist()[::256] == [0, 255]


def test_a_window_is_the_same_as_that_part_of_the_whole():
    small = np.random.default_rng(1).integers(0, 256, (8, 9), np.uint8)
    fit = fit_for((160, 180), (64, 64), InputSpec())
    rows, columns = row_and_column_interpolation(fit, (8, 9))
    whole = interpolated(small, rows, columns)
    part = interpolated(small, rows, columns, (5, 20, 177, 151))
    np.testing.assert_allclose(part, whole[20:151, 5:177], atol=1e-3)

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

"""Cells of an image, compared with a loop over them."""

import numpy as np
import pytest
from seg_ros.depth.cells import marked_cells, nearest_around, nearest_in_cells, pixels_of_cells

SIZES_HW = [(24, 32), (23, 33), (5, 6), (4, 4), (3, 2)]


def by_loop(image, function):
    height, width = image.shape
    return np.array([
        [function(image[y:y + 4, x:x + 4]) for x in range(0, width, 4)]
        for y in range(0, height, 4)
    ])


def median_of_neighbours(cells):
    padded = np.pad(cells, 1, mode='edge')
    return np.array([
        [np.sort(padded[y:y + 3, x:x + 3].ravel())[4] for x in range(cells.shape[1])]
        for y in range(cells.shape[0])
    ])


@pytest.mark.parametrize('size_hw', SIZES_HW)
def test_a_cell_is_marked_if_one_of_its_pixels_is(size_hw):
    mask = np.random.default_rng(0).random(size_hw) < 0.05
    np.testing.assert_array_equal(marked_cells(mask), by_loop(mask, np.any))


@pytest.mark.parametrize('size_hw', SIZES_HW)
def test_the_pixels_of_a_cell_are_marked_together(size_hw):
    mask = np.random.default_rng(1).random(size_hw) < 0.05
    pixels = pixels_of_cells(marked_cells(mask), size_hw)
    assert pixels.shape == size_hw
    np.testing.assert_array_equal(by_loop(pixels, np.all), by_loop(mask, np.any))
    np.testing.assert_array_equal(by_loop(pixels, np.any), by_loop(mask, np.any))


@pytest.mark.parametrize('holes', [0.0, 0.5, 0.97, 1.0])
@pytest.mark.parametrize('size_hw', SIZES_HW)
def test_the_depth_of_a_cell_is_the_least_smoothed_by_the_median_of_its_neighbours(
    size_hw, holes
):
    random = np.random.default_rng(2)
    metres = random.uniform(1, 5, size_hw).astype(np.float32)
    metres[random.random(size_hw) < holes] = np.nan
    least = by_loop(np.where(np.isnan(metres), np.inf, metres), np.min)
    np.testing.assert_array_equal(nearest_in_cells(metres), median_of_neighbours(least))


def test_a_single_near_pixel_does_not_move_a_cell():
    metres = np.full((24, 32), 3.0, np.float32)
    metres[9, 17] = 0.5
    np.testing.assert_array_equal(nearest_in_cells(metres), np.full((6, 8), 3.0))


@pytest.mark.parametrize('reach', [1, 3])
def test_the_nearest_depth_around_a_cell_is_the_least_in_a_square(reach):
    random = np.random.default_rng(3)
    metres = random.uniform(1, 5, (7, 9)).astype(np.float32)
    metres[random.random((7, 9)) < 0.5] = np.inf
    metres[:, :5] = np.inf
    padded = np.pad(metres, reach, constant_values=np.inf)
    expected = [
        [padded[y:y + 2 * reach + 1, x:x + 2 * reach + 1].min() for x in range(9)]
        for y in range(7)
    ]
    np.testing.assert_array_equal(nearest_around(metres, reach), expected)

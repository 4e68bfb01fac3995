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

"""Pixels away from edges and jumps, against loops over windows."""

import numpy as np
import pytest
from seg_ros.depth.interior import depth_discontinuities, detached_parts, instance_interiors, JUMP


def windows(array, reach):
    height, width = array.shape
    for row in range(height):
        for column in range(width):
            yield (row, column), array[
                max(0, row - reach):row + reach + 1, max(0, column - reach):column + reach + 1
            ]


@pytest.mark.parametrize('erosion_px', [0, 1, 3])
def test_a_pixel_is_inside_where_its_whole_window_is_of_one_instance(erosion_px):
    ids = np.zeros((30, 40), np.uint16)
    ids[2:20, 3:22] = 700
    ids[2:20, 22:39] = 65535
    ids[25:27, :] = 3
    found = instance_interiors(ids, erosion_px)
    for place, window in windows(ids, erosion_px):
        assert found[place] == (ids[place] > 0 and (window == ids[place]).all())


def test_depth_jumps_where_neighbours_are_farther_apart_than_one_surface_is():
    random = np.random.RandomState(0)
    metres = random.uniform(1, 1.02, (20, 30)).astype(np.float32)
    metres[5:12, 8:20] = 0.9
    metres[random.uniform(size=metres.shape) < 0.1] = np.nan
    metres[18:, :4] = np.nan
    found = depth_discontinuities(metres)
    for place, window in windows(metres, 1):
        seen = window[np.isfinite(window)]
        assert found[place] == (seen.size > 0 and seen.max() / (1 + JUMP) > seen.min())


def test_what_lies_behind_the_largest_part_of_a_mask_is_of_another():
    instances = np.zeros((60, 100), np.uint16)
    instances[10:50, 10:40], instances[10:50, 60:90] = 7, 300
    z = np.full(instances.shape, 2.0, np.float32)
    z[:, 10:40] = np.linspace(0.9, 1.1, 30)
    z[10:24, :] = np.where(instances[10:24] == 7, 1.6, z[10:24])    # behind the first
    z[30:50, 60:90] = 2.01      # beside the second, as far away
    whole = (instances > 0) & ~depth_discontinuities(z)
    whole[30:32, 60:90] = False
    found = detached_parts(whole, instances, z)
    behind = (instances == 7) & (z == np.float32(1.6)) & whole
    assert found[behind].all()
    assert not found[27:].any()     # below the jump between the two
    assert not found[instances == 300].any()


@pytest.mark.parametrize(('z_of_part', 'kept'), [(2.2, True), (2.4, False)])
def test_a_part_within_the_depths_of_a_slanted_object_is_its_own(z_of_part, kept):
    instances = np.zeros((60, 100), np.uint16)
    instances[10:50, 10:50] = instances[10:50, 60:70] = 7
    z = np.full(instances.shape, z_of_part, np.float32)
    z[:, 10:50] = np.linspace(1.8, 2.2, 40)     # a standard deviation of 12 cm, and 6 cm of noise
    found = detached_parts(instances > 0, instances, z)
    assert (found is None) is kept
    if not kept:
        np.testing.assert_array_equal(found & (instances > 0), (instances > 0) & (z == z[0, 60]))


def test_depth_in_single_pixels_is_too_sparse_to_leave_anything_out():
    instances = np.ones((40, 40), np.uint16)
    z = np.random.RandomState(0).uniform(0.5, 2, (40, 40)).astype(np.float32)
    whole = np.zeros(instances.shape, bool)
    whole[::4, ::4] = True
    assert detached_parts(whole, instances, z) is None


def test_an_object_of_one_piece_is_all_its_own():
    instances = np.ones((41, 33), np.uint16)
    z = np.ones(instances.shape, np.float32)
    assert detached_parts(instances > 0, instances, z) is None
    assert detached_parts(instances > 1, instances, z) is None

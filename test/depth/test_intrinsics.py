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

"""The camera model against hand-computed projections."""

import numpy as np
import pytest
from seg_ros.core.errors import ImageError
from seg_ros.depth.intrinsics import Intrinsics, intrinsics_from_matrix


def test_a_point_on_the_axis_is_seen_at_the_principal_point():
    camera = Intrinsics(500.0, 510.0, 3.0, 2.0, (5, 7))
    across, down = camera.slopes_xy
    assert across.shape == (1, 7)
    assert down.shape == (5, 1)
    assert across[0, 3] == down[2, 0] == 0
    np.testing.assert_allclose([across[0, 6], down[0, 0]], [3 / 500, -2 / 510], rtol=1e-6)


@pytest.mark.parametrize('step', [1, 2, 3, 4])
def test_every_nth_pixel_has_the_slopes_that_it_had_in_the_whole_image(step):
    camera = Intrinsics(500.0, 510.0, 31.3, 24.7, (49, 63))
    small = camera.subsampled(step)
    for whole, part in zip(camera.slopes_xy, small.slopes_xy, strict=True):
        np.testing.assert_allclose(part.ravel(), whole.ravel()[::step], atol=1e-6)


def test_a_ray_advances_along_a_direction_as_its_point_at_one_metre_of_depth():
    camera = Intrinsics(500.0, 510.0, 31.3, 24.7, (49, 63))
    direction = np.array([0.6, -0.64, 0.48])
    along = camera.ray_along(direction)
    assert along.shape == (49, 63)
    point = np.array([(62 - 31.3) / 500, (7 - 24.7) / 510, 1.0])
    assert along[7, 62] == pytest.approx(point @ direction, rel=1e-6)


def test_k_and_p_are_read_alike():
    k = [500, 0, 320, 0, 510, 240, 0, 0, 1]
    p = [500, 0, 320, -20, 0, 510, 240, 0, 0, 0, 1, 0]
    assert intrinsics_from_matrix(k, (480, 640)) == intrinsics_from_matrix(p, (480, 640))
    assert intrinsics_from_matrix(k, (480, 640)) == Intrinsics(500, 510, 320, 240, (480, 640))


@pytest.mark.parametrize('k', [
    [0] * 9, [-500, 0, 320, 0, 510, 240, 0, 0, 1], [float('nan'), 0, 320, 0, 510, 240, 0, 0, 1],
    [1e-300, 0, 320, 0, 510, 240, 0, 0, 1], [500, 0, -4e9, 0, 510, 240, 0, 0, 1],
    [1e308, 0, 320, 0, 510, 240, 0, 0, 1],
])
def test_intrinsics_of_an_uncalibrated_camera_are_refused_with_what_to_do(k):
    with pytest.raises(ImageError, match='calibrate the camera'):
        intrinsics_from_matrix(k, (480, 640))

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

"""Depth in both encodings, and the faults of depth cameras."""

import numpy as np
import pytest
from seg_ros.core.errors import ImageError
from seg_ros.depth.registration import has_depth, registered_depth

NAN, INF = float('nan'), float('inf')


def test_millimetres_and_metres_are_the_same_depth():
    millimetres = np.array([[0, 1, 1500], [9999, 10001, 65535]], np.uint16)
    metres = np.array([[0, 0.001, 1.5], [9.999, 10.001, 65.535]], np.float32)
    expected = [[NAN, 0.001, 1.5], [9.999, NAN, NAN]]
    for depth in (millimetres, metres):
        found = registered_depth(depth, (2, 3), 10.0)
        np.testing.assert_allclose(found.metres, np.array(expected, np.float32), rtol=1e-6)
        assert found.metres.dtype == np.float32


def test_whatever_a_float_image_has_beside_distances_is_no_depth():
    depth = np.array([[NAN, INF, -INF], [-1.0, 0.0, 2.5]], np.float32)
    found = registered_depth(np.tile(depth, (4, 4)), (8, 12), 10.0)
    assert has_depth(found.metres).sum() == 16
    assert (found.metres[1::2, 2::3] == 2.5).all()


@pytest.mark.parametrize('kind', [np.uint16, np.float32])
def test_the_nearest_depth_is_known_even_beyond_the_range(kind):
    depth = np.zeros((8, 8), kind)
    depth[4, :] = np.array([30, 0, 1, 0, 25, 2, 0, 3]) * (1000 if kind is np.uint16 else 1)
    depth[0, 4] = 65 if kind is np.uint16 else NAN
    found = registered_depth(depth, (8, 8), 10.0)
    assert found.nearest_m == pytest.approx(0.065 if kind is np.uint16 else 25)
    depth[::4, ::4] = 0
    assert registered_depth(depth, (8, 8), 10.0).nearest_m == INF


def test_the_raw_depth_is_the_cameras_own():
    depth = np.random.RandomState(0).randint(0, 3000, (6, 8)).astype(np.uint16)
    found = registered_depth(depth, (6, 8), 1.0)
    np.testing.assert_array_equal(found.raw, depth)
    assert found.encoding == '16UC1'
    assert registered_depth(depth / np.float32(1000), (6, 8), 1.0).encoding == '32FC1'


def test_big_endian_depth_is_read_by_value():
    depth = np.full((4, 4), 1234, '>u2')
    found = registered_depth(depth, (4, 4), 10.0)
    np.testing.assert_allclose(found.metres, 1.234, rtol=1e-6)
    assert found.raw.dtype.isnative


@pytest.mark.parametrize(('depth_hw', 'size_hw'), [
    ((6, 8), (12, 16)), ((12, 16), (6, 8)), ((6, 8), (9, 12)), ((90, 160), (120, 213)),
])
def test_another_size_is_resampled_by_the_depth_pixel_that_a_centre_falls_into(depth_hw, size_hw):
    depth = np.arange(100, 100 + depth_hw[0] * depth_hw[1], dtype=np.uint16).reshape(depth_hw)
    found = registered_depth(depth, size_hw, 100.0).raw
    assert found.shape == size_hw
    for row in range(size_hw[0]):
        for column in range(0, size_hw[1], 7):
            y = int((row + 0.5) * depth_hw[0] / size_hw[0])
            x = int((column + 0.5) * depth_hw[1] / size_hw[1])
            assert found[row, column] == depth[y, x]


@pytest.mark.parametrize(('depth', 'words'), [
    (np.ones((480, 640), np.uint16), 'depth of 640 x 480 for an image of 1280 x 720'),
    (np.zeros((720, 1280), np.uint16), 'without any depth'),
    (np.full((720, 1280), NAN, np.float32), 'without any depth'),
    (np.full((720, 1280), 1432.0, np.float32), 'median of 1432.*metres.*16UC1'),
    (np.full((720, 1280), 9, np.uint16), '9 at most.*millimetres.*32FC1'),
    (np.ones((720, 1280), np.uint8), 'type uint8.*16UC1 in millimetres or 32FC1 in metres'),
    (np.ones((720, 1280, 3), np.float32), 'shape'),
    (np.ones((720, 1280), np.float64), 'type float64'),
])
def test_depth_that_cannot_be_right_is_refused_with_its_reason(depth, words):
    with pytest.raises(ImageError, match=words):
        registered_depth(depth, (720, 1280), 10.0)


@pytest.mark.parametrize(('depth_hw', 'size_hw'), [
    ((118, 160), (120, 160)), ((120, 158), (120, 160)), ((236, 320), (480, 640)),
])
def test_depth_that_was_cropped_is_no_resize_however_little_was_cut_off(depth_hw, size_hw):
    with pytest.raises(ImageError, match='same aspect'):
        registered_depth(np.ones(depth_hw, np.float32), size_hw, 10.0)


def test_the_modes_of_a_wide_sensor_have_one_field_of_view_though_their_sides_are_rounded():
    depth = np.ones((480, 848), np.float32)
    assert registered_depth(depth, (360, 640), 10.0).raw.shape == (360, 640)

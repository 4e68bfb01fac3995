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

"""The organised cloud against a loop over pixels and the struct module."""

import struct

import numpy as np
import pytest
from ray_cast import Box, Scene
from seg_ros.core.frame import Frame
from seg_ros.core.segmentation import Segmentation
from seg_ros.depth.cloud import labelled_cloud, packed_rgb, POINT, points_of, xyz_of

SCENE = Scene([Box(1.2, 0.1, (0.3, 0.2, 0.4), 0.5)], size_hw=(24, 32), focal=30.0)


def frame(size_hw, color='rgb'):
    shape = size_hw if color == 'gray' else (*size_hw, 3)
    return Frame(np.random.RandomState(1).randint(0, 256, shape).astype(np.uint8), color)


@pytest.mark.parametrize('step', [1, 2, 3])
def test_points_lie_where_their_rays_say(step):
    metres = SCENE.metres.copy()
    metres[3, 3:9] = np.nan
    cloud = labelled_cloud(metres, SCENE.camera, frame((24, 32)), SCENE.segmentation(), step)
    expected = SCENE.lifted()
    expected[3, 3:9] = np.nan
    np.testing.assert_allclose(
        SCENE.world(xyz_of(cloud)), expected[::step, ::step], atol=1e-5, equal_nan=True
    )
    np.testing.assert_array_equal(cloud['label'], SCENE.classes[::step, ::step])
    np.testing.assert_array_equal(cloud['instance'], SCENE.ids[::step, ::step])


def test_a_point_has_the_bytes_that_consumers_unpack():
    image = frame((24, 32))
    cloud = labelled_cloud(SCENE.metres, SCENE.camera, image, SCENE.segmentation())
    assert POINT.itemsize == 24
    row, column = 20, 17
    _, _, z, bits, label, instance = struct.unpack_from(
        '<fffIII', cloud.tobytes(), (row * 32 + column) * 24
    )
    assert z == SCENE.metres[row, column]
    assert (bits >> 16, bits >> 8 & 255, bits & 255) == tuple(image.pixels[row, column].tolist())
    assert (label, instance) == (SCENE.classes[row, column], SCENE.ids[row, column])


@pytest.mark.parametrize('color', ['rgb', 'bgr', 'gray'])
def test_colours_are_those_of_the_image_whatever_its_order(color):
    image = frame((4, 5), color)
    bits = packed_rgb(image).view(np.uint32)
    for row in range(4):
        for column in range(5):
            pixel = np.broadcast_to(image.pixels[row, column], 3).tolist()
            red, green, blue = pixel[::-1] if color == 'bgr' else pixel
            assert bits[row, column] == red << 16 | green << 8 | blue


def test_maps_that_nobody_asked_for_are_unlabelled_and_none():
    bare = Segmentation((24, 32), 65535)
    cloud = labelled_cloud(SCENE.metres, SCENE.camera, frame((24, 32)), bare)
    assert (cloud['label'] == 65535).all()
    assert not cloud['instance'].any()


def test_ids_of_sixteen_bits_reach_the_cloud():
    ids = np.full((24, 32), 65535, np.uint16)
    maps = Segmentation((24, 32), 65535, np.full((24, 32), 300, np.uint16), None, ids)
    cloud = labelled_cloud(SCENE.metres, SCENE.camera, frame((24, 32)), maps)
    assert (cloud['label'] == 300).all()
    assert (cloud['instance'] == 65535).all()


@pytest.mark.parametrize('step', [1, 4])
def test_marked_pixels_are_lifted_row_by_row(step):
    marks = (SCENE.ids == 1)[::step, ::step]
    points = points_of(SCENE.metres, SCENE.camera, marks, step)
    expected = SCENE.lifted()[::step, ::step][marks]
    assert len(points)
    np.testing.assert_allclose(SCENE.world(points), expected, atol=1e-5)


@pytest.mark.parametrize('max_points', [1, 2, 7, 50])
def test_of_too_many_marked_pixels_some_are_lifted_evenly_spread(max_points):
    marks = SCENE.ids == 1
    every = points_of(SCENE.metres, SCENE.camera, marks)
    some = points_of(SCENE.metres, SCENE.camera, marks, max_points=max_points)
    at = [int(np.flatnonzero((every == point).all(axis=1))[0]) for point in some]
    assert len(at) == max_points < len(every)
    assert at[0] == 0
    if max_points > 1:
        assert at[-1] == len(every) - 1
        assert np.ptp(np.diff(at)) <= 1
    for most in (0, len(every), len(every) + 1):
        np.testing.assert_array_equal(
            points_of(SCENE.metres, SCENE.camera, marks, max_points=most), every
        )

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

"""A camera_info is used where it can be of the image, or it is said why not."""

import numpy as np
import pytest
from seg_ros.ros.camera_info import fitted_camera_info
from sensor_msgs.msg import CameraInfo, RegionOfInterest
from std_msgs.msg import Header


def info(width=64, height=48, frame_id='cam', **fields):
    return CameraInfo(
        header=Header(frame_id=frame_id), width=width, height=height,
        k=[50.0, 0.0, 31.0, 0.0, 40.0, 23.0, 0.0, 0.0, 1.0],
        p=[50.0, 0.0, 31.0, -5.0, 0.0, 40.0, 23.0, 0.0, 0.0, 0.0, 1.0, 0.0], **fields,
    )


@pytest.mark.parametrize(('own', 'images', 'given'), [
    ('cam', 'cam', 'cam'), ('', 'cam', 'cam'), ('/cam', 'cam', 'cam'), ('cam', '/cam', '/cam'),
    ('robot/cam', 'cam', 'cam'), ('cam', 'robot/cam', 'robot/cam'), ('cam', '', 'cam'),
    ('', '', ''),
])
def test_a_frame_that_differs_by_slashes_and_prefixes_is_that_of_the_image(own, images, given):
    fitted, problem = fitted_camera_info(info(frame_id=own), images, (48, 64))
    assert problem == ''
    assert fitted.header.frame_id == given
    np.testing.assert_array_equal(fitted.k, info().k)


@pytest.mark.parametrize(('own', 'images'), [('cam', 'rear'), ('mycam', 'cam'), ('cam/x', 'cam')])
def test_another_frame_is_refused_with_both_names(own, images):
    fitted, problem = fitted_camera_info(info(frame_id=own), images, (48, 64))
    assert fitted is None
    assert own in problem
    assert images in problem


def test_the_camera_info_of_a_larger_image_of_the_same_view_is_scaled():
    fitted, problem = fitted_camera_info(info(128, 96), 'cam', (48, 64))
    assert problem == ''
    assert (fitted.height, fitted.width) == (48, 64)
    np.testing.assert_array_equal(fitted.k, [25, 0, 15.5, 0, 20, 11.5, 0, 0, 1])
    np.testing.assert_array_equal(fitted.p, [25, 0, 15.5, -2.5, 0, 20, 11.5, 0, 0, 0, 1, 0])


def test_sides_that_were_rounded_are_of_the_same_view():
    fitted, problem = fitted_camera_info(info(1919, 1079), 'cam', (540, 960))
    assert problem == ''
    assert (fitted.height, fitted.width) == (540, 960)


def test_region_and_binning_go_into_the_scaled_matrices():
    source = info(
        256, 192, roi=RegionOfInterest(x_offset=64, y_offset=48, width=128, height=96),
        binning_x=2, binning_y=2,
    )
    fitted, problem = fitted_camera_info(source, 'cam', (24, 32))
    assert problem == ''
    np.testing.assert_array_equal(fitted.k[:6], [12.5, 0, -8.25, 0, 10, -6.25])
    assert (fitted.roi.width, fitted.binning_x) == (0, 0)


@pytest.mark.parametrize(('width', 'height', 'words'), [
    (0, 0, 'no size'), (64, 0, 'no size'), (64, 64, 'another part of the view'),
    (640, 640, '640 x 640'),
])
def test_a_size_that_cannot_be_of_the_image_is_refused_with_the_sizes(width, height, words):
    fitted, problem = fitted_camera_info(info(width, height), 'cam', (48, 64))
    assert fitted is None
    assert words in problem


def test_a_camera_that_is_not_calibrated_stays_so():
    source = CameraInfo(header=Header(frame_id='cam'), width=128, height=96)
    fitted, _ = fitted_camera_info(source, 'cam', (48, 64))
    assert not np.any(fitted.k)
    assert source.width == 128

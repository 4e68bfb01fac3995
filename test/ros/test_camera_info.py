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

"""A camera_info that fits the image is used; for any other the reason is reported."""

from builtin_interfaces.msg import Time
import cv2
import numpy as np
import pytest
from seg_ros.ros.camera_info import (
    distortion_px,
    fitted_camera_info,
    image_size_hw,
    intrinsics_from_info,
    scaled_camera_info,
)
from sensor_msgs.msg import CameraInfo, RegionOfInterest
from std_msgs.msg import Header

STAMP = Time(sec=1_700_000_000, nanosec=123_456_789)


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
    (0, 0, 'no size'), (64, 0, 'no size'), (64, 64, 'aspect ratios differ'),
    (640, 640, '640 x 640'),
])
def test_a_size_that_cannot_be_of_the_image_is_refused_with_the_sizes(width, height, words):
    fitted, problem = fitted_camera_info(info(width, height), 'cam', (48, 64))
    assert fitted is None
    assert words in problem


@pytest.mark.parametrize('name', ['k', 'p', 'r', 'd'])
@pytest.mark.parametrize('value', [np.nan, np.inf])
def test_a_camera_info_with_values_that_are_no_numbers_is_refused(name, value):
    source = info(d=[0.0] * 5)
    setattr(source, name, [value, *getattr(source, name)[1:]])
    fitted, problem = fitted_camera_info(source, 'cam', (48, 64))
    assert fitted is None
    assert 'no finite numbers' in problem


def test_a_camera_that_is_not_calibrated_stays_so():
    source = CameraInfo(header=Header(frame_id='cam'), width=128, height=96)
    fitted, _ = fitted_camera_info(source, 'cam', (48, 64))
    assert not np.any(fitted.k)
    assert source.width == 128


K = np.array([[500.0, 0, 321.5], [0, 510, 243.25], [0, 0, 1]])
P = np.array([[480.0, 0, 318, -24], [0, 490, 240, 12], [0, 0, 1, 0]])


def camera_info(**fields):
    return CameraInfo(
        header=Header(stamp=Time(sec=1), frame_id='optical'), height=480, width=641,
        distortion_model='plumb_bob', d=[0.1, -0.2, 0.003, 0.004, 0.05],
        k=K.ravel(), p=P.ravel(), r=cv2.Rodrigues(np.array([0.1, 0.2, 0.3]))[0].ravel(), **fields,
    )


def seen_at(matrix, point):
    """Project a point of the camera's frame to pixel coordinates."""
    x, y, z = np.asarray(matrix).reshape(3, -1) @ point
    return np.array([x / z, y / z])


def test_at_full_scale_a_camera_info_is_copied_with_the_stamp_of_the_mask():
    roi = RegionOfInterest(x_offset=8, y_offset=4, width=320, height=240)
    info = camera_info(binning_x=2, roi=roi)
    copied = scaled_camera_info(info, STAMP, 1)
    assert copied.header == Header(stamp=STAMP, frame_id='optical')
    assert info.header.stamp == Time(sec=1)
    copied.header.stamp = Time(sec=1)
    assert copied == info


@pytest.mark.parametrize(
    ('roi', 'bins', 'size_hw'),
    [
        ((0, 0, 0, 0), (0, 0), (480, 641)), ((0, 0, 0, 0), (1, 1), (480, 641)),
        ((0, 0, 0, 0), (2, 4), (120, 320)), ((30, 17, 320, 201), (0, 0), (201, 320)),
        ((30, 17, 320, 200), (2, 2), (100, 160)),
    ],
)
@pytest.mark.parametrize('step', [2, 4])
def test_a_point_seen_in_the_image_is_seen_in_the_same_pixel_of_the_mask(
    roi, bins, size_hw, step
):
    x_offset, y_offset, width, height = roi
    info = camera_info(
        roi=RegionOfInterest(x_offset=x_offset, y_offset=y_offset, width=width, height=height),
        binning_x=bins[0], binning_y=bins[1],
    )
    assert image_size_hw(info) == size_hw
    scaled = scaled_camera_info(info, STAMP, step)
    mask = np.zeros(size_hw)[::step, ::step]
    assert (scaled.height, scaled.width) == image_size_hw(scaled) == mask.shape
    assert scaled.roi == RegionOfInterest()
    for matrix, own, point in (
        (scaled.k, K, (0.3, -0.2, 2.0)), (scaled.p, P, (0.3, -0.2, 2.0, 1.0)),
    ):
        in_image = (seen_at(own, point) - (x_offset, y_offset)) / np.maximum(bins, 1)
        np.testing.assert_allclose(seen_at(matrix, point), in_image / step)
    np.testing.assert_array_equal(scaled.d, info.d)
    np.testing.assert_array_equal(scaled.r, info.r)
    assert info == camera_info(roi=info.roi, binning_x=bins[0], binning_y=bins[1])


@pytest.mark.parametrize('step', [1, 2, 4])
def test_a_rectified_image_has_a_camera_info_without_distortion(step):
    scaled = scaled_camera_info(camera_info(), STAMP, step, rectified=True)
    assert scaled.distortion_model == 'plumb_bob'
    np.testing.assert_array_equal(scaled.d, np.zeros(5))
    np.testing.assert_array_equal(np.reshape(scaled.r, (3, 3)), np.eye(3))
    expected = P / [[step], [step], [1]]
    np.testing.assert_allclose(np.reshape(scaled.p, (3, 4)), expected)
    np.testing.assert_allclose(np.reshape(scaled.k, (3, 3)), expected[:, :3])


@pytest.mark.parametrize(('p', 'focal'), [([0.0] * 12, (50, 40)), (None, (45, 38))])
def test_depth_is_lifted_by_p_and_by_k_where_there_is_no_p(p, focal):
    rectified = [45.0, 0.0, 30.0, 0.0, 0.0, 38.0, 22.0, 0.0, 0.0, 0.0, 1.0, 0.0]
    message = info()
    message.p = rectified if p is None else p
    found = intrinsics_from_info(message)
    assert (found.fx, found.fy, found.size_hw) == (*focal, (48, 64))
    assert (found.cx, found.cy) == ((30, 22) if p is None else (31, 23))


def test_a_rectified_image_without_p_keeps_its_k():
    info = camera_info()
    info.p = np.zeros(12)
    scaled = scaled_camera_info(info, STAMP, 2, rectified=True)
    np.testing.assert_allclose(np.reshape(scaled.k, (3, 3)), K * [[0.5], [0.5], [1]])


def test_a_camera_that_is_not_calibrated_stays_so_when_scaled():
    info = CameraInfo(height=480, width=640, roi=RegionOfInterest(x_offset=10, width=320))
    scaled = scaled_camera_info(info, STAMP, 2)
    assert not scaled.k.any()
    assert not scaled.p.any()
    assert (scaled.height, scaled.width) == (240, 160)


@pytest.mark.parametrize(('model', 'lens'), [
    ('plumb_bob', [-0.1, 0.01, 0.001, -0.002, 0.0]), ('equidistant', [0.02, -0.01, 0.0, 0.0]),
    ('rational_polynomial', [-0.1, 0.01, 0.0, 0.0, 0.0, 0.01, 0.0, 0.0]),
])
def test_how_far_a_lens_moves_pixels_is_what_projecting_them_says(model, lens):
    given = info(distortion_model=model, d=lens)
    matrix = np.array(given.k).reshape(3, 3)
    moved_px = distortion_px(given)
    # Rays of rectified pixels at and beyond the edge, projected through the lens.
    worst = 0.0
    for column in np.linspace(-60, 124, 185):
        for row in np.linspace(-48, 96, 145):
            if 0 < column < 64 and 0 < row < 48:
                continue
            ray = np.linalg.inv(matrix) @ (column, row, 1)
            project = cv2.fisheye.projectPoints if model == 'equidistant' else cv2.projectPoints
            zero = np.zeros((1, 1, 3))
            shown, _ = project(ray.reshape(1, 1, 3), zero, zero, matrix, np.array(lens))
            across, down = shown.ravel()
            if -0.5 <= across <= 64.5 and -0.5 <= down <= 48.5:
                worst = max(worst, np.hypot(across - column, down - row))
    assert moved_px == pytest.approx(worst, rel=0.15)


@pytest.mark.parametrize('fields', [
    {}, {'d': [0.0] * 5, 'distortion_model': 'plumb_bob'}, {'d': [0.3] * 4},
    {'d': [0.3] * 3, 'distortion_model': 'plumb_bob'},
    {'d': [0.3] * 3, 'distortion_model': 'equidistant'},
])
def test_where_nothing_is_known_of_a_lens_it_moves_nothing(fields):
    assert distortion_px(info(**fields)) == pytest.approx(0, abs=1e-6)


def test_an_uncalibrated_camera_has_no_distortion():
    given = info(d=[0.3] * 5, distortion_model='plumb_bob')
    given.k = [0.0] * 9
    assert distortion_px(given) == 0


def test_a_pinhole_other_than_the_images_own_moves_pixels_without_any_distortion():
    given = info(d=[0.0] * 5, distortion_model='plumb_bob')
    projection = np.array(given.p).reshape(3, 4)
    projection[:2, :2] *= 2     # twice the focal length about the same centre
    given.p = projection.ravel().tolist()
    centre = projection[:2, 2]
    farthest = max(
        np.hypot(*(np.array(corner) - centre)) for corner in [(0, 0), (64, 0), (0, 48), (64, 48)]
    )
    assert distortion_px(given) == pytest.approx(farthest)


def test_a_rotation_to_the_rectified_image_moves_pixels_without_any_distortion():
    turn = np.deg2rad(2)
    given = info(r=[np.cos(turn), 0.0, np.sin(turn), 0.0, 1.0, 0.0, -np.sin(turn), 0.0,
                    np.cos(turn)])
    assert distortion_px(given) > np.tan(turn) * given.k[0]

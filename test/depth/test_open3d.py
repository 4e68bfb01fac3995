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

"""Clouds and planes against those of Open3D, where it is installed."""

import numpy as np
import pytest
from ray_cast import Box, Scene
from seg_ros.core.frame import Frame
from seg_ros.depth.cloud import labelled_cloud, xyz_of
from seg_ros.depth.planes import fit_plane

open3d = pytest.importorskip('open3d', reason='Open3D is not installed')

SCENE = Scene([Box(0.8, 0.1, (0.1, 0.2, 0.15), 0.4)], eye=(0, 0, 0.7), size_hw=(120, 160), far=4.0)


def open3d_cloud(metres, camera):
    height, width = camera.size_hw
    intrinsic = open3d.camera.PinholeCameraIntrinsic(
        width, height, camera.fx, camera.fy, camera.cx, camera.cy
    )
    image = open3d.geometry.Image(np.nan_to_num(metres))
    return open3d.geometry.PointCloud.create_from_depth_image(image, intrinsic, depth_scale=1.0)


def test_our_points_are_open3ds():
    theirs = np.asarray(open3d_cloud(SCENE.metres, SCENE.camera).points)
    frame = Frame(np.zeros((120, 160, 3), np.uint8))
    cloud = labelled_cloud(SCENE.metres, SCENE.camera, frame, SCENE.segmentation())
    ours = xyz_of(cloud)[np.isfinite(SCENE.metres)]
    np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_our_plane_is_open3ds():
    points = open3d_cloud(SCENE.metres, SCENE.camera)
    *normal, offset = points.segment_plane(0.005, 3, 500)[0]
    plane = fit_plane(np.asarray(points.points, np.float32), 0.005)
    assert abs(plane.normal @ normal) == pytest.approx(1, abs=1e-4)
    assert plane.offset_m == pytest.approx(abs(offset), abs=0.003)

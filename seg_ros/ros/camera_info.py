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

"""Adapt camera_info to images and masks, and read intrinsics from it."""

from collections.abc import Callable
from copy import copy
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from seg_ros.core.shown import shown
from seg_ros.depth.intrinsics import Intrinsics, intrinsics_from_matrix
from sensor_msgs.msg import CameraInfo, RegionOfInterest
from std_msgs.msg import Header

IDENTITY = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)


def image_size_hw(info: CameraInfo) -> tuple[int, int]:
    """Return the image size of a CameraInfo, after region of interest and binning."""
    height = info.roi.height or info.height
    width = info.roi.width or info.width
    return height // max(1, info.binning_y), width // max(1, info.binning_x)


def fitted_camera_info(
    info: CameraInfo, frame_id: str, size_hw: tuple[int, int]
) -> tuple[CameraInfo | None, str]:
    """
    Adapt a camera_info to an image, if possible.

    If the sizes differ but the aspect ratio is the same, focal lengths and principal point are
    scaled, as image_proc does when it resizes an image. Frame ids may differ by slashes and a
    prefix, and either may be empty; the image's own, if there is one, is returned.

    :param frame_id: frame id of the image.
    :param size_hw: size of the image.
    :returns: the camera_info, or None and the reason.
    """
    own = info.header.frame_id
    if not same_frame(own, frame_id):
        return None, f'camera_info has the frame_id {shown(own)}, the image {shown(frame_id)}'
    height, width = image_size_hw(info)
    if not (height and width):
        return None, f'camera_info has no size ({info.width} x {info.height})'
    if not np.isfinite((*info.k, *info.p, *info.r, *info.d)).all():
        return None, 'camera_info has values of K, P, R or D that are no finite numbers'
    fitted = copy(info)
    fitted.header = Header(stamp=info.header.stamp, frame_id=frame_id or own)
    if (height, width) == size_hw:
        return fitted, ''
    scale_y, scale_x = size_hw[0] / height, size_hw[1] / width
    # Sides are whole pixels, so a side of a resized image may be off by one.
    if abs(size_hw[1] - width * scale_y) > 1 and abs(size_hw[0] - height * scale_x) > 1:
        return None, (
            f'camera_info is for {width} x {height} pixels, the image has {size_hw[1]} x '
            f'{size_hw[0]}: their aspect ratios differ'
        )
    _resize(fitted, scale_y, scale_x, size_hw)
    return fitted, ''


def same_frame(first: str, second: str) -> bool:
    """Return whether frame ids are equal up to slashes and prefixes; an empty one matches any."""
    long, short = sorted((first.strip('/'), second.strip('/')), key=len, reverse=True)
    return not short or long == short or long.endswith(f'/{short}')


def scaled_camera_info(
    info: CameraInfo, stamp: Any, step: int, rectified: bool = False
) -> CameraInfo:
    """
    Copy a CameraInfo for masks that keep every `step`-th pixel of the image.

    With n = `step`, pixel i of a mask is pixel n i of the image, and in ROS the centre of pixel i
    has the coordinate i. Focal lengths and principal point are therefore divided by n, without a
    half-pixel shift, and a side of a mask has ceil(size / n) pixels. For n > 1, region of interest
    and binning are applied to K and P and then reset, since consumers read only K and P.

    :param stamp: stamp of the mask.
    :param rectified: whether the image is rectified: D is then 0, R the identity, and K the left
        3x3 part of P unless that is 0.
    """
    copied = copy(info)
    copied.header = Header(stamp=stamp, frame_id=info.header.frame_id)
    if step != 1:
        height, width = image_size_hw(info)
        _resize(copied, 1 / step, 1 / step, (-(-height // step), -(-width // step)))
    if rectified:
        copied.d = [0.0] * len(info.d)
        copied.r = IDENTITY
        left = np.asarray(copied.p, float).reshape(3, 4)[:, :3]
        copied.k = left.ravel() if left.any() else copied.k
    return copied


def intrinsics_from_info(info: CameraInfo) -> Intrinsics:
    """
    Return the intrinsics of the rectified image: from P, or from K if P is 0.

    :raises ImageError: if the camera is not calibrated.
    """
    matrix = _image_matrix(info, 'p')
    if not matrix.any():
        matrix = _image_matrix(info, 'k')
    return intrinsics_from_matrix(matrix[:, :3].ravel().tolist(), image_size_hw(info))


def distortion_px(info: CameraInfo) -> float:
    """
    Return the largest displacement, in pixels, of the image's edge from its rectified position.

    Rectification applies R and P, so there may be a displacement without distortion too.

    :returns: 0 also if K or D is unusable, or for distortion models other than plumb_bob,
        rational_polynomial and equidistant; infinity if the model has no inverse at the edge.
    """
    distortion, matrix = np.array(info.d, float), _image_matrix(info, 'k')
    if not matrix[0, 0] > 0 < matrix[1, 1]:
        return 0.0
    height, width = image_size_hw(info)
    edge = np.array([
        (column, row) for column in (0, width / 2, width) for row in (0, height / 2, height)
    ])
    rotation = np.array(info.r, float).reshape(3, 3)
    rotation = rotation if rotation.any() else np.eye(3)
    projection = _image_matrix(info, 'p')[:, :3]
    projection = projection if projection.any() else matrix
    undistort: Callable[..., Any] = cv2.undistortPoints
    if not distortion.any():    # whatever the model, and however many
        distortion = np.zeros(4)
    elif info.distortion_model == 'equidistant':
        undistort, distortion = cv2.fisheye.undistortPoints, distortion[:4]
    elif info.distortion_model not in ('plumb_bob', 'rational_polynomial'):
        return 0.0
    try:
        rectified = undistort(edge[:, None], matrix, distortion, R=rotation, P=projection)
    except cv2.error:       # wrong number of coefficients for the model
        return 0.0
    displacement = np.linalg.norm(rectified[:, 0] - edge, axis=1)
    return float(np.nan_to_num(displacement, nan=np.inf).max())


def _resize(info: CameraInfo, scale_y: float, scale_x: float, size_hw: tuple[int, int]) -> None:
    """Scale K and P for a resized image; region of interest and binning are reset."""
    for name in ('k', 'p'):
        setattr(info, name, (_image_matrix(info, name) * [[scale_x], [scale_y], [1]]).ravel())
    info.height, info.width = size_hw
    info.roi = RegionOfInterest()
    info.binning_x = info.binning_y = 0


def _image_matrix(info: CameraInfo, name: str) -> NDArray[np.float64]:
    """
    Return K (3, 3) or P (3, 4) of the image, after region of interest and binning.

    They are applied in image_geometry's order. A matrix of an uncalibrated camera stays all 0.
    """
    matrix = np.array(getattr(info, name), float).reshape(3, -1)
    if matrix.any():
        matrix[:2, 2] -= (info.roi.x_offset, info.roi.y_offset)
    matrix[:2] /= [[max(1, info.binning_x)], [max(1, info.binning_y)]]
    return matrix

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

"""Camera_info of images and of masks, and their intrinsics."""

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
    """Return the size of the images of a CameraInfo, after region of interest and binning."""
    height = info.roi.height or info.height
    width = info.roi.width or info.width
    return height // max(1, info.binning_y), width // max(1, info.binning_x)


def fitted_camera_info(
    info: CameraInfo, frame_id: str, size_hw: tuple[int, int]
) -> tuple[CameraInfo | None, str]:
    """
    Return a camera_info adapted to an image, where it can be.

    One of another size with the same aspect is scaled, as image_proc scales that of an image it
    resizes: focal lengths and principal point alike. Frame ids may differ by slashes and a prefix,
    or be empty on either side; the image's own counts.

    :param frame_id: of the image.
    :param size_hw: of the image.
    :returns: the camera_info, or None and why.
    """
    own = info.header.frame_id
    if not same_frame(own, frame_id):
        return None, f'camera_info is of frame {shown(own)}, the image of {shown(frame_id)}'
    height, width = image_size_hw(info)
    if not (height and width):
        return None, f'camera_info has no size ({info.width} x {info.height})'
    fitted = copy(info)
    fitted.header = Header(stamp=info.header.stamp, frame_id=frame_id or own)
    if (height, width) == size_hw:
        return fitted, ''
    down, across = size_hw[0] / height, size_hw[1] / width
    # Sides are whole pixels, so that a resized image may be off by one.
    if abs(size_hw[1] - width * down) > 1 and abs(size_hw[0] - height * across) > 1:
        return None, (
            f'camera_info is of {width} x {height} pixels, the image of {size_hw[1]} x '
            f'{size_hw[0]}: another part of the view'
        )
    _resize(fitted, down, across, size_hw)
    return fitted, ''


def same_frame(first: str, second: str) -> bool:
    """Return whether frame ids are equal up to slashes and prefixes; an empty one equals any."""
    long, short = sorted((first.strip('/'), second.strip('/')), key=len, reverse=True)
    return not short or long == short or long.endswith(f'/{short}')


def scaled_camera_info(
    info: CameraInfo, stamp: Any, step: int, rectified: bool = False
) -> CameraInfo:
    """
    Copy a CameraInfo for masks made of every `step`-th pixel of the image.

    Pixel i of such a mask lies on pixel n i of the image, whose centre has the coordinate n i
    in ROS: focal lengths and principal point alike are divided by n, without a shift by half
    a pixel, and a mask has ceil(size / n) pixels a side. A region of interest and binning are
    folded in, since consumers read K and P alone: the scaled copy has neither. At a step of 1 they
    stay as they are.

    :param stamp: of the mask.
    :param rectified: the image has no distortion left: D is 0, R the identity, and K the left
        part of P where P is given.
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
    Return the intrinsics of the rectified image: of P, or of K where P is 0.

    :raises ImageError: if the camera is not calibrated.
    """
    matrix = _of_image(info, 'p')
    if not matrix.any():
        matrix = _of_image(info, 'k')
    return intrinsics_from_matrix(matrix[:, :3].ravel().tolist(), image_size_hw(info))


def distortion_px(info: CameraInfo) -> float:
    """
    Return how far, at the most, a pixel on the image's edge is from where a pinhole would see it.

    The pinhole is that of P after the rotation R: they may differ from K without distortion, too.

    :returns: 0 without any difference, and with distortion of a model other than plumb_bob,
        rational_polynomial and equidistant; infinity where the model has no inverse there.
    """
    lens, matrix = np.array(info.d, float), _of_image(info, 'k')
    if not (np.isfinite(lens).all() and matrix[0, 0] > 0 < matrix[1, 1]):
        return 0.0
    height, width = image_size_hw(info)
    edge = np.array([
        (column, row) for column in (0, width / 2, width) for row in (0, height / 2, height)
    ])
    turned = np.array(info.r, float).reshape(3, 3)
    turned = turned if turned.any() else np.eye(3)
    pinhole = _of_image(info, 'p')[:, :3]
    pinhole = pinhole if pinhole.any() else matrix
    try:
        if not lens.any():      # no distortion, whatever the model
            seen = cv2.undistortPoints(edge[:, None], matrix, None, R=turned, P=pinhole)
        elif info.distortion_model == 'equidistant':
            seen = cv2.fisheye.undistortPoints(
                edge[:, None], matrix, lens[:4], R=turned, P=pinhole
            )
        elif info.distortion_model in ('plumb_bob', 'rational_polynomial'):
            seen = cv2.undistortPoints(edge[:, None], matrix, lens, R=turned, P=pinhole)
        else:
            return 0.0
    except cv2.error:       # a number of coefficients that the model does not have
        return 0.0
    moved = np.linalg.norm(seen[:, 0] - edge, axis=1)
    return float(np.nan_to_num(moved, nan=np.inf).max())


def _resize(info: CameraInfo, down: float, across: float, size_hw: tuple[int, int]) -> None:
    """Scale K and P to a resized image; region of interest and binning are reset."""
    for name in ('k', 'p'):
        setattr(info, name, (_of_image(info, name) * [[across], [down], [1]]).ravel())
    info.height, info.width = size_hw
    info.roi = RegionOfInterest()
    info.binning_x = info.binning_y = 0


def _of_image(info: CameraInfo, name: str) -> NDArray[np.float64]:
    """
    Return K (3, 3) or P (3, 4) of the image, after region of interest and binning.

    The order is image_geometry's. A matrix that is all 0 stays so: the camera is not calibrated.
    """
    matrix = np.array(getattr(info, name), float).reshape(3, -1)
    if matrix.any():
        matrix[:2, 2] -= (info.roi.x_offset, info.roi.y_offset)
    matrix[:2] /= [[max(1, info.binning_x)], [max(1, info.binning_y)]]
    return matrix

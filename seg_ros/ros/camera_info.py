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

"""Which camera_info belongs to an image, and why one does not."""

from copy import copy

import numpy as np
from seg_ros.ros.conversions import image_size_hw
from sensor_msgs.msg import CameraInfo, RegionOfInterest
from std_msgs.msg import Header


def fitted_camera_info(
    info: CameraInfo, frame_id: str, size_hw: tuple[int, int]
) -> tuple[CameraInfo | None, str]:
    """
    Let a camera_info describe an image, where it can.

    One of another size with the same aspect is scaled, as image_proc scales that of an image it
    resizes: focal lengths and principal point alike. Frame ids may differ by slashes and a prefix,
    or be empty on either side; the image's own counts.

    :param frame_id: of the image.
    :param size_hw: of the image.
    :returns: the camera_info, or None and why.
    """
    own = info.header.frame_id
    if not _same_frame(own, frame_id):
        return None, f'camera_info is of frame {own!r}, the image of {frame_id!r}'
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


def _same_frame(first: str, second: str) -> bool:
    """Return whether two names are of one frame, but for slashes and prefixes; empty fits any."""
    long, short = sorted((first.strip('/'), second.strip('/')), key=len, reverse=True)
    return not short or long == short or long.endswith(f'/{short}')


def _resize(
    info: CameraInfo, down: float, across: float, size_hw: tuple[int, int]
) -> None:
    """Describe a resized image: region and binning go into the matrices, then the scale."""
    for name, columns in (('k', 3), ('p', 4)):
        matrix = np.array(getattr(info, name), float).reshape(3, columns)
        if matrix.any():    # all 0 says that the camera is not calibrated
            matrix[:2, 2] -= (info.roi.x_offset, info.roi.y_offset)
        matrix[:2] *= [
            [across / max(1, info.binning_x)], [down / max(1, info.binning_y)]
        ]
        setattr(info, name, matrix.ravel())
    info.height, info.width = size_hw
    info.roi = RegionOfInterest()
    info.binning_x = info.binning_y = 0

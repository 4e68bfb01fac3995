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

"""Cameras of this machine and video files, opened by OpenCV."""

import cv2
from seg_ros.core.errors import SettingError


def open_capture(source: str) -> cv2.VideoCapture:
    """
    Open a camera by its number, or a video file.

    :raises SettingError: if OpenCV cannot.
    """
    capture = cv2.VideoCapture(int(source) if source.isdigit() else source)
    if not capture.isOpened():
        raise SettingError(
            f'camera {source} cannot be opened', 'a number of a camera (0 is the first) or a '
            'video file', 'see v4l2-ctl --list-devices'
        )
    if source.isdigit():
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)     # an old frame is of no use to a robot
    return capture

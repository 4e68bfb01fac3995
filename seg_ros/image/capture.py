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

"""Local cameras and video files, opened by OpenCV."""

import cv2
from seg_ros.core.errors import SettingError
from seg_ros.core.shown import shown


def open_capture(source: str) -> cv2.VideoCapture:
    """
    Open a camera by its number, or a video file that can be rewound.

    :raises SettingError: if OpenCV cannot open it, or the file is a single image.
    """
    is_number = source.isdecimal()
    try:
        source.encode()
    except UnicodeEncodeError as error:     # OpenCV would crash
        raise SettingError(
            f'camera {shown(source)}, whose name is not UTF-8', do='rename it'
        ) from error
    capture = cv2.VideoCapture(int(source) if is_number else source)
    if not capture.isOpened():
        raise SettingError(
            f'camera {source} cannot be opened', 'a number of a camera (0 is the first) or a '
            'video file', 'see v4l2-ctl --list-devices'
        )
    if is_number:
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)     # old frames are useless to a robot
    elif not all(_begins(capture) for _ in range(2)):
        raise SettingError(
            f'camera {source} holds a single image', 'a video of two frames at least',
            'seg_ros run makes the masks of an image',
        )
    return capture


def _begins(capture: cv2.VideoCapture) -> bool:
    """Read a frame and rewind the file; return whether there was one."""
    read = capture.read()[0]
    capture.set(cv2.CAP_PROP_POS_FRAMES, 0)
    return read

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

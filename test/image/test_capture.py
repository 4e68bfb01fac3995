"""Cameras and video files by OpenCV."""

import cv2
import numpy as np
import pytest
from seg_ros.core.errors import SettingError
from seg_ros.image.capture import open_capture


def test_a_video_file_is_opened_as_a_camera(tmp_path):
    path = str(tmp_path / 'a.avi')
    writer = cv2.VideoWriter(path, cv2.VideoWriter_fourcc(*'MJPG'), 10, (64, 48))
    if not writer.isOpened():
        pytest.skip('this OpenCV writes no MJPG')
    writer.write(np.full((48, 64, 3), 90, np.uint8))
    writer.release()
    read, bgr = open_capture(path).read()
    assert read
    assert bgr.shape == (48, 64, 3)


@pytest.mark.parametrize('source', ['/nowhere.avi', '97'])
def test_what_cannot_be_opened_is_named(source):
    with pytest.raises(SettingError, match=f'camera {source} cannot be opened'):
        open_capture(source)

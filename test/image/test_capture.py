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

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

import os
import subprocess
import sys

import cv2
import numpy as np
import pytest
from seg_ros.core.errors import SettingError
from seg_ros.image.capture import open_capture


def video(path, levels):
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'MJPG'), 10, (64, 48))
    if not writer.isOpened():
        pytest.skip('this OpenCV writes no MJPG')
    for level in levels:
        writer.write(np.full((48, 64, 3), level, np.uint8))
    writer.release()
    return str(path)


def test_a_video_file_is_opened_as_a_camera_from_its_first_frame_on(tmp_path):
    capture = open_capture(video(tmp_path / 'a.avi', (90, 200)))
    for level in (90, 200):
        read, bgr = capture.read()
        assert read
        assert bgr.shape == (48, 64, 3)
        assert abs(int(bgr[20, 20, 0]) - level) < 5
    assert not capture.read()[0]


def test_a_single_image_is_no_camera(tmp_path):
    image = str(tmp_path / 'a.png')
    cv2.imwrite(image, np.zeros((48, 64, 3), np.uint8))
    for path in (image, video(tmp_path / 'a.avi', (90,))):
        with pytest.raises(SettingError, match=r'a\.\w+ holds a single image; expected a video'):
            open_capture(path)


def test_a_name_that_is_not_utf_8_is_refused_and_ends_no_process(tmp_path):
    path = os.fsdecode(os.fsencode(tmp_path) + b'/\xff.avi')
    os.replace(video(tmp_path / 'a.avi', (90, 200)), path)
    code = (
        'import sys; from seg_ros.image.capture import open_capture; open_capture(sys.argv[1])'
    )
    ended = subprocess.run(
        [sys.executable, '-c', code, path], capture_output=True, text=True, check=False
    )
    assert 'whose name is not UTF-8; rename it' in ended.stderr


@pytest.mark.parametrize('source', ['/nowhere.avi', '97', '²'])
def test_what_cannot_be_opened_is_named(source):
    with pytest.raises(SettingError, match=f'camera {source} cannot be opened'):
        open_capture(source)

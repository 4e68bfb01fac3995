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

"""The demo: three processes over DDS."""

import json
import os
import subprocess
import sys

import cv2
import numpy as np
import pytest
from seg_ros.cli import main


def test_the_demo_shows_masks_counts_them_and_ends_cleanly(tmp_path):
    pytest.importorskip('rclpy', reason='ROS 2 is not installed')
    ended = subprocess.run(
        [
            sys.executable, '-m', 'seg_ros.cli', 'demo', '--frames', '25', '--json',
            '--out', str(tmp_path),
        ],
        capture_output=True, text=True, check=False,
    )
    assert ended.returncode == 0, ended.stderr
    figures = json.loads(ended.stdout)
    assert figures['frames'] >= 25
    assert figures['stamps_forward']
    assert figures['node']['model'] == 'default'
    assert figures['scores']['images'] > 0
    assert figures['scores']['miou'] > 0.5, 'one class everywhere has a fifth at most, of five'
    assert figures['scores']['pq'] > 0.3
    assert figures['photographs']['person_there'] > 5
    assert 0 < figures['age_at_arrival_ms']['median'] < 10_000
    for name in ('overlay', 'classes', 'instances'):
        image = cv2.imread(str(tmp_path / f'{name}.png'))
        assert image.shape == (480, 640, 3)
    assert len({tuple(pixel) for pixel in image.reshape(-1, 3)[::97]}) >= 4


def test_a_video_goes_through_the_node_as_a_camera_does(tmp_path):
    pytest.importorskip('rclpy', reason='ROS 2 is not installed')
    video = str(tmp_path / 'a.avi')
    writer = cv2.VideoWriter(video, cv2.VideoWriter_fourcc(*'MJPG'), 10, (320, 240))
    if not writer.isOpened():
        pytest.skip('this OpenCV writes no MJPG')
    for shift in range(12):
        frame = np.full((240, 320, 3), 80, np.uint8)
        cv2.rectangle(frame, (20 + 9 * shift, 60), (90 + 9 * shift, 160), (40, 200, 230), -1)
        writer.write(frame)
    writer.release()
    ended = subprocess.run(
        [
            sys.executable, '-m', 'seg_ros.cli', 'demo', '--frames', '10', '--json',
            '--rate', '10', '--camera', video, '--out', str(tmp_path),
        ],
        capture_output=True, text=True, check=False,
    )
    assert ended.returncode == 0, ended.stderr
    figures = json.loads(ended.stdout)
    assert figures['frames'] >= 10
    assert 'scores' not in figures
    assert cv2.imread(str(tmp_path / 'overlay.png')).shape == (240, 320, 3)


def test_a_camera_that_is_not_there_is_named_before_anything_starts(tmp_path):
    pytest.importorskip('rclpy', reason='ROS 2 is not installed')
    ended = subprocess.run(
        [sys.executable, '-m', 'seg_ros.cli', 'demo', '--camera', '97', '--out', str(tmp_path)],
        capture_output=True, text=True, check=False,
    )
    assert ended.returncode == 1
    assert 'camera 97 cannot be opened' in ended.stderr


@pytest.mark.parametrize(('name', 'words'), [
    ('missing.onnx', 'no model file at '),
    ('raw.onnx', 'raw.onnx is truncated or not an ONNX file'),
])
def test_a_model_that_cannot_serve_is_named_before_anything_starts(name, words, tmp_path):
    pytest.importorskip('rclpy', reason='ROS 2 is not installed')
    (tmp_path / 'raw.onnx').write_bytes(b'no model')
    ended = subprocess.run(
        [sys.executable, '-m', 'seg_ros.cli', 'demo', '--model', name], cwd=tmp_path,
        env={**os.environ, 'PYTHONPATH': os.pathsep.join(sys.path)},
        capture_output=True, text=True, check=False, timeout=20,
    )
    assert ended.returncode == 1
    assert ended.stderr.startswith(f'seg_ros demo: {words}')


def test_masks_that_cannot_be_saved_are_not_called_missing(tmp_path):
    pytest.importorskip('rclpy', reason='ROS 2 is not installed')
    (tmp_path / 'overlay.png').mkdir()
    ended = subprocess.run(
        [
            sys.executable, '-m', 'seg_ros.cli', 'demo', '--frames', '2', '--model', 'otsu',
            '--out', str(tmp_path),
        ],
        capture_output=True, text=True, check=False,
    )
    assert ended.returncode == 1
    assert 'overlay.png is a folder' in ended.stderr
    assert ended.stdout == 'no figures: see the messages above\n'


def test_a_folder_for_images_that_is_a_file_is_named_before_anything_starts(tmp_path):
    pytest.importorskip('rclpy', reason='ROS 2 is not installed')
    (tmp_path / 'out').write_text('mine')
    ended = subprocess.run(
        [sys.executable, '-m', 'seg_ros.cli', 'demo', '--out', str(tmp_path / 'out')],
        capture_output=True, text=True, check=False, timeout=20,
    )
    assert ended.returncode == 1
    assert ended.stderr == f'seg_ros demo: {tmp_path / "out"}: File exists\n'


@pytest.mark.parametrize('words', [
    ('demo', '--sim', '--camera', '0'), ('view', 'a.png', '--web', '--save', 'masks.rrd'),
])
def test_options_of_which_one_would_have_no_effect_are_refused(words, capsys):
    with pytest.raises(SystemExit):
        main(words)
    assert 'not allowed with' in capsys.readouterr().err

"""The demo: three processes over DDS."""

import json
import subprocess
import sys

import cv2
import pytest


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
    assert 0 < figures['age_at_arrival_ms']['median'] < 10_000
    for name in ('overlay', 'classes', 'instances'):
        image = cv2.imread(str(tmp_path / f'{name}.png'))
        assert image.shape == (480, 640, 3)
    assert len({tuple(pixel) for pixel in image.reshape(-1, 3)[::97]}) >= 4

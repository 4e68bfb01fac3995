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

"""Runs RTAB-Map's tool for recorded sequences, rtabmap-rgbd_dataset, if it is on the PATH."""

from collections.abc import Sequence
from pathlib import Path
import shutil
import subprocess
from tempfile import TemporaryDirectory
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from seg_ros.core.errors import SettingError
from seg_ros.core.frame import Pixels
from seg_ros.depth.intrinsics import Intrinsics

TOOL = 'rtabmap-rgbd_dataset'
# The tool chooses the camera by the name of the sequence's folder.
_SEQUENCE = 'freiburg3'
_CAMERA = Intrinsics(535.4, 539.2, 320.1, 247.6, (480, 640))
_DEPTH_FACTOR = 5   # from millimetres to the TUM benchmark's 5000 per metre
_OPTIONS = (
    '--Rtabmap/DetectionRate', '0',     # every image is added to the map
    '--RGBD/LinearUpdate', '0', '--RGBD/AngularUpdate', '0', '--quiet',
)


def installed() -> bool:
    """Return whether the tool can be run."""
    return shutil.which(TOOL) is not None


def track(
    images: Sequence[Pixels], depths: Sequence[NDArray[np.uint16]], stamps_s: Sequence[float],
    camera: Intrinsics,
) -> dict[int, NDArray[np.float64]]:
    """
    Track a sequence with loop closure.

    Images and depth are resampled to the intrinsics of the tool's camera.

    :param depths: uint16 (H, W) millimetres, 0 = none.
    :returns: positions (3,) by image number, for images in which tracking was not lost.
    :raises SettingError: if the tool fails.
    """
    with TemporaryDirectory() as folder:
        sequence = Path(folder) / _SEQUENCE
        _write(sequence / 'rgb_sync', images, stamps_s, camera)
        _write(sequence / 'depth_sync', depths, stamps_s, camera)
        done = subprocess.run(
            [TOOL, *_OPTIONS, str(sequence)], capture_output=True, text=True, check=False
        )
        poses = sequence / 'rtabmap_poses.txt'
        if done.returncode or not poses.exists():
            raise SettingError(f'{TOOL} failed: {(done.stdout + done.stderr)[-500:]}')
        rows = np.loadtxt(poses, ndmin=2)
    nearest = np.abs(rows[:, :1] - np.asarray(stamps_s)).argmin(axis=1)
    return dict(zip(nearest.tolist(), rows[:, 1:4], strict=True))


def _write(
    folder: Path, arrays: Sequence[NDArray[Any]], stamps_s: Sequence[float], camera: Intrinsics
) -> None:
    folder.mkdir(parents=True)
    for array, stamp_s in zip(arrays, stamps_s, strict=True):
        cv2.imwrite(str(folder / f'{stamp_s:.6f}.png'), _resampled(array, camera))


def _resampled(array: NDArray[Any], camera: Intrinsics) -> NDArray[Any]:
    """Resample an image or a depth image to the tool's camera; convert RGB to BGR for files."""
    back = np.array([
        [camera.fx / _CAMERA.fx, 0, camera.cx - camera.fx / _CAMERA.fx * _CAMERA.cx],
        [0, camera.fy / _CAMERA.fy, camera.cy - camera.fy / _CAMERA.fy * _CAMERA.cy],
    ])
    size_wh = _CAMERA.size_hw[::-1]
    if array.ndim == 3:
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        return cv2.warpAffine(cv2.cvtColor(array, cv2.COLOR_RGB2BGR), back, size_wh, flags=flags)
    scaled = np.asarray(np.clip(array.astype(np.uint32) * _DEPTH_FACTOR, 0, 65535), np.uint16)
    return cv2.warpAffine(
        scaled, back, size_wh, flags=cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
    )

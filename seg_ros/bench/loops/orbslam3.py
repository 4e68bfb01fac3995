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

"""Runs ORB-SLAM3 (PyPI pyorbslam3, GPL: a test tool, never installed with seg_ros) on RGB-D."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from seg_ros.core.frame import Pixels
from seg_ros.depth.intrinsics import Intrinsics

_BRANCHES, _LEVELS = 8, 3   # of the vocabulary tree
_CAMERA = """%YAML:1.0
File.version: "1.0"
Camera.type: "PinHole"
Camera1.fx: {fx}
Camera1.fy: {fy}
Camera1.cx: {cx}
Camera1.cy: {cy}
Camera1.k1: 0.0
Camera1.k2: 0.0
Camera1.p1: 0.0
Camera1.p2: 0.0
Camera.width: {width}
Camera.height: {height}
Camera.fps: 30
Camera.RGB: 1
Stereo.ThDepth: 40.0
Stereo.b: 0.07
RGBD.DepthMapFactor: 1.0
ORBextractor.nFeatures: 1000
ORBextractor.scaleFactor: 1.2
ORBextractor.nLevels: 6
ORBextractor.iniThFAST: 20
ORBextractor.minThFAST: 7
Viewer.KeyFrameSize: 0.05
Viewer.KeyFrameLineWidth: 1.0
Viewer.GraphLineWidth: 0.9
Viewer.PointSize: 2.0
Viewer.CameraSize: 0.08
Viewer.CameraLineWidth: 3.0
Viewer.ViewpointX: 0.0
Viewer.ViewpointY: -0.7
Viewer.ViewpointZ: -1.8
Viewer.ViewpointF: 500.0
"""


def track(
    images: Sequence[Pixels], depths: Sequence[NDArray[np.float32]], stamps_s: Sequence[float],
    camera: Intrinsics,
) -> dict[int, NDArray[np.float64]]:
    """
    Track a sequence; the first image is the origin.

    :param depths: float32 (H, W) metres, 0 = none.
    :returns: positions (3,) by image number, for images in which tracking was not lost.
    """
    import pyorbslam3

    with TemporaryDirectory() as folder:
        vocabulary, settings = Path(folder) / 'vocabulary.txt', Path(folder) / 'camera.yaml'
        vocabulary.write_text('\n'.join(_vocabulary(images[::10])) + '\n')
        height, width = camera.size_hw
        settings.write_text(_CAMERA.format(
            fx=camera.fx, fy=camera.fy, cx=camera.cx, cy=camera.cy, width=width, height=height,
        ))
        slam = pyorbslam3.Slam(str(vocabulary), str(settings), pyorbslam3.Sensor.RGBD)
        found = {}
        for number, (image, depth) in enumerate(zip(images, depths, strict=True)):
            result: Any = slam.track_rgbd(
                np.ascontiguousarray(image), np.ascontiguousarray(depth), stamps_s[number]
            )
            if result.pose_valid and result.ok:
                found[number] = np.asarray(result.pose_wc, float)[:3, 3].copy()
        slam.shutdown()
    return found


def _vocabulary(images: Sequence[Pixels]) -> list[str]:
    """
    Build a small vocabulary from the images' own descriptors, in DBoW2's text format.

    Published vocabularies take minutes to load; for tracking any vocabulary will do.
    """
    orb = cv2.ORB.create(1500)
    grey = [cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) for image in images]
    each = [orb.detectAndCompute(image, None)[1] for image in grey]
    descriptors = np.concatenate([found for found in each if found is not None])
    random = np.random.default_rng(3)
    lines = [f'{_BRANCHES} {_LEVELS} 0 0']

    def grow(parent: int, members: NDArray[np.uint8], level: int) -> None:
        centres = members[random.choice(len(members), _BRANCHES, len(members) < _BRANCHES)]
        bits = np.unpackbits(members[:, None] ^ centres[None], axis=2)
        nearest = bits.sum(axis=2).argmin(axis=1)
        for branch in range(_BRANCHES):
            number, leaf = len(lines), level == _LEVELS
            values = ' '.join(map(str, centres[branch]))
            lines.append(f'{parent} {int(leaf)} {values} {1.0 if leaf else 0}')
            own = members[nearest == branch]
            if not leaf:
                grow(number, own if len(own) >= _BRANCHES else members, level + 1)

    grow(0, descriptors, 1)
    return lines

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

"""What the soak sends: honest images, and what contradicts itself."""

import random
from typing import Any

import cv2
import numpy as np
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header

SIZE_HW, SCENES = (48, 64), 24
WORD = 'word ' * 50
REQUESTS: tuple[tuple[str, Any], ...] = (
    ('max_age_ms', 60000.0), ('max_age_ms', -1.0), ('classes', ['no such class']), ('classes', 7),
    ('cameras', ['other']), ('overlay_alpha', 0.2), ('overlay_alpha', float('nan')),
    ('model', '/nowhere.onnx'), ('workers', 0), ('no_such_parameter', WORD), ('depth', 'off'),
)


def scene(seed: int) -> np.ndarray:
    """Paint a smooth image of a few colours with a darker box, uint8 (H, W, 3)."""
    rng = np.random.default_rng(seed)
    height, width = SIZE_HW
    pixels = cv2.resize(rng.integers(40, 220, (3, 4, 3), np.uint8), (width, height))
    top, left = rng.integers(0, height // 2), rng.integers(0, width // 2)
    pixels[top:top + height // 3, left:left + width // 3] //= 3
    return pixels


def image_of(pixels: np.ndarray) -> Image:
    height, width = pixels.shape[:2]
    message = Image(
        header=Header(frame_id='optical'), height=height, width=width, encoding='rgb8',
        step=3 * width,
    )
    message.data.frombytes(pixels.tobytes())
    return message


def info_of(rng: random.Random) -> CameraInfo:
    """Describe a camera, now and then as none can be."""
    odd = rng.choice([0.0, 1.0, -1e300, float('nan'), float('inf')])
    message = CameraInfo(
        header=Header(frame_id=rng.choice(['', 'optical', '/optical', WORD])),
        height=rng.choice([0, *SIZE_HW, 2**32 - 1]), width=rng.choice([0, *SIZE_HW]),
        distortion_model=rng.choice(['', 'plumb_bob', WORD]), d=[odd] * rng.choice([0, 5, 500]),
    )
    message.k = [odd, 0.0, 32.0, 0.0, 60.0, 24.0, 0.0, 0.0, 1.0]
    return message


def ruin(rng: random.Random) -> Image:
    """Make an image message that contradicts itself."""
    message = image_of(scene(rng.randrange(SCENES)))
    height, width = SIZE_HW
    for name, values in rng.choice((
        {'encoding': ['', 'RGB', 'h264', 'jpeg', 'bayer', '8UC0', WORD]},
        {'step': [1, 3 * width - 1, 2**32 - 1]},
        {'height': [0, height + 1, 2**32 - 1]},
        {'width': [0, width + 1, 2**32 - 1]},
        {'data': [[], [1], [7] * (3 * height * width - 1)]},
        {'encoding': ['rgba8', 'rgb16', '32FC3', '64FC3']},
    )).items():
        setattr(message, name, rng.choice(values))
    return message

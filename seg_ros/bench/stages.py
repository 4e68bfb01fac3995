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

"""Times the stages of a frame outside the network, compared with copying the same data."""

from collections.abc import Sequence
import json
from math import prod
import os
from pathlib import Path
import subprocess
import sys
from typing import Any

import cv2
import numpy as np
from seg_ros.bench.machine import copy_ms
from seg_ros.bench.networks import instance_model, street_model
from seg_ros.bench.report import row_names
from seg_ros.bench.samples import interleaved, summary
from seg_ros.core.errors import EngineError
from seg_ros.image.encodings import frame_from_file

IMAGE_HW = (720, 1280)
PIXELS = prod(IMAGE_HW)
IMAGE, NETWORK_INPUT, BYTE_MAP, ID_MAP = 3 * PIXELS, 3 * 640 * 640, PIXELS, 2 * PIXELS
MASKS = ('semantic', 'instance', 'panoptic', 'confidence', 'overlay', 'detections', 'segments')
CAMERA_HW = ('480', '640')
TARGETS_MS = {'semantic': 3.0, 'instances of 30': 6.0, 'instances of 100': 10.0}


def stages(folder: Path, rounds: int) -> dict[str, Any]:
    """
    Measure three scenes at 1280 x 720 rgb8 in one thread, with the usual subscriptions of each.

    :returns: for each scene the time outside the network, its stages and the time of the copies it
        needs; and the time to decode a JPEG, which is not included in the others.
    """
    scenes = {
        'semantic': (street_model(folder), ['semantic'], BYTE_MAP),
        'instances of 30': (instance_model(folder, 30), ['instance', 'detections'], ID_MAP),
        'instances of 100': (instance_model(folder, 100), ['instance', 'detections'], ID_MAP),
    }
    found: dict[str, Any] = {
        name: {
            **_measured(model, topics, rounds, ['--raw', str(raw)]),
            'target_ms': TARGETS_MS[name],
            'copy_ms': round(sum(map(copy_ms, (IMAGE, NETWORK_INPUT, size))), 3),
        }
        for name, ((raw, model), topics, size) in scenes.items()
    }
    return {**found, 'jpeg': {'decode_ms': _jpeg(rounds)}}


def _jpeg(rounds: int) -> dict[str, float]:
    """Measure decoding a JPEG of quality 90 whose image is as smooth as a photograph."""
    small = np.random.default_rng(0).integers(0, 256, (90, 160, 3), np.uint8)
    smooth = cv2.resize(small, IMAGE_HW[::-1], interpolation=cv2.INTER_CUBIC)
    data = cv2.imencode('.jpg', smooth, [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes()
    durations_ms = interleaved({'decode': lambda: frame_from_file(data, 'jpeg')}, rounds)
    return summary(durations_ms['decode']).to_dict()


def model_stages(models: Sequence[Path], rounds: int) -> dict[str, Any]:
    """
    Measure given models: from a 640 x 480 rgb8 message to all of its masks, on all cores.

    :returns: for each model its rate, the share of time outside the engine, and its stages.
    """
    options = ['--size', *CAMERA_HW, '--threads', str(os.cpu_count() or 1)]
    return {
        row: _measured(model.absolute(), MASKS, rounds, options)
        for model, row in zip(models, row_names(models), strict=True)
    }


def _measured(
    model: Path, topics: Sequence[str], rounds: int, options: list[str]
) -> dict[str, Any]:
    arguments = [str(model), '--rounds', str(rounds), '--topics', *topics, *options]
    done = subprocess.run(
        [sys.executable, '-m', 'seg_ros.bench.frame_timing', *arguments],
        capture_output=True, text=True, check=False,
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ['no message'])[-1]
        # Only ROS can be missing: this process has imported everything else.
        do = 'source ROS 2 first' if 'ImportError' in last or 'ModuleNotFound' in last else ''
        raise EngineError(f'the measuring process ended with {last}', do=do)
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found

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

"""Compares our processing with that of other nodes, on the same image and raw outputs."""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from seg_ros.bench.networks import instance_model, raw_runner
from seg_ros.bench.peer_steps import peers
from seg_ros.bench.samples import difference, interleaved, summary
from seg_ros.bench.scenes import yolo_rows
from seg_ros.core.frame import Frame
from seg_ros.core.segmentation import Part
from seg_ros.core.settings import Settings
from seg_ros.pipeline.process import segment
from seg_ros.pipeline.serving_model import open_serving_model

OBJECTS = (10, 30, 100)
PARTS: frozenset[Part] = frozenset({'instances'})


def compare(folder: Path, rounds: int) -> dict[str, Any]:
    """
    Measure from image to id map at 1280 x 720 without the network, in one thread each.

    Our time is that of the whole compiled model minus that of the raw network, so that
    post-processing in the graph is included.
    """
    return {f'{objects} objects': _compare(folder, objects, rounds) for objects in OBJECTS}


def _compare(folder: Path, objects: int, rounds: int) -> dict[str, Any]:
    raw, model = instance_model(folder, objects)
    image = np.random.default_rng(0).integers(0, 256, (720, 1280, 3), np.uint8)
    answers = yolo_rows(objects)
    settings = Settings(model=str(model), engine='openvino', threads=1)
    segmenter = open_serving_model(settings)
    frame = Frame(image, 'rgb')
    peer_tasks = {name: partial(steps, image, answers) for name, steps in peers().items()}
    durations_ms = interleaved({
        'seg_ros with network': partial(segment, frame, segmenter, PARTS),
        'network': raw_runner(raw, 1),
        **peer_tasks,
    }, rounds)
    segmenter.close()
    ours = difference(durations_ms['seg_ros with network'], durations_ms['network'])
    medians = {name: summary(durations_ms[name]).median for name in peer_tasks}
    return {
        'seg_ros_ms': round(ours, 3),
        **{f'{name}_ms': round(median, 3) for name, median in medians.items()},
        'ratios': {name: round(median / ours, 2) for name, median in medians.items()},
        'samples_ms': durations_ms,
    }

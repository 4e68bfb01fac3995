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

"""Hand-drawn polygons that label photographs where their source does not."""

from collections.abc import Mapping
import json
from pathlib import Path
from typing import Any, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray
from seg_ros.core.errors import SettingError
from seg_ros.core.whole_file import open_plain
from seg_ros.sim.classes import CLASSES
from seg_ros.training.sample import VOID

HandLabel: TypeAlias = Mapping[str, Any]
_THINGS = {item.name for item in CLASSES if item.thing}


def read_hand_labels(path: Path) -> dict[str, HandLabel]:
    """
    Read a file of polygons by photograph name.

    Each entry has `size_hw` and `polygons`, a list of `class` and `xy`, flat or in pairs, pixels.
    Its other fields serve to collect the photographs: `url`, `license`, `author`, and `complete`
    for their index.

    :raises SettingError: if the file cannot be read or has another format.
    """
    try:
        with open_plain(path) as file:
            labels: dict[str, HandLabel] = json.load(file)
        for label in labels.values():
            _ = label['size_hw'], [polygon['class'] for polygon in label['polygons']]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise SettingError(f'{path}: {error}', 'polygons by the names of photographs') from error
    return labels


def fill(
    classes: NDArray[np.uint8], instances: NDArray[np.uint8], label: HandLabel,
    channels: Mapping[str, int],
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """
    Draw polygons over unlabelled pixels; later polygons cover earlier ones.

    Each polygon of a thing is a separate instance.

    :param classes: (H, W), like `instances`; neither array is changed.
    :param channels: by class name; polygons of other names, such as `void`, erase earlier ones.
    """
    drawn = np.full(classes.shape, VOID, np.uint8)
    numbers = np.zeros(classes.shape, np.uint8)
    last = int(instances.max(initial=0))
    scale = np.array(classes.shape[::-1]) / np.array(label['size_hw'][::-1])
    for polygon in label['polygons']:
        corners = np.asarray(polygon['xy'], float).reshape(-1, 2) * scale
        outline = [np.rint(corners).astype(np.int32)]
        cv2.fillPoly(drawn, outline, channels.get(polygon['class'], VOID))
        is_thing = polygon['class'] in _THINGS
        last += is_thing
        cv2.fillPoly(numbers, outline, min(last, 253) if is_thing else 0)
    free = classes == VOID
    return np.where(free, drawn, classes), np.where(free, numbers, instances)

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

"""Folders in the COCO panoptic format, as `seg_ros render` writes them."""

from collections.abc import Sequence
import hashlib
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from seg_ros.core.errors import SettingError
from seg_ros.training.sample import TrainingSample, VOID


class CocoFolder:
    """
    A folder with `images`, `panoptic` and `panoptic.json`; pixels without a segment are void.

    :raises SettingError: if the table cannot be read.
    """

    def __init__(self, folder: Path) -> None:
        self.name = folder.name
        self.credits: list[dict[str, Any]] = []
        self._folder = folder
        try:
            text = (folder / 'panoptic.json').read_bytes()
            table: dict[str, Any] = json.loads(text)
        except (OSError, ValueError) as error:
            raise SettingError(
                f'{folder}: {error}', 'a folder with panoptic.json, or with index.json'
            ) from error
        self.fingerprint = hashlib.sha256(str(folder.resolve()).encode() + text).hexdigest()
        self.categories: list[dict[str, Any]] = table['categories']
        self._rows = list(zip(table['images'], table['annotations'], strict=True))

    def __len__(self) -> int:
        return len(self._rows)

    def read(self, number: int) -> TrainingSample:
        """
        Read one image with its maps.

        :raises SettingError: if a file is missing.
        """
        image, annotation = self._rows[number]
        bgr = cv2.imread(str(self._folder / 'images' / image['file_name']))
        colors = cv2.imread(str(self._folder / 'panoptic' / annotation['file_name']))
        if bgr is None or colors is None:
            raise SettingError(
                f'{self._folder}: {image["file_name"]} or its masks cannot be read', 'both'
            )
        ids = colors[..., ::-1].astype(np.int64) @ (1, 256, 65536)
        classes, instances = _maps(ids, annotation['segments_info'], self.categories)
        absent = np.zeros(len(self.categories), bool)
        return TrainingSample(np.asarray(bgr[..., ::-1], np.uint8), classes, instances, absent)


def _maps(
    ids: NDArray[np.int64], segments: Sequence[dict[str, Any]],
    categories: Sequence[dict[str, Any]],
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    channels = {item['id']: channel for channel, item in enumerate(categories)}
    things = {item['id'] for item in categories if item['isthing']}
    classes = np.full(ids.shape, VOID, np.uint8)
    instances = np.zeros(ids.shape, np.uint8)
    for number, segment in enumerate(segments[:250], start=1):
        mask = ids == segment['id']
        classes[mask] = channels[segment['category_id']]
        if segment['category_id'] in things:
            instances[mask] = number
    return classes, instances

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

"""Folders of images with label images, whose pixels are class ids."""

from collections.abc import Mapping, Sequence
import hashlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from seg_ros.core.errors import SettingError
from seg_ros.training.sample import TrainingSample, VOID

_SUFFIXES = ('.jpg', '.png', '.jpeg')


class LabelFolder:
    """
    A folder with `images` and `labels`, one-channel images of the same name; no instances.

    :param classes: `id`, `name` and whatever else a card has; pixels of other values are void.
    :raises SettingError: if there are no classes, more than 254, or no images.
    """

    def __init__(self, folder: Path, classes: Sequence[Mapping[str, Any]]) -> None:
        if not 0 < len(classes) < 255:
            raise SettingError(
                f'{folder} and {len(classes)} classes', 'names of 1 to 254',
                'label images say no names: give a file with --classes',
            )
        self.name = folder.name
        self.credits: list[dict[str, Any]] = []
        self.categories = [
            {**item, 'isthing': int(bool(item.get('thing')))} for item in classes
        ]
        self._table = np.full(65536, VOID, np.uint8)
        self._table[[item['id'] for item in classes]] = np.arange(len(classes))
        self._pairs = [
            (image, folder / 'labels' / f'{image.stem}.png')
            for image in sorted((folder / 'images').glob('*')) if image.suffix in _SUFFIXES
        ]
        if not self._pairs:
            raise SettingError(f'no images in {folder / "images"}', ' or '.join(_SUFFIXES))
        content = f'{folder.resolve()} {self.categories} {self._pairs}'
        self.fingerprint = hashlib.sha256(content.encode()).hexdigest()

    def __len__(self) -> int:
        return len(self._pairs)

    def read(self, number: int) -> TrainingSample:
        """
        Read one image with its classes.

        :raises SettingError: if a file is missing or they differ in size.
        """
        image, label = self._pairs[number]
        bgr, ids = cv2.imread(str(image)), cv2.imread(str(label), cv2.IMREAD_UNCHANGED)
        if bgr is None or ids is None or ids.shape != bgr.shape[:2]:
            raise SettingError(
                f'{image} or {label} is missing, or they differ in size',
                'an image and class ids of one channel',
            )
        return TrainingSample(
            np.asarray(bgr[..., ::-1], np.uint8), self._table[ids], np.zeros(ids.shape, np.uint8),
            np.zeros(len(self.categories), bool),
        )

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
from pathlib import Path
from typing import Any

import numpy as np
from seg_ros.core.errors import SettingError
from seg_ros.core.shown import few
from seg_ros.image.file_names import images_by_stem, LABEL_SUFFIXES
from seg_ros.training.categories import checked_categories
from seg_ros.training.image_files import check_sizes, read_class_ids, read_rgb
from seg_ros.training.label_ids import unknown_ids
from seg_ros.training.sample import TrainingSample, VOID
from seg_ros.training.sample_cache import fingerprint_of


class LabelFolder:
    """
    A folder with `images` and `labels`, one-channel images of the same names, without instances.

    :param classes: `id`, `name` and any other field of a card; pixels of other values are void.
    :raises SettingError: if there are no classes, they contradict each other, or no image has
        labels.
    """

    def __init__(self, folder: Path, classes: Sequence[Mapping[str, Any]]) -> None:
        if not classes:
            raise SettingError(
                f'{folder} without class names', 'a name for each id in its label images',
                'give a file with --classes',
            )
        self.place = folder.resolve()
        self.name = self.place.name
        self.credits: list[dict[str, Any]] = []
        self.categories = checked_categories(classes, '--classes')
        self._table = np.full(65536, VOID, np.uint8)
        self._ids = [item['id'] for item in self.categories]
        self._table[self._ids] = np.arange(len(classes))
        images = images_by_stem(folder / 'images')
        labels = images_by_stem(folder / 'labels', LABEL_SUFFIXES)
        self._pairs = [
            (image, labels[stem][0]) for stem, same in images.items() if stem in labels
            for image in same
        ]
        if not self._pairs:
            raise SettingError(
                f'no images in {folder / "images"} that have labels of the same name in '
                f'{folder / "labels"}', 'images, and PNG, BMP or TIFF of class ids',
            )
        self.notes = [
            f'{self.name}: {reason}, left out: {few(sorted(names))}'
            for names, reason in (
                (images.keys() - labels.keys(), 'images without labels'),
                (labels.keys() - images.keys(), 'labels without an image'),
            ) if names
        ]
        self.fingerprint = fingerprint_of(
            self.categories, [path for pair in self._pairs for path in pair]
        )

    def __len__(self) -> int:
        return len(self._pairs)

    def read(self, number: int) -> TrainingSample:
        """
        Read one image with its classes.

        :raises ImageError: if a file cannot be read or they differ in size.
        """
        image, label = self._pairs[number]
        rgb, ids = read_rgb(image), read_class_ids(label)
        check_sizes(image, rgb, label, ids)
        return TrainingSample(
            rgb, self._table[ids], np.zeros(ids.shape, np.uint8),
            np.zeros(len(self.categories), bool), unknown_ids(ids, self._ids),
        )

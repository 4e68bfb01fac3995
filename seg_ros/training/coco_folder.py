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

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from seg_ros.core.shown import few
from seg_ros.training.categories import checked_categories
from seg_ros.training.coco_masks import read_segment_maps
from seg_ros.training.coco_table import (
    image_files,
    MaskedImage,
    read_coco_table,
)
from seg_ros.training.image_files import check_sizes, read_rgb
from seg_ros.training.sample import MAX_THINGS, small_numbers, TrainingSample, VOID
from seg_ros.training.sample_cache import fingerprint_of


class CocoFolder:
    """
    A folder with `images`, `panoptic` and `panoptic.json`; pixels without a segment are void.

    Crowd segments (`iscrowd`) have a class but no instance.

    :raises SettingError: if the table cannot be read, or its classes contradict each other.
    """

    def __init__(self, folder: Path) -> None:
        table = read_coco_table(folder / 'panoptic.json')
        self.place = folder.resolve()
        self.name = self.place.name
        self.credits: list[dict[str, Any]] = []
        self.categories = checked_categories(
            [{**{key: row[key] for key in ('id', 'name', 'color') if key in row},
              'thing': bool(row['isthing'])} for row in table.categories],
            folder / 'panoptic.json',
        )
        self._channels = {item['id']: channel for channel, item in enumerate(self.categories)}
        self._things = {item['id'] for item in self.categories if item['isthing']}
        self._rows = list(zip(
            image_files(folder / 'images', table.items),
            [folder / 'panoptic' / item.masks for item in table.items], table.items, strict=True,
        ))
        self.notes = [*table.notes, *self._left_out(table.items)]
        self.fingerprint = fingerprint_of(
            [self.categories, [item.segments for item in table.items]],
            [path for row in self._rows for path in row[:2]],
        )

    def __len__(self) -> int:
        return len(self._rows)

    def read(self, number: int) -> TrainingSample:
        """
        Read one image with its maps.

        :raises ImageError: if a file is missing, or they differ in size.
        """
        image, masks, item = self._rows[number]
        rgb = read_rgb(image)
        maps = read_segment_maps(masks, item.segments, self._channels, self._things, VOID)
        check_sizes(image, rgb, masks, maps.classes)
        counted = np.where(np.isin(maps.instances, [*maps.crowd]), 0, maps.instances)
        return TrainingSample(
            rgb, maps.classes.astype(np.uint8), small_numbers(counted),
            np.zeros(len(self.categories), bool), maps.unknown,
        )

    def _counted(self, segment: Mapping[str, Any]) -> bool:
        return segment['category_id'] in self._things and not segment.get('iscrowd')

    def _left_out(self, items: Sequence[MaskedImage]) -> list[str]:
        full = [item.masks for item in items
                if sum(map(self._counted, item.segments)) > MAX_THINGS]
        note = f'{self.name}: of each image the largest {MAX_THINGS} things count as instances'
        return [f'{note}: {few(full)}'] if full else []

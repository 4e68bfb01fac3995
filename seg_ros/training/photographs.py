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

"""
Photographs with masks, selected by lists of names.

The layout is SOURCE/{images,labels,instances}/NAME next to an `index.json`, which gives for each
photograph its source, licence and `complete`, the classes of which every pixel is labelled.
"""

from collections.abc import Mapping, Sequence
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from seg_ros.core.errors import SettingError
from seg_ros.sim.classes import CLASSES
from seg_ros.training.hand_labels import fill, HandLabel
from seg_ros.training.sample import OTHER, small_numbers, TrainingSample, VOID
from seg_ros.training.sample_cache import fingerprint_of

CHANNELS = {item.name: channel for channel, item in enumerate(CLASSES)}
_FILES = ('images', 'jpg'), ('labels', 'png'), ('instances', 'png')
_CREDITED = 'source', 'name', 'license', 'url'
CATEGORIES: list[dict[str, Any]] = [
    {'id': item.id, 'name': item.name, 'isthing': int(item.thing), 'color': list(item.color)}
    for item in CLASSES
]


class Photographs:
    """
    The listed photographs of one source.

    :param root: the folder of `index.json` and of the sources.
    :param rows: rows of the index, one for each photograph.
    :param labels: hand-drawn labels by photograph name, for pixels that the source leaves void.
    """

    def __init__(
        self, root: Path, source: str, rows: Sequence[dict[str, Any]],
        labels: Mapping[str, HandLabel],
    ) -> None:
        self.name = source
        self.names = [row['name'] for row in rows]
        self.categories = CATEGORIES
        self.credits = [
            {key: row[key] for key in _CREDITED if key in row} for row in rows
        ]
        self._folder = root / source
        self.place = self._folder.resolve()
        self._rows = rows
        self._labels = {row['name']: labels[row['name']] for row in rows if row['name'] in labels}
        self.notes: list[str] = []
        self._files = [
            tuple(self._folder / kind / f'{name}.{suffix}' for kind, suffix in _FILES)
            for name in self.names
        ]
        self.fingerprint = fingerprint_of(
            [rows, self._labels], [path for files in self._files for path in files]
        )

    def __len__(self) -> int:
        return len(self._rows)

    def read(self, number: int) -> TrainingSample:
        """
        Read one photograph with its maps.

        :raises SettingError: if a file is missing.
        """
        row = self._rows[number]
        name = row['name']
        image, *maps = map(str, self._files[number])
        bgr = cv2.imread(image)
        classes, numbers = (cv2.imread(path, cv2.IMREAD_UNCHANGED) for path in maps)
        if bgr is None or classes is None or numbers is None:
            raise SettingError(
                f'{self._folder}: {name} lacks its image, labels or instances', 'all three'
            )
        instances = small_numbers(np.asarray(numbers, np.int64))
        known = np.asarray(classes, np.uint8)
        if name in self._labels:
            known, instances = fill(known, instances, self._labels[name], CHANNELS)
        complete = np.array([item.name in row['complete'] for item in CLASSES])
        if complete.any():
            known[known == VOID] = OTHER
        return TrainingSample(np.asarray(bgr[..., ::-1], np.uint8), known, instances, complete)


def photographs_of(
    root: Path, listed: str, labels: Mapping[str, HandLabel]
) -> list[Photographs]:
    """
    Open every source that has photographs in a list.

    :param listed: name of the list, `train` for `train.txt`.
    :raises SettingError: if the list or the index cannot be read, or the index lacks a listed
        photograph.
    """
    lists = sorted(path.stem for path in root.glob('*.txt'))
    if listed not in lists:
        raise SettingError(
            f'{root} has no list {listed}.txt', f'one of {", ".join(lists) or "its photographs"}'
        )
    try:
        rows = {
            f'{row["source"]}/{row["name"]}': row
            for row in json.loads((root / 'index.json').read_text(encoding='utf-8'))
        }
        names = (root / f'{listed}.txt').read_text(encoding='utf-8').split()
        chosen = [rows[name] for name in names]
        _ = [list(row['complete']) for row in chosen]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SettingError(
            f'{root}: {error}',
            f'an index.json with source, name and complete of every photograph of {listed}.txt',
        ) from error
    sources = sorted({row['source'] for row in chosen})
    return [
        Photographs(root, source, [row for row in chosen if row['source'] == source], labels)
        for source in sources
    ]

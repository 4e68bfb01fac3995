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

"""Training images drawn from several sources, each with its share."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from seg_ros.core.errors import SettingError
from seg_ros.core.shown import few
from seg_ros.training.coco_folder import CocoFolder
from seg_ros.training.hand_labels import HandLabel
from seg_ros.training.label_folder import LabelFolder
from seg_ros.training.photographs import photographs_of
from seg_ros.training.sample import TrainingSample
from seg_ros.training.sample_cache import LONGEST, open_cached, Report, SampleSource

_RARE_BONUS = 1.5   # added to an image's weight of 1 for each rare class in it


def open_sources(
    folders: Sequence[Path], listed: str, labels: Mapping[str, HandLabel],
    classes: Sequence[Mapping[str, Any]] = (),
) -> list[SampleSource]:
    """
    Open folders of images with masks, in any supported layout.

    If a folder has several layouts, photographs take precedence over a table of segments, and this
    over label images, as in `seg_ros eval`.

    :param listed: list to read from a folder of photographs.
    :param classes: classes of label images, which contain no names.
    :raises SettingError: if a folder has none of the layouts.
    """
    sources: list[SampleSource] = []
    for folder in folders:
        if (folder / 'index.json').is_file():
            sources += photographs_of(folder, listed, labels)
        elif (folder / 'panoptic.json').is_file():
            sources.append(CocoFolder(folder))
        elif (folder / 'labels').is_dir():
            sources.append(LabelFolder(folder, classes))
        else:
            raise SettingError(
                f'{folder} has no masks', 'a folder with panoptic.json, or with index.json, '
                'or with images/ and labels/',
            )
    return sources


class MixedSources:
    """
    The reduced images of some sources, and how often each is drawn.

    :param cache: folder for the reduced images.
    :param shares: relative share of each source in the drawn images; sources without one are left
        out. By default a source's share is its number of images.
    :param report: called with messages about what is left out and what is being reduced.
    :param longest: longest side of reduced images, in pixels.
    :raises SettingError: if sources have different classes or only void pixels, or shares name an
        unknown source or are all 0.

    `credits` lists the photographs' sources and licences, as in `SampleSource`.
    """

    def __init__(
        self,
        sources: Sequence[SampleSource],
        cache: Path,
        shares: Mapping[str, float] | None = None,
        report: Report = lambda line: None,
        longest: int = LONGEST,
    ) -> None:
        self.categories: list[dict[str, Any]] = sources[0].categories
        _check_categories(sources)
        chosen = _chosen(sources, shares or {})
        for note in (note for source in chosen for note in source.notes):
            report(note)
        self.sources = [open_cached(source, cache, report, longest) for source in chosen]
        for source in self.sources:
            if source.unknown:
                report(f'{source.name}: ids of no class are void: {source.unknown}')
            if source.is_void:
                raise SettingError(
                    f'{source.name}, whose pixels are of no class', 'masks of the classes '
                    + few([item['name'] for item in self.categories]),
                )
        missing = self._missing()
        if missing:
            report(f'classes without a single pixel, which cannot be learned: {few(missing)}')
        self._source_probabilities = _source_probabilities(chosen, shares or {})
        self.credits = [row for source in chosen for row in source.credits]
        ends = np.cumsum([len(source) for source in self.sources])
        self._starts = ends - [len(source) for source in self.sources]

    def __len__(self) -> int:
        return sum(len(source) for source in self.sources)

    def __getitem__(self, number: int) -> TrainingSample:
        source = int(np.searchsorted(self._starts, number, 'right')) - 1
        return self.sources[source][number - int(self._starts[source])]

    def probabilities(self) -> NDArray[np.float64]:
        """Return each image's probability: from its source's share, more for rare classes."""
        return np.concatenate([
            probability * _image_probabilities(source.class_fractions)
            for probability, source in zip(self._source_probabilities, self.sources, strict=True)
        ])

    def class_weights(self) -> NDArray[np.float32]:
        """Weigh classes by the inverse square root of their frequency when drawn, from 1 to 3."""
        fractions = np.concatenate([source.class_fractions for source in self.sources])
        frequency = self.probabilities() @ fractions
        frequency = frequency / frequency.sum()
        return np.asarray(np.clip(np.sqrt(0.2 / (frequency + 1e-3)), 1, 3), np.float32)

    def things(self) -> NDArray[np.bool_]:
        """Return which classes are things: (C)."""
        return np.array([bool(item['isthing']) for item in self.categories])

    def _missing(self) -> list[str]:
        seen = np.any([source.class_fractions.any(axis=0) for source in self.sources], axis=0)
        return [item['name'] for item, is_there in zip(self.categories, seen, strict=True)
                if not is_there]


def _check_categories(sources: Sequence[SampleSource]) -> None:
    """Raise unless all sources have the same classes; their colours may differ."""
    found = [
        [(item['id'], item['name'], item['isthing']) for item in source.categories]
        for source in sources
    ]
    for source, classes in zip(sources, found, strict=True):
        if classes != found[0]:
            raise SettingError(
                f'{sources[0].name} and {source.name}, sources with different classes',
                'the same in all of them, in one order',
            )


def _chosen(sources: Sequence[SampleSource], shares: Mapping[str, float]) -> list[SampleSource]:
    unknown = set(shares) - {source.name for source in sources}
    if unknown:
        raise SettingError(
            f'a share of {", ".join(sorted(unknown))}',
            f'of {", ".join(source.name for source in sources)}',
        )
    chosen = [source for source in sources if not shares or shares.get(source.name, 0) > 0]
    if not chosen:
        raise SettingError('shares that are all 0', 'one above 0 at least')
    return chosen


def _source_probabilities(
    sources: Sequence[SampleSource], shares: Mapping[str, float]
) -> NDArray[np.float64]:
    parts = np.array([shares.get(source.name, float(len(source))) for source in sources])
    return np.asarray(parts / parts.sum(), np.float64)


def _image_probabilities(class_fractions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the images' probabilities within a source, higher for images with rare classes."""
    shown = class_fractions > 0.01
    rare = class_fractions.mean(axis=0) < 0.1
    weights = 1 + _RARE_BONUS * (shown & rare).sum(axis=1)
    return np.asarray(weights / weights.sum(), np.float64)

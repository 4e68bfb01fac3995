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

"""Images whose masks are known: COCO's panoptic format, and folders of label images."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
import json
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from seg_ros.commands.sources import IMAGE_SUFFIXES
from seg_ros.core.card import ClassInfo, distinct_colors, ModelCard
from seg_ros.core.errors import ImageError, SettingError
from seg_ros.core.segmentation import Segmentation
from seg_ros.metrics.ground_truth import truth_from_maps


class Truth(NamedTuple):
    """
    What one image shows.

    :param crowd: ids of the segments that stand for groups which nobody counted.
    :param unknown: pixels by id of what is no class of the data; they are unlabelled.
    """

    segmentation: Segmentation
    crowd: frozenset[int] = frozenset()
    unknown: Mapping[int, int] = MappingProxyType({})


@dataclass(frozen=True)
class Example:
    """
    An image and what it shows.

    :param truth: reads its masks; it raises ImageError where they cannot be read.
    :param source: which part of the data set it belongs to, where that has parts.
    """

    name: str
    image: Path
    truth: Callable[[], Truth]
    source: str = ''


@dataclass(frozen=True)
class Examples:
    """
    A data set.

    :param card: its classes, under the ids that its masks carry.
    """

    card: ModelCard
    items: Sequence[Example]

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[Example]:
        return iter(self.items)


@dataclass(frozen=True)
class Places:
    """Where a data set keeps its parts."""

    images: Path
    table: Path
    masks: Path
    labels: Path


def open_examples(places: Places, card: ModelCard) -> Examples:
    """
    Open a data set: panoptic where there is a table of segments, else of label images.

    :param card: the model's; label images carry its ids.
    :raises SettingError: if there is neither, or a part is missing.
    """
    if places.table.is_file():
        return _panoptic(places)
    if places.labels.is_dir():
        return _labelled(places, card)
    raise SettingError(
        f'neither {places.table} nor {places.labels}',
        'images/ with panoptic.json and panoptic/, or images/ with labels/',
        'name the parts with --images, --table, --masks and --labels',
    )


def _panoptic(places: Places) -> Examples:
    try:
        table = json.loads(places.table.read_text(encoding='utf-8'))
        card = _card(table['categories'])
        images = {item['id']: Path(item['file_name']) for item in table['images']}
        items = [
            Example(
                Path(row['file_name']).stem,
                _image(places.images, images[row['image_id']], Path(row['file_name']).stem),
                partial(_panoptic_truth, places.masks / row['file_name'],
                        row['segments_info'], card),
            )
            for row in table['annotations']
        ]
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise SettingError(
            f'{places.table} cannot be read ({error!r})', "a table in COCO's panoptic format"
        ) from error
    return Examples(card, _some(items, places.table))


def _card(categories: Sequence[Mapping[str, Any]]) -> ModelCard:
    colors = distinct_colors(len(categories))
    classes = tuple(
        ClassInfo(int(item['id']), str(item['name']), color, bool(item['isthing']))
        for item, color in zip(categories, colors, strict=True)
    )
    return ModelCard('data', 'panoptic', classes)


def _image(folder: Path, named: Path, stem: str) -> Path:
    """Return the first that is there: as the table names it, or like its masks."""
    choices = [folder / named, folder / named.name, *_with_suffixes(folder, stem)]
    return next((path for path in choices if path.is_file()), folder / named.name)


def _with_suffixes(folder: Path, stem: str) -> list[Path]:
    return [folder / f'{stem}{suffix}' for suffix in ('.jpg', '.png', '.jpeg')]


def _some(items: Sequence[Example], place: Path) -> Sequence[Example]:
    if not items:
        raise SettingError(f'{place} holds no masks', 'at least one image with masks')
    return items


def _labelled(places: Places, card: ModelCard) -> Examples:
    items = [
        Example(path.stem, _image(places.images, Path(path.name), path.stem),
                partial(_label_truth, path, card))
        for path in sorted(places.labels.iterdir()) if path.suffix.lower() in IMAGE_SUFFIXES
    ]
    return Examples(ModelCard('data', 'semantic', card.classes), _some(items, places.labels))


def _panoptic_truth(
    path: Path, rows: Sequence[Mapping[str, Any]], card: ModelCard
) -> Truth:
    """Part an image of ids, R + 256 G + 65536 B, into classes and instances."""
    blue, green, red = (plane.astype(np.int64) for plane in cv2.split(_read(path, 3)))
    ids = red + 256 * green + 65536 * blue
    order = sorted(rows, key=lambda row: int(row['id']))
    known = np.array([0, *(int(row['id']) for row in order)])
    place = np.minimum(np.searchsorted(known, ids), len(known) - 1)
    place[known[place] != ids] = 0
    things = {item.id for item in card.classes if item.thing}
    class_of, instance_of, crowd = [card.unlabelled], [0], []
    counts = np.bincount(place.ravel(), minlength=len(known))
    unknown: Counter[int] = Counter()
    for row, pixels in zip(order, counts[1:], strict=True):
        category = int(row['category_id'])
        is_known = category in card.by_id
        if not is_known:
            unknown[category] += int(pixels)
        class_of.append(category if is_known else card.unlabelled)
        instance_of.append(max(instance_of) + 1 if category in things else 0)
        if row.get('iscrowd') and category in things:
            crowd.append(instance_of[-1])
    kind = card.id_of_channel.dtype
    segmentation = truth_from_maps(
        np.array(class_of, kind)[place], np.array(instance_of)[place], card
    )
    return Truth(segmentation, frozenset(crowd), unknown)


def _label_truth(path: Path, card: ModelCard) -> Truth:
    """Read class ids; what is not in the card is unlabelled."""
    labels = _read(path, 1)
    table = np.full(65536, card.unlabelled, card.id_of_channel.dtype)
    table[card.id_of_channel] = card.id_of_channel
    if labels.dtype not in (np.uint8, np.uint16):
        raise ImageError(f'{path} is an image of {labels.dtype}', 'class ids of 8 or 16 bits')
    counts = np.bincount(labels.ravel())
    counts[card.id_of_channel[card.id_of_channel < len(counts)]] = 0
    return Truth(
        truth_from_maps(table[labels], np.zeros(labels.shape, np.uint16), card),
        unknown={int(number): int(counts[number]) for number in np.flatnonzero(counts)},
    )


def _read(path: Path, channels: int) -> NDArray[Any]:
    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED) if path.is_file() else None
    if image is None or image.shape[2:] != ((3,) if channels == 3 else ()):
        raise ImageError(
            f'{path} is missing or no image of {channels} channels', 'masks of the image'
        )
    return np.asarray(image)

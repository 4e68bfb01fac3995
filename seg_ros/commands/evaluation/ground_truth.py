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

"""Data sets with ground truth: COCO's panoptic format, and folders of label images."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from seg_ros.core.card import ClassInfo, distinct_colors, ModelCard
from seg_ros.core.errors import SettingError
from seg_ros.core.segmentation import Segmentation
from seg_ros.image.file_names import images_by_stem, LABEL_SUFFIXES
from seg_ros.masks.from_maps import segmentation_from_maps
from seg_ros.training.coco_masks import read_segment_maps
from seg_ros.training.coco_table import image_files, read_coco_table
from seg_ros.training.image_files import read_class_ids
from seg_ros.training.label_ids import unknown_ids


class Truth(NamedTuple):
    """
    The ground truth of one image.

    :param crowd: ids of segments that are uncounted groups (iscrowd).
    :param unknown: number of pixels by id, for ids that are not a class; they are unlabelled.
    """

    segmentation: Segmentation
    crowd: frozenset[int] = frozenset()
    unknown: Mapping[int, int] = MappingProxyType({})


@dataclass(frozen=True)
class Example:
    """
    An image and its ground truth.

    :param truth: reads its masks; raises ImageError if they cannot be read.
    :param source: part of the data set that it belongs to; empty if there are no parts.
    """

    name: str
    image: Path
    truth: Callable[[], Truth]
    source: str = ''


@dataclass(frozen=True)
class Examples:
    """
    A data set.

    :param card: its classes, with the ids in its masks.
    :param notes: for the user, on what was left out.
    """

    card: ModelCard
    items: Sequence[Example]
    notes: Sequence[str] = ()

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[Example]:
        return iter(self.items)


@dataclass(frozen=True)
class Places:
    """The folders and files of a data set."""

    images: Path
    table: Path
    masks: Path
    labels: Path


def open_examples(places: Places, card: ModelCard) -> Examples:
    """
    Open a data set: COCO panoptic if there is a table of segments, else label images.

    :param card: of the model; label images contain its ids.
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
    table = read_coco_table(places.table)
    card = _card(table.categories)
    items = [
        Example(
            Path(item.masks).stem, image,
            partial(_panoptic_truth, places.masks / item.masks, item.segments, card),
        )
        for item, image in zip(
            table.items, image_files(places.images, table.items), strict=True
        )
    ]
    return Examples(card, items, table.notes)


def _card(categories: Sequence[Mapping[str, Any]]) -> ModelCard:
    colors = distinct_colors(len(categories))
    classes = tuple(
        ClassInfo(item['id'], item['name'], color, bool(item['isthing']))
        for item, color in zip(categories, colors, strict=True)
    )
    return ModelCard('data', 'panoptic', classes)


def _labelled(places: Places, card: ModelCard) -> Examples:
    images = images_by_stem(places.images)
    items = [
        Example(stem, images.get(stem, [places.images / paths[0].name])[0],
                partial(_label_truth, paths[0], card))
        for stem, paths in images_by_stem(places.labels, LABEL_SUFFIXES).items()
    ]
    if not items:
        raise SettingError(
            f'{places.labels} holds no masks', 'at least one image of class ids, not JPEG'
        )
    return Examples(ModelCard('data', 'semantic', card.classes), items)


def _panoptic_truth(
    path: Path, rows: Sequence[Mapping[str, Any]], card: ModelCard
) -> Truth:
    """Split an image of segment ids into classes and instances."""
    things = {item.id for item in card.classes if item.thing}
    maps = read_segment_maps(path, rows, {key: key for key in card.by_id}, things, card.unlabelled)
    classes = maps.classes.astype(card.id_of_channel.dtype)
    return Truth(segmentation_from_maps(classes, maps.instances, card), maps.crowd, maps.unknown)


def _label_truth(path: Path, card: ModelCard) -> Truth:
    """Read class ids; ids that are not in the card become unlabelled."""
    labels = read_class_ids(path)
    table = np.full(65536, card.unlabelled, card.id_of_channel.dtype)
    table[card.id_of_channel] = card.id_of_channel
    return Truth(
        segmentation_from_maps(table[labels], np.zeros(labels.shape, np.uint16), card),
        unknown=unknown_ids(labels, card.id_of_channel.tolist()),
    )

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

"""Reads and checks tables in COCO's panoptic format, and pairs images with masks by id."""

from collections.abc import Collection, Mapping, Sequence
import json
from pathlib import Path
from typing import Any, NamedTuple

from seg_ros.core.errors import SettingError
from seg_ros.core.shown import few, shown
from seg_ros.image.file_names import images_by_stem

_FORMAT = "a table in COCO's panoptic format"
_CONVERT = (
    'panopticapi converts it: converters/detection2panoptic_coco_format.py, with the categories '
    'and their isthing in a file of their own'
)


class MaskedImage(NamedTuple):
    """
    An image and its masks.

    :param image: file name of the image, as in the table.
    :param masks: file name of the image of segment ids.
    :param segments: rows of `segments_info`; each has `id` and `category_id`, integers.
    """

    image: str
    masks: str
    segments: Sequence[Mapping[str, Any]]


class CocoTable(NamedTuple):
    """
    Contents of a table.

    :param categories: each has `id`, `name` and `isthing`, 0 or 1; `color` where it is given.
    :param notes: messages for the user about what was left out.
    """

    categories: list[dict[str, Any]]
    items: list[MaskedImage]
    notes: list[str]


def read_coco_table(path: Path) -> CocoTable:
    """
    Read a table in the order of its images; images and masks without a partner are left out.

    :raises SettingError: if the table has another format, or no image has masks.
    """
    table = _sections(path)
    _refuse_instances(path, table['annotations'])
    categories = [_category(row, f'{path}: category {number}')
                  for number, row in enumerate(table['categories'])]
    images = _images(path, table['images'])
    masks = _masks(path, table['annotations'])
    items = [
        MaskedImage(name, *masked) for key, name in images.items() for masked in masks.get(key, ())
    ]
    if not items:
        raise SettingError(
            f'{path} holds no masks of its images: their ids are {_keys(images)}, the image_id '
            f'of annotations {_keys(masks)}', 'at least one image with masks',
        )
    bare = [name for key, name in images.items() if key not in masks]
    lost = [name for key, found in masks.items() if key not in images for name, _ in found]
    notes = [
        f'{path}: {reason}, left out: {few(names)}' for names, reason in (
            (bare, 'images without an annotation'),
            (lost, 'annotations whose image_id is no image'),
        ) if names
    ]
    return CocoTable(categories, items, notes)


def image_file(folder: Path, item: MaskedImage, by_stem: Mapping[str, Sequence[Path]]) -> Path:
    """
    Find an image by its path in the table, its file name, or the stem of its masks, in that order.

    If there is none, return the path by file name.

    :param by_stem: the folder's images, from `images_by_stem`.
    """
    choices = [
        folder / item.image, folder / Path(item.image).name,
        *by_stem.get(Path(item.masks).stem, ()),
    ]
    return next((path for path in choices if path.is_file()), choices[1])


def image_files(folder: Path, items: Sequence[MaskedImage]) -> list[Path]:
    """Return the paths of a table's images."""
    by_stem = images_by_stem(folder)
    return [image_file(folder, item, by_stem) for item in items]


def _sections(path: Path) -> Mapping[str, list[Any]]:
    try:
        table = json.loads(path.read_text(encoding='utf-8'))
    except (OSError, ValueError, RecursionError) as error:
        raise SettingError(f'{path} cannot be read ({error})', _FORMAT) from error
    if not isinstance(table, dict):
        raise SettingError(f'{path} holds {shown(table)}', _FORMAT)
    missing = [
        key for key in ('images', 'annotations', 'categories')
        if not isinstance(table.get(key), list)
    ]
    if missing:
        raise SettingError(f'{path} has no {", ".join(missing)}', _FORMAT)
    return table


def _refuse_instances(path: Path, annotations: Sequence[Any]) -> None:
    if any(
        isinstance(row, dict) and 'segmentation' in row and 'segments_info' not in row
        for row in annotations
    ):
        raise SettingError(
            f"{path} is a table in COCO's format of instances, with segmentation in it",
            f'{_FORMAT}, with segments_info, and images of ids', _CONVERT,
        )


def _value(row: Any, key: str, kind: type | tuple[type, ...], where: str) -> Any:
    value = row.get(key) if isinstance(row, dict) else None
    if value is None or isinstance(value, bool) or not isinstance(value, kind):
        seen = f'has no {key}' if value is None else f'has {key} {shown(value)}'
        raise SettingError(f'{where} {seen}', _FORMAT)
    return value


def _category(row: Any, where: str) -> dict[str, Any]:
    name = _value(row, 'name', str, where)
    found = {'id': _value(row, 'id', int, where), 'name': name}
    if row.get('isthing') not in (0, 1):
        seen = f'isthing {shown(row["isthing"])}' if 'isthing' in row else 'no isthing'
        raise SettingError(f'{where}, {name}, has {seen}', '1 for things, 0 for stuff')
    found['isthing'] = int(row['isthing'])
    return {**found, 'color': row['color']} if row.get('color') is not None else found


def _images(path: Path, rows: Sequence[Any]) -> dict[int | str, str]:
    images: dict[int | str, str] = {}
    for number, row in enumerate(rows):
        where = f'{path}: image {number}'
        key = _value(row, 'id', (int, str), where)
        if key in images:
            raise SettingError(f'{where} has the id {key} of an earlier one', 'unique ids')
        images[key] = _value(row, 'file_name', str, where)
    return images


def _masks(
    path: Path, rows: Sequence[Any]
) -> dict[int | str, list[tuple[str, list[Mapping[str, Any]]]]]:
    """Return file names and segments of masks by image id."""
    masks: dict[int | str, list[tuple[str, list[Mapping[str, Any]]]]] = {}
    for number, row in enumerate(rows):
        where = f'{path}: annotation {number}'
        key = _value(row, 'image_id', (int, str), where)
        found = _value(row, 'file_name', str, where), _segments(row, where)
        masks.setdefault(key, []).append(found)
    return masks


def _keys(named: Collection[int | str]) -> str:
    """List ids, strings quoted so that 10 and '10' differ."""
    return few([*map(shown, named)]) or 'none'


def _segments(row: Any, where: str) -> list[Mapping[str, Any]]:
    segments: list[Mapping[str, Any]] = _value(row, 'segments_info', list, where)
    for number, segment in enumerate(segments):
        for key in ('id', 'category_id'):
            _value(segment, key, int, f'{where}, segment {number}')
    return segments

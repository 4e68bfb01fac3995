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

"""Options of architectures, and the classes that a network predicts."""

from collections.abc import Sequence
from math import inf
from pathlib import Path
from typing import Any

from seg_ros.core.errors import CardError, SettingError
from seg_ros.core.strict_yaml import load_yaml
from seg_ros.core.whole_file import open_plain

YAML_SUFFIXES = frozenset({'.yaml', '.yml'})
MAX_CLASSES = 65535     # ids of a card go to 65534
OPTION_HELP = (
    'sizes of an architecture other than the published ones, such as width=0.5 for segnet and '
    'deeplabv1, width=64 for gscnn and mask_rcnn'
)


def read_options(texts: Sequence[str]) -> dict[str, float]:
    """
    Read options of an architecture.

    :param texts: as NAME=NUMBER; a number without a point is an integer.
    :raises SettingError: if one has another form.
    """
    options: dict[str, float] = {}
    for text in texts:
        name, _, number = text.partition('=')
        try:
            options[name] = int(number) if number.isdecimal() else float(number)
            if not 0 <= options[name] < inf:
                raise ValueError(number)
        except ValueError as error:
            raise SettingError(f'--option {text}', 'NAME=NUMBER, such as width=0.5') from error
    return options


def read_classes(source: str) -> list[dict[str, Any]]:
    """
    Read classes: a number of them, or a file with one name per line or YAML as in a card.

    :returns: rows of a card's `classes`.
    :raises SettingError: if it is neither.
    :raises CardError: if the file holds no classes.
    """
    if source.isdecimal():
        if not 1 <= int(source) <= MAX_CLASSES:
            raise SettingError(f'--classes {source}', f'at least 1 and at most {MAX_CLASSES}')
        return _rows([f'class {index}' for index in range(int(source))])
    path = Path(source)
    try:
        with open_plain(path) as file:
            text = file.read().decode('utf-8-sig')     # Windows' editors write a BOM
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise SettingError(f'--classes {path}: {reason}', 'a number or a file of names') from error
    lines = text.splitlines()
    if path.suffix.lower() in YAML_SUFFIXES or any(line.startswith('classes:') for line in lines):
        return _rows(_classes_from_yaml(text, path))
    return _rows([line.strip() for line in lines if line.strip()])


def _rows(classes: Sequence[Any]) -> list[dict[str, Any]]:
    """Return classes as rows of a card; names without an id are numbered."""
    return [
        item if isinstance(item, dict) else {'id': index, 'name': str(item)}
        for index, item in enumerate(classes)
    ]


def _classes_from_yaml(text: str, path: Path) -> list[Any]:
    import yaml

    try:
        data = load_yaml(text)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise CardError(f'{path}: {error}', 'YAML') from error
    classes = data.get('classes') if isinstance(data, dict) else data
    if not isinstance(classes, list) or not classes:
        raise CardError(f'{path} holds no classes', 'a list of id and name, or a card')
    return classes

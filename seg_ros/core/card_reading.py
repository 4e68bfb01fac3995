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

"""Cards from YAML and metadata; errors name the invalid key."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import date
from pathlib import Path
from typing import Any
import unicodedata

from seg_ros.core.card import (
    CardThresholds,
    ClassInfo,
    Color,
    distinct_colors,
    InputSpec,
    ModelCard,
)
from seg_ros.core.errors import CardError
from seg_ros.core.shown import did_you_mean, shown
from seg_ros.core.strict_yaml import load_yaml
from seg_ros.core.whole_file import open_plain
import yaml

_TEXTS = ('family', 'licence', 'source', 'source_sha256')
_CHOICES = ('task', 'refine', 'scores', 'snap')
# Unicode categories: control characters and surrogates.
_FORBIDDEN = ('Cc', 'Cs')


def card_from_dict(data: Mapping[str, Any]) -> ModelCard:
    """
    Read a card from plain values of YAML or JSON.

    :param data: keys of `ModelCard`; a class requires only `id` and `name`.
    :raises CardError: with the key that is missing, unknown or of the wrong type.
    """
    _only_known(data, ModelCard, 'card')
    values: dict[str, Any] = {
        key: _text(key, data[key]) for key in _TEXTS if data.get(key) not in (None, '')
    }
    values |= {key: _lower(data[key]) for key in _CHOICES if data.get(key) not in (None, '')}
    things = values.get('task') in ('instance', 'promptable')
    if data.get('outputs') is not None:
        values['outputs'] = _texts('outputs', data['outputs'])
    if data.get('unlabelled_color') is not None:
        values['unlabelled_color'] = _color('unlabelled_color', data['unlabelled_color'])
    return ModelCard(
        _text('name', _required(data, 'name', 'the card')),
        values.pop('task', 'semantic'),
        _classes(_required(data, 'classes', 'the card'), things),
        input=_input(_mapping('input', data.get('input') or {})),
        thresholds=_thresholds(_mapping('thresholds', data.get('thresholds') or {})),
        **values,
    )


def read_card(path: Path) -> ModelCard:
    """
    Read a YAML card.

    :raises CardError: if the file is missing, is not YAML or is not a card.
    """
    try:
        with open_plain(path) as file:
            data = load_yaml(file.read().decode('utf-8-sig'))
    except OSError as error:
        raise CardError(f'card {path} cannot be read ({error.strerror})', 'a YAML file') from error
    except UnicodeDecodeError as error:
        line = error.object[:error.start].count(b'\n') + 1
        raise CardError(
            f'card {path} is not UTF-8 text in line {line}', do='save it as UTF-8'
        ) from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise CardError(
            f'card {path} is not YAML: {_yaml_problem(error)}', 'a YAML file'
        ) from error
    if not isinstance(data, dict):
        seen = 'nothing' if data is None else 'a list' if isinstance(data, list) else 'one value'
        raise CardError(f'card {path} holds {seen}', 'keys such as name, classes')
    return card_from_dict(data)


def _yaml_problem(error: Exception) -> str:
    mark = getattr(error, 'problem_mark', None)
    problem = getattr(error, 'problem', '') or getattr(error, 'reason', '') or (
        'nested too deeply' if isinstance(error, RecursionError) else error
    )
    return f'{problem} in line {mark.line + 1}' if mark else str(problem)


def _only_known(data: Mapping[str, Any], kind: type, what: str) -> None:
    known = [item.name for item in fields(kind)]
    unknown = sorted(set(map(str, data)) - set(known))
    if unknown:
        raise CardError(
            f'{what} has keys {shown(unknown)}', f'some of {", ".join(known)}',
            ' '.join(filter(None, (did_you_mean(key, known) for key in unknown))),
        )


def _required(data: Mapping[str, Any], key: str, what: str) -> Any:
    if data.get(key) is None:
        raise CardError(
            f'{what} has no {key}', 'name, classes, and an id and a name of each class'
        )
    return data[key]


def _mapping(key: str, value: object) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise CardError(f'{key}: {shown(value)}', 'keys and values')
    return value


def _text(key: str, value: object) -> str:
    """Return a text; refuse booleans, which YAML makes of words such as off, and dates."""
    if isinstance(value, bool | date):
        raise CardError(f'{key}: {shown(value)}', 'text', 'put it in quotes')
    text = ' '.join(str(value).split()) if isinstance(value, str | int | float) else ''
    if not text or any(unicodedata.category(letter) in _FORBIDDEN for letter in text):
        raise CardError(f'{key}: {shown(value)}', 'text')
    return text


def _lower(value: object) -> Any:
    """Return an enumerated word in the card's spelling."""
    return value.strip().lower() if isinstance(value, str) else value


def _texts(key: str, value: object) -> tuple[str, ...]:
    """Return a list of texts; a single text is a list of one."""
    if isinstance(value, str):
        return (value,)
    if not isinstance(value, Sequence):
        raise CardError(f'{key}: {shown(value)}', 'a list of names')
    return tuple(_text(key, item) for item in value)


def _classes(data: object, things: bool) -> tuple[ClassInfo, ...]:
    """Read the classes; plain texts are names of consecutive ids from 0."""
    if not isinstance(data, Sequence) or isinstance(data, str):
        raise CardError(f'classes: {shown(data)}', 'a list of classes with id and name of each')
    rows: list[Mapping[str, Any]] = [
        {'id': index, 'name': row} if not isinstance(row, Mapping) and row is not None
        else _mapping(f'classes[{index}]', row)
        for index, row in enumerate(data)
    ]
    labels = [_class_label(row, index) for index, row in enumerate(rows)]
    for row, what in zip(rows, labels, strict=True):
        _only_known(row, ClassInfo, what)
    given = [
        _color(f'{what}: color', row['color']) if 'color' in row else None
        for row, what in zip(rows, labels, strict=True)
    ]
    spare = iter(distinct_colors(given.count(None), [color for color in given if color]))
    return tuple(
        ClassInfo(
            _required(row, 'id', what), _text(f'{what}: name', _required(row, 'name', what)),
            color or next(spare), row.get('thing', things),
            tuple(map(_lower, _texts(f'{what}: roles', row.get('roles') or ()))),
        )
        for row, what, color in zip(rows, labels, given, strict=True)
    )


def _class_label(row: Mapping[str, Any], index: int) -> str:
    """Return the label of a class in messages: its name, its id or its index."""
    known = next((row[key] for key in ('name', 'id') if row.get(key) is not None), index)
    plain = isinstance(known, str) and known.isprintable() and known.strip()
    return f'class {known if plain else shown(known)}'


def _color(key: str, value: object) -> Color:
    if value is None:
        raise CardError(f'{key} is empty', '[red, green, blue]', 'YAML takes # for a comment')
    levels = value if isinstance(value, Sequence) and not isinstance(value, str) else ()
    if len(levels) != 3 or not all(
        isinstance(level, int) and not isinstance(level, bool) and 0 <= level <= 255
        for level in levels
    ):
        raise CardError(
            f'{key}: {shown(value)}', '[red, green, blue], three numbers from 0 to 255'
        )
    red, green, blue = levels
    return red, green, blue


def _whole(key: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise CardError(f'{key}: {shown(value)}', 'a whole number')
    return value


def _number(key: str, value: object) -> float:
    """Return a number; texts are accepted, since YAML reads 1e-3 as one, but not 1/255."""
    try:
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise ValueError('no number')
        return float(value)
    except (OverflowError, ValueError) as error:
        text = value if isinstance(value, str) else ''
        advice = (
            'write it out, as 0.00392157 for 1/255' if '/' in text
            else 'write numbers of a list as [0.5, 0.5, 0.5]' if len(text.split()) > 1 else ''
        )
        raise CardError(f'{key}: {shown(value)}', 'a number', advice) from error


def _numbers(key: str, value: object) -> tuple[float, ...]:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return tuple(_number(key, item) for item in value)
    return (_number(key, value),)


def _input(data: Mapping[str, Any]) -> InputSpec:
    _only_known(data, InputSpec, 'input')
    values = {key: value for key, value in data.items() if value is not None}
    if 'size' in values:
        sides = values['size']
        if not isinstance(sides, Sequence) or isinstance(sides, str) or len(sides) != 2:
            raise CardError(f'input.size: {shown(sides)}', '[height, width] in pixels')
        values['size'] = tuple(_whole('input.size', side) for side in sides)
    if 'pad' in values:
        values['pad'] = _whole('input.pad', values['pad'])
    for key in ('mean', 'std'):
        if key in values:
            values[key] = _numbers(f'input.{key}', values[key])
    if 'scale' in values:
        values['scale'] = _number('input.scale', values['scale'])
    for key in ('fit', 'align', 'resample', 'color'):
        if key in values:
            values[key] = _lower(values[key])
    return InputSpec(**values)


def _thresholds(data: Mapping[str, Any]) -> CardThresholds:
    _only_known(data, CardThresholds, 'thresholds')
    return CardThresholds(**{
        key: _number(f'thresholds.{key}', value) for key, value in data.items()
    })

"""Cards from YAML and from metadata."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from seg_ros.core.card import (
    CardThresholds,
    ClassInfo,
    Color,
    distinct_colors,
    InputSpec,
    ModelCard,
)
from seg_ros.core.errors import CardError
import yaml


def card_from_dict(data: Mapping[str, Any]) -> ModelCard:
    """
    Read a card from plain values, as YAML and JSON give them.

    :param data: the keys of `ModelCard`; of a class only `id` and `name` are required.
    :raises CardError: naming the key that is missing, unknown or of the wrong kind.
    """
    try:
        _only_known(data, ModelCard, 'card')
        task = data.get('task', 'semantic')
        words = {
            key: str(data.get(key) or '')
            for key in ('family', 'licence', 'source', 'source_sha256')
        }
        return ModelCard(
            str(data['name']),
            task,
            _classes(data['classes'], task == 'instance'),
            input=_input(data.get('input') or {}),
            thresholds=_thresholds(data.get('thresholds') or {}),
            snap=data.get('snap') or 'none',
            refine=data.get('refine') or 'none',
            **words,
        )
    except KeyError as error:
        raise CardError(
            f'a card without {error}', 'name, classes, and an id and a name for each class'
        ) from error
    except (TypeError, ValueError, AttributeError) as error:
        raise CardError(f'a card that cannot be read: {error}') from error


def read_card(path: Path) -> ModelCard:
    """
    Read a YAML card.

    :raises CardError: if the file is missing, is not YAML or is not a card.
    """
    try:
        data = yaml.safe_load(path.read_text(encoding='utf-8'))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise CardError(f'card {path}: {error}', 'a YAML file') from error
    if not isinstance(data, dict):
        raise CardError(f'card {path} holds {type(data).__name__}', 'keys such as name, classes')
    return card_from_dict(data)


def _only_known(data: Mapping[str, Any], kind: type, what: str) -> None:
    known = [item.name for item in fields(kind)]
    unknown = sorted(set(map(str, data)) - set(known))
    if unknown:
        raise CardError(f'{what} has keys {unknown}', f'some of {", ".join(known)}')


def _classes(data: Sequence[Mapping[str, Any]], things: bool) -> tuple[ClassInfo, ...]:
    rows: list[dict[str, Any]] = [{'thing': things, **row} for row in data]
    given = [_color(row['color']) for row in rows if row.get('color') is not None]
    spare = iter(distinct_colors(len(rows) - len(given), given))
    for row in rows:
        _only_known(row, ClassInfo, f'class {row.get("name", row.get("id"))}')
    return tuple(
        ClassInfo(
            row['id'],
            str(row['name']),
            next(spare) if row.get('color') is None else _color(row['color']),
            row['thing'],
            tuple(row.get('roles', ())),
        )
        for row in rows
    )


def _color(value: Sequence[int]) -> Color:
    red, green, blue = (_whole('colour', level) for level in value)
    if not all(0 <= level <= 255 for level in (red, green, blue)):
        raise CardError(f'colour {list(value)}', 'three numbers from 0 to 255')
    return red, green, blue


def _whole(what: str, value: object) -> int:
    if not isinstance(value, int):
        raise CardError(f'{what}: {value!r}', 'whole numbers')
    return value


def _numbers(value: float | Sequence[float]) -> tuple[float, ...]:
    return tuple(float(x) for x in (value if isinstance(value, Sequence) else [value]))


def _input(data: Mapping[str, Any]) -> InputSpec:
    _only_known(data, InputSpec, 'input')
    values = dict(data)
    if 'size' in values:
        height, width = values['size']
        values['size'] = (_whole('input.size', height), _whole('input.size', width))
    if 'pad' in values:
        values['pad'] = _whole('input.pad', values['pad'])
    for key in ('mean', 'std'):
        if key in values:
            values[key] = _numbers(values[key])
    if 'scale' in values:
        values['scale'] = float(values['scale'])
    return InputSpec(**values)


def _thresholds(data: Mapping[str, Any]) -> CardThresholds:
    _only_known(data, CardThresholds, 'thresholds')
    return CardThresholds(**{key: float(value) for key, value in data.items()})

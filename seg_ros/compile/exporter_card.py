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

"""Makes a card from the metadata that an exporter wrote into a network."""

from ast import literal_eval
from collections.abc import Mapping, Sequence
import json
from typing import Any

import onnx
from seg_ros.compile.compiled import metadata_of
from seg_ros.core.card import ModelCard
from seg_ros.core.card_reading import card_from_dict
from seg_ros.core.errors import CardError
from seg_ros.core.shown import shown

_TASKS = {'segment': 'instance', 'semantic': 'semantic'}
_GRAY, _IMAGE_AXES = 1, 4
_EMPTY = ('', 'None')


def card_from_metadata(model: onnx.ModelProto, name: str) -> ModelCard:
    """
    Make a card for a network from the YOLOv5 or ultralytics exporters.

    They write `names`, `task`, `imgsz` and `channels` as Python literals, other exporters as JSON.
    Their networks are trained on letterboxed images with values from 0 to 1.

    :param name: name of the card if the exporter wrote no description.
    :raises CardError: if the metadata has no class names, or the network has no masks.
    """
    facts = metadata_of(model)
    if 'names' not in facts:
        others = f' ({", ".join(sorted(facts))[:200]})' if facts else ''
        raise CardError(
            f'{name} comes without a card, and its metadata{others} lack the class names that '
            'ultralytics writes',
            'a card that names the classes in the order of the network',
            'seg_ros inspect --first-card prints one to begin with; give it with --card CARD.yaml',
        )
    task = facts.get('task', 'segment')
    if task not in _TASKS:
        raise CardError(
            f"the exporter's task is {task}", ' or '.join(_TASKS),
            'export a network that gives masks',
        )
    description = ' '.join(facts.get('description', '').split())
    usable = description not in _EMPTY and description.isprintable()
    dims = image_dims(model)
    return card_from_dict({
        'name': description if usable else name,
        'task': _TASKS[task],
        'licence': facts.get('license', '').strip(),
        'classes': _classes(facts),
        'input': {**_size(facts, dims), **_color(facts, dims)},
    })


def _classes(facts: Mapping[str, str]) -> list[dict[str, Any]]:
    """Read the class names, a list or a dictionary by channel."""
    names = _literal(facts, 'names')
    if isinstance(names, Mapping):
        try:
            names = {int(channel): word for channel, word in names.items()}
        except (TypeError, ValueError):
            raise _unreadable(facts, 'names', 'channel numbers before the names') from None
        if sorted(names) != list(range(len(names))):
            raise _unreadable(facts, 'names', f'channels from 0 to {len(names) - 1}')
        names = [names[channel] for channel in sorted(names)]
    if not isinstance(names, list | tuple) or not names:
        raise _unreadable(facts, 'names', 'a list, or names by channel')
    if nested := [word for word in names if isinstance(word, list | tuple | dict | set)]:
        raise _unreadable(facts, 'names', f'a name in the place of {shown(nested[0])}')
    if empty := [index for index, word in enumerate(names) if not str(word).strip()]:
        raise _unreadable(facts, 'names', f'a name for channel {empty[0]}')
    return [{'id': index, 'name': ' '.join(str(word).split())} for index, word in enumerate(names)]


def image_dims(model: onnx.ModelProto) -> list[int]:
    """Return the shape of the first input that is not a weight, with 0 for dynamic axes."""
    weights = {item.name for item in model.graph.initializer}
    images = [item for item in model.graph.input if item.name not in weights]
    dims = images[0].type.tensor_type.shape.dim if images else []
    return [dim.dim_value for dim in dims]


def _size(facts: Mapping[str, str], dims: Sequence[int]) -> dict[str, Any]:
    """Read height and width, or one number for both, unless the network has a fixed size."""
    if 'imgsz' not in facts or all(dims[1:]):
        return {}
    sides = _literal(facts, 'imgsz')
    sides = [sides, sides] if isinstance(sides, int | float) else sides
    if not isinstance(sides, list | tuple) or len(sides) != 2 or not all(
        isinstance(side, int | float) and side % 1 == 0 for side in sides
    ):
        raise _unreadable(facts, 'imgsz', '[height, width]')
    return {'size': [int(side) for side in sides]}


def _color(facts: Mapping[str, str], dims: Sequence[int]) -> dict[str, Any]:
    """Read whether images are grey; without `channels`, the input's shape decides."""
    channels = facts.get('channels', str(dims[1]) if len(dims) == _IMAGE_AXES else '')
    return {'color': 'gray'} if channels == str(_GRAY) else {}


def _literal(facts: Mapping[str, str], key: str) -> Any:
    for read in (literal_eval, json.loads):
        try:
            return read(facts[key])
        except (SyntaxError, TypeError, ValueError, RecursionError, MemoryError):
            continue
    raise _unreadable(facts, key, 'a Python literal or JSON')


def _unreadable(facts: Mapping[str, str], key: str, expected: str) -> CardError:
    return CardError(
        f"the exporter's {key} cannot be read: {facts[key][:60]}", expected,
        'give a card with --card CARD.yaml',
    )

"""A card from what an exporter wrote into the network's own metadata."""

from ast import literal_eval
from collections.abc import Mapping
from typing import Any

import onnx
from seg_ros.core.card import ModelCard
from seg_ros.core.card_reading import card_from_dict
from seg_ros.core.errors import CardError

_TASKS = {'segment': 'instance'}


def card_from_metadata(model: onnx.ModelProto, name: str) -> ModelCard:
    """
    Make a card for a network of the YOLOv5 or ultralytics exporters.

    They write `names`, `task` and `imgsz` as Python literals, and train on letterboxed RGB
    images from 0 to 1.

    :param name: of the card, where the exporter wrote no description.
    :raises CardError: if the metadata names no classes, or the network gives no masks.
    """
    facts = {item.key: item.value for item in model.metadata_props}
    if 'names' not in facts:
        raise CardError(
            f'{name} comes without a card, and its exporter wrote no class names into it',
            'a card that names the classes in the order of the network',
            'give one with --card CARD.yaml',
        )
    task = facts.get('task', 'segment')
    if task not in _TASKS:
        raise CardError(
            f"the exporter's task is {task}", 'segment', 'export a network that gives masks'
        )
    data = {
        'name': facts.get('description', '').strip() or name,
        'task': _TASKS[task],
        'licence': facts.get('license', ''),
    }
    try:
        return card_from_dict({**data, **_literals(facts)})
    except (SyntaxError, TypeError, ValueError) as error:
        raise CardError(
            f"the exporter's names or imgsz cannot be read ({error})", 'Python literals',
            'give a card with --card CARD.yaml',
        ) from error


def _literals(facts: Mapping[str, str]) -> dict[str, Any]:
    """Read the classes, a list or a dictionary by channel, and the size where it is given."""
    names = literal_eval(facts['names'])
    pairs = names.items() if isinstance(names, dict) else enumerate(names)
    classes = [{'id': channel, 'name': word} for channel, word in sorted(pairs)]
    size = {'size': literal_eval(facts['imgsz'])} if 'imgsz' in facts else {}
    return {'classes': classes, 'input': size}

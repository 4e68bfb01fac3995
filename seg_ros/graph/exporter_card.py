"""A card from what an exporter wrote into the network's own metadata."""

from ast import literal_eval
from typing import Any

import onnx
from seg_ros.core.card import card_from_dict, ModelCard
from seg_ros.core.errors import CardError

_TASKS = {'segment': 'instance'}


def card_from_metadata(model: onnx.ModelProto, name: str) -> ModelCard:
    """
    Make a card for a network of the YOLOv5 or ultralytics exporters.

    They write `names`, `task` and `imgsz` as Python literals, and train on letterboxed RGB
    pictures from 0 to 1.

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
    names = _literal(facts, 'names')
    pairs = names.items() if isinstance(names, dict) else enumerate(names)
    data: dict[str, Any] = {
        'name': facts.get('description') or name,
        'task': _TASKS[task],
        'classes': [{'id': int(channel), 'name': str(word)} for channel, word in sorted(pairs)],
        'licence': facts.get('license', ''),
    }
    if 'imgsz' in facts:
        data['input'] = {'size': _literal(facts, 'imgsz')}
    return card_from_dict(data)


def _literal(facts: dict[str, str], key: str) -> Any:
    try:
        return literal_eval(facts[key])
    except (ValueError, SyntaxError) as error:
        raise CardError(
            f"the exporter's {key} cannot be read: {facts[key][:80]!r}", 'a Python literal',
            'give a card with --card CARD.yaml',
        ) from error

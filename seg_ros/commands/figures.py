"""How commands print what they found: lines for people, or one object for programs."""

from collections.abc import Mapping
import json
from typing import Any

from seg_ros.graph.compiled import CompiledModel
from seg_ros.graph.network import described


def print_figures(figures: Mapping[str, Any], as_json: bool) -> None:
    """
    Print figures by name.

    :param figures: values that JSON can carry; lists take a line for each item.
    """
    if as_json:
        print(json.dumps(figures))
        return
    for key, value in figures.items():
        name = f'{key.replace("_", " ")}:'
        if not isinstance(value, list):
            print(f'{name:<15} {value}')
        else:
            print('\n'.join([name, *(f'  {item}' for item in value)]))


def compiled_figures(compiled: CompiledModel) -> dict[str, Any]:
    """Return what a compiled model takes and gives."""
    card, contract = compiled.card, compiled.contract
    limits = {
        key: getattr(contract, key) for key in ('score_floor', 'iou', 'top_k', 'max_instances')
    }
    return {
        'model': card.name,
        'task': card.task,
        'family': card.family,
        'input': f'{described(compiled.model.graph.input[0])} {card.input.color}, '
        f'{card.input.fit}',
        'outputs': [described(item) for item in compiled.model.graph.output],
        'batch': contract.max_batch or 'any',
        **({} if 'logits' in contract.tensors else limits),
        'notes': list(compiled.notes),
    }

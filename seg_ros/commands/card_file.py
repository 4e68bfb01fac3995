"""A model card as the text of a YAML file."""

from typing import Any

from seg_ros.core.card import ModelCard
import yaml


def text_from_card(card: ModelCard) -> str:
    """Write what `core.card_reading` reads back."""
    return yaml.safe_dump(_plain(card.to_dict()), sort_keys=False)


def _plain(value: Any) -> Any:
    """Turn tuples into lists, which YAML has."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value

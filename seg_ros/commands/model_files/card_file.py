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

"""A model card as the text of a YAML file."""

from typing import Any

from seg_ros.core.card import ModelCard
import yaml


def text_from_card(card: ModelCard) -> str:
    """Return a card as YAML, which `core.card_reading` reads."""
    return yaml.safe_dump(_plain(card.to_dict()), sort_keys=False)


def _plain(value: Any) -> Any:
    """Convert tuples to lists for YAML."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value

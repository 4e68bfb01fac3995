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

"""Validation of a data set's classes before training."""

from collections.abc import Mapping, Sequence
from typing import Any

from seg_ros.core.card_reading import card_from_dict
from seg_ros.core.errors import CardError, SettingError
from seg_ros.training.sample import OTHER


def checked_categories(
    rows: Sequence[Mapping[str, Any]], place: object
) -> list[dict[str, Any]]:
    """
    Check classes by the rules of a model card, and assign colours to those without one.

    :param rows: `id`, `name` and any other field of a card's classes.
    :param place: where the classes come from, for the error message.
    :returns: `id`, `name`, `isthing` and `color`; `roles` where a class has any.
    :raises SettingError: if the classes contradict each other or are more than 254.
    """
    if len(rows) > OTHER:
        raise SettingError(f'{place} has {len(rows)} classes', f'{OTHER} at most')
    try:
        card = card_from_dict({'name': 'data', 'classes': list(rows)})
    except CardError as error:
        raise SettingError(f'{place}: {error.seen}', error.expected, error.do) from error
    return [
        {'id': item.id, 'name': item.name, 'isthing': int(item.thing), 'color': list(item.color),
         **({'roles': list(item.roles)} if item.roles else {})}
        for item in card.classes
    ]

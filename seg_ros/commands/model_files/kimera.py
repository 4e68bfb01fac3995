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

"""The table of class colours for Kimera-Semantics."""

from seg_ros.core.card import ModelCard
from seg_ros.core.errors import CardError

_WHITE = (255, 255, 255)


def kimera_csv(card: ModelCard) -> str:
    """
    Return the CSV table name,red,green,blue,alpha,id by which Kimera interprets `color`.

    Kimera reserves label 0 (black here) and white for unknown, and stores labels in a byte. If a
    class has the id 0, all labels are one higher than the card's ids.

    :raises CardError: if a label does not fit a byte, or a class is white.
    """
    shift = int(0 in card.by_id)
    wrong = [item.name for item in card.classes if item.id + shift > 255 or item.color == _WHITE]
    if wrong:
        raise CardError(
            f'classes {wrong} of {card.name}', 'ids below 255 and no white class, for Kimera',
            'change the card and compile again',
        )
    rows = [('unknown', 0, 0, 0, 255, 0)]
    rows += [(item.name.replace(',', ' '), *item.color, 255, item.id + shift)
             for item in card.classes]
    return '\n'.join(['name,red,green,blue,alpha,id', *(','.join(map(str, row)) for row in rows)])

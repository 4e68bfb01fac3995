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

"""Kimera's colour table, read as Kimera reads it."""

import csv
import io

import pytest
from seg_ros.commands.model_files.kimera import kimera_csv
from seg_ros.core.card import ClassInfo, ModelCard
from seg_ros.core.errors import CardError


def card(*classes):
    return ModelCard('town', 'semantic', tuple(ClassInfo(*item) for item in classes))


def read_by_kimera(text):
    """Fill both maps as Kimera-Semantics src/color.cpp SemanticLabel2Color does."""
    label_of_color, color_of_label = {}, {}
    rows = list(csv.reader(io.StringIO(text)))
    assert rows[0] == ['name', 'red', 'green', 'blue', 'alpha', 'id']
    for _, red, green, blue, alpha, number in rows[1:]:
        rgba = int(red) % 256, int(green) % 256, int(blue) % 256, int(alpha) % 256
        label_of_color[rgba], color_of_label[int(number) % 256] = int(number) % 256, rgba
    color_of_label[0], label_of_color[255, 255, 255, 255] = (255,) * 4, 0
    return label_of_color, color_of_label


def test_every_class_colour_is_read_as_its_class_and_black_as_unknown():
    labels, _ = read_by_kimera(kimera_csv(card((3, 'road', (9, 8, 7)), (5, 'car', (1, 2, 3)))))
    assert labels == {
        (0, 0, 0, 255): 0, (9, 8, 7, 255): 3, (1, 2, 3, 255): 5, (255, 255, 255, 255): 0
    }


def test_a_class_with_the_id_0_does_not_become_unknown():
    town = card((0, 'road', (9, 8, 7)), (5, 'a,b', (1, 2, 3)))
    labels, colors = read_by_kimera(kimera_csv(town))
    assert labels[9, 8, 7, 255] == 1
    assert labels[1, 2, 3, 255] == 6
    assert colors[1] == (9, 8, 7, 255)


@pytest.mark.parametrize('item', [(255, 'far', (1, 2, 3)), (3, 'white', (255, 255, 255))])
def test_what_kimera_cannot_distinguish_from_unknown_is_refused(item):
    with pytest.raises(CardError, match='no white'):
        kimera_csv(card((0, 'road', (9, 8, 7)), item))

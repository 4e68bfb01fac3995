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

"""A model's classes in the ids of a data set."""

import numpy as np
import pytest
from seg_ros.commands.evaluation.matching import match_classes
from seg_ros.core.card_reading import card_from_dict
from seg_ros.core.errors import ContractError, SettingError
from seg_ros.core.segmentation import Segmentation
from seg_ros.masks.from_maps import segmentation_from_maps


def card_of(*classes):
    """Make a card of (id, name); names with a capital are countable."""
    return card_from_dict({'name': 'x', 'task': 'panoptic', 'classes': [
        {'id': number, 'name': name, 'thing': name[0].isupper()} for number, name in classes
    ]})


MODEL = card_of((0, 'floor'), (1, 'Cup'), (2, 'Box'))


def masks():
    classes = np.array([[0, 0, 1, 2], [0, 255, 1, 2]], np.uint8)
    return segmentation_from_maps(classes, np.array([[0, 0, 4, 7], [0, 0, 4, 7]]), MODEL)


def test_masks_take_the_ids_of_the_classes_with_their_names():
    matching = match_classes(MODEL, card_of((900, 'CUP'), (1, 'Floor'), (3, 'Door')))
    assert (matching.by, matching.only_model, matching.only_data) == ('name', ('Box',), ('Door',))
    found = matching.renamed(masks())
    found.verify()
    assert found.classes.tolist() == [[1, 1, 900, 65535], [1, 65535, 900, 65535]]
    assert found.instances.tolist() == [[0, 0, 4, 0], [0, 0, 4, 0]]
    assert [(item.id, item.class_id) for item in found.segments] == [(4, 900)]


def test_where_no_name_is_the_same_ids_are_matched():
    matching = match_classes(MODEL, card_of((2, 'Carton'), (9, 'Plate')))
    assert (matching.by, matching.only_model) == ('id', ('floor', 'Cup'))
    found = matching.renamed(masks())
    assert found.classes.tolist() == [[255, 255, 255, 2], [255, 255, 255, 2]]
    assert [(item.id, item.class_id) for item in found.segments] == [(7, 2)]


def test_classes_with_nothing_in_common_are_refused():
    with pytest.raises(SettingError, match='Plate; expected some of floor, Cup, Box'):
        match_classes(MODEL, card_of((9, 'Plate')))


def test_masks_without_instances_are_refused():
    only_classes = Segmentation((1, 1), 255, np.zeros((1, 1), np.uint8))
    with pytest.raises(ContractError, match='classes and instances'):
        match_classes(MODEL, MODEL).renamed(only_classes)

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

import numpy as np
import pytest
from seg_ros.core.card_reading import card_from_dict
from seg_ros.core.errors import ContractError
from seg_ros.core.segmentation import Segmentation
from seg_ros.masks.panoptic_ids import panoptic_ids

ROAD, CAR = 2, 5


def make_card(task):
    return card_from_dict({'name': 'street', 'task': task, 'classes': [
        {'id': ROAD, 'name': 'road'}, {'id': CAR, 'name': 'car', 'thing': True},
    ]})


def masks_of(classes, instances=(0,) * 4):
    """Return the masks of an image of one row."""
    size_hw, unlabelled = (1, len(classes)), np.iinfo(classes.dtype).max
    instances = np.array([instances[:len(classes)]], np.uint16)
    return Segmentation(size_hw, int(unlabelled), classes[None], None, instances)


def test_an_instance_keeps_its_id_whatever_its_class():
    masks = masks_of(np.array([ROAD, CAR, CAR, 255], np.uint8), (0, 7, 65535, 0))
    assert panoptic_ids(masks, make_card('panoptic')).tolist() == [[65538, 7, 65535, 0]]


@pytest.mark.parametrize(('task', 'expected'), [('panoptic', 0), ('semantic', 65536 + CAR)])
def test_a_car_without_an_instance_is_void_unless_there_are_no_instances_at_all(task, expected):
    masks = masks_of(np.array([ROAD, CAR, 255], np.uint8))
    assert panoptic_ids(masks, make_card(task)).tolist() == [[65538, expected, 0]]


def test_ids_of_16_bits_keep_their_places():
    card = card_from_dict({'name': 'many', 'classes': [{'id': 65534, 'name': 'last'}]})
    masks = masks_of(np.array([65534, 65535], np.uint16))
    assert panoptic_ids(masks, card).tolist() == [[131070, 0]]


@pytest.mark.parametrize('part', ['classes', 'instances'])
def test_masks_that_were_not_asked_for_are_refused(part):
    kind = {'classes': np.uint8, 'instances': np.uint16}[part]
    masks = Segmentation((1, 1), **{part: np.zeros((1, 1), kind)})
    with pytest.raises(ContractError, match='masks without'):
        panoptic_ids(masks, make_card('panoptic'))

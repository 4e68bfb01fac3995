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

"""Photographs of which not everything is labelled, and polygons drawn over the rest."""

import json

import cv2
import numpy as np
import pytest
from seg_ros.core.errors import SettingError
from seg_ros.training.hand_labels import fill, read_hand_labels
from seg_ros.training.photographs import photographs_of
from seg_ros.training.sample import instances_known, OTHER, VOID

FLOOR, WALL, SUPPORT, OBJECT, ROBOT, PERSON = range(6)
THINGS = np.array([False, False, False, True, False, True])


@pytest.fixture
def root(tmp_path):
    """Two sources of one photograph: a person at the left, the rest void."""
    rows = []
    for source, complete in (('street', ['object', 'person']), ('shop', [])):
        for kind in ('images', 'labels', 'instances'):
            (tmp_path / source / kind).mkdir(parents=True)
        labels, instances = np.full((60, 80), VOID, np.uint8), np.zeros((60, 80), np.uint16)
        labels[:, :20], instances[:, :20] = PERSON, 700
        cv2.imwrite(str(tmp_path / source / 'images/a.jpg'), np.zeros((60, 80, 3), np.uint8))
        cv2.imwrite(str(tmp_path / source / 'labels/a.png'), labels)
        cv2.imwrite(str(tmp_path / source / 'instances/a.png'), instances)
        rows.append({'name': 'a', 'source': source, 'complete': complete, 'license': 'CC0'})
    (tmp_path / 'index.json').write_text(json.dumps(rows))
    (tmp_path / 'train.txt').write_text('street/a\nshop/a\n')
    return tmp_path


def polygon(name, *xy):
    return {'class': name, 'xy': [list(corner) for corner in xy]}


def box(name, x0, y0, x1, y1):
    return polygon(name, (x0, y0), (x1, y0), (x1, y1), (x0, y1))


def test_pixels_without_a_label_are_of_no_class_that_is_complete(root):
    shop, street = photographs_of(root, 'train', {})
    assert (shop.name, street.name, len(street)) == ('shop', 'street', 1)
    sample = street.read(0)
    assert (sample.classes[:, 20:] == OTHER).all()
    assert sample.complete[[OBJECT, PERSON]].all()
    assert not sample.complete[[FLOOR, WALL, SUPPORT]].any()
    assert (shop.read(0).classes[:, 20:] == VOID).all()
    assert instances_known(sample, THINGS).all()
    assert (instances_known(shop.read(0), THINGS) == (shop.read(0).classes == PERSON)).all()


def test_a_photograph_is_credited_with_its_licence(root):
    assert photographs_of(root, 'train', {})[1].credits == [
        {'source': 'street', 'name': 'a', 'license': 'CC0'}
    ]


def test_instance_numbers_become_small(root):
    sample = photographs_of(root, 'train', {})[0].read(0)
    assert (sample.instances == (sample.classes == PERSON)).all()


def test_polygons_fill_only_what_the_source_leaves_without_a_label(root):
    label = {'size_hw': [60, 80], 'polygons': [
        box('floor', 0, 30, 79, 59), box('object', 40, 40, 49, 49), box('object', 60, 40, 69, 49),
        box('void', 60, 40, 64, 49),
    ]}
    sample = photographs_of(root, 'train', {'a': label})[1].read(0)
    assert (sample.classes[:, :20] == PERSON).all()
    assert (sample.classes[50:, 20:] == FLOOR).all()
    assert (sample.classes[:30, 20:] == OTHER).all()
    assert (sample.classes[40:50, 40:50] == OBJECT).all()
    assert (sample.classes[40:50, 60:65] == OTHER).all()
    assert len(np.unique(sample.instances)) == 4


def test_people_drawn_by_hand_are_instances_of_their_own():
    classes, instances = np.full((20, 30), VOID, np.uint8), np.zeros((20, 30), np.uint8)
    label = {'size_hw': [20, 30], 'polygons': [
        box('wall', 0, 0, 29, 19), box('person', 2, 2, 9, 19), box('person', 12, 2, 19, 19),
    ]}
    filled, numbers = fill(classes, instances, label, {'wall': WALL, 'person': PERSON})
    assert ((filled == PERSON) == (numbers > 0)).all()
    assert numbers[10, 5] != numbers[10, 15]


def test_polygons_drawn_on_another_size_are_scaled():
    classes, instances = np.full((30, 40), VOID, np.uint8), np.zeros((30, 40), np.uint8)
    label = {'size_hw': [60, 80], 'polygons': [box('wall', 0, 0, 79, 29)]}
    filled, _ = fill(classes, instances, label, {'wall': WALL})
    assert (filled[:14] == WALL).all()
    assert (filled[16:] == VOID).all()
    assert (classes == VOID).all()


def test_a_photograph_that_the_index_lacks_is_named(root):
    (root / 'train.txt').write_text('street/b\n')
    with pytest.raises(SettingError, match='street/b'):
        photographs_of(root, 'train', {})


def test_a_list_that_is_missing_is_named_with_those_that_there_are(root):
    (root / 'val.txt').write_text('')
    with pytest.raises(SettingError, match=r'no list test\.txt.*one of train, val'):
        photographs_of(root, 'test', {})


@pytest.mark.parametrize('index', ['[1, 2]', '{"street/a": 1}', '7', '[]', 'null', """[
    {"name": "a", "source": "street"}, {"name": "a", "source": "shop", "complete": []}
]"""])
def test_an_index_of_another_form_is_refused(root, index):
    (root / 'index.json').write_text(index)
    with pytest.raises(SettingError, match='with source, name and complete of'):
        photographs_of(root, 'train', {})


def test_a_photograph_without_its_labels_is_named(root):
    (root / 'street/labels/a.png').unlink()
    with pytest.raises(SettingError, match='a lacks its image, labels or instances'):
        photographs_of(root, 'train', {})[1].read(0)


def test_a_file_that_holds_no_polygons_is_refused(tmp_path):
    (tmp_path / 'labels.json').write_text('{"a": {"polygons": []}}')
    with pytest.raises(SettingError, match='polygons by the names of photographs'):
        read_hand_labels(tmp_path / 'labels.json')

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

"""Selection of the target object."""

import numpy as np
import pytest
from seg_ros.core.card import ClassInfo, ModelCard
from seg_ros.core.errors import SettingError
from seg_ros.core.frame import Frame
from seg_ros.core.segmentation import Segment, Segmentation
from seg_ros.depth.cloud import labelled_cloud
from seg_ros.depth.intrinsics import Intrinsics
from seg_ros.depth.targets import (
    check_target,
    distances_m,
    select_target,
    target_mask,
    target_points,
)

CUP, PERSON = 4, 9
CARD = ModelCard('kitchen', 'instance', (
    ClassInfo(CUP, 'cup', (1, 0, 0), True, ('graspable',)),
    ClassInfo(PERSON, 'person', (0, 1, 0), True, ('dynamic',)),
))
SEGMENTS = tuple(
    Segment(number, kind, score, (0, 0, 1, 1), 1)
    for number, kind, score in ((7, CUP, 0.9), (12, CUP, 0.8), (300, PERSON, 0.95))
)


def chosen(target, distances, card=CARD):
    found = select_target(target, SEGMENTS, card, distances)
    return found and found.id


def test_an_id_names_its_segment_and_nothing_else():
    assert chosen('12', {}) == 12
    assert chosen('300', {7: 0.5}) == 300
    assert chosen('13', {}) is None


def test_a_class_names_its_nearest_object():
    assert chosen('cup', {7: 0.9, 12: 0.6, 300: 0.1}) == 12
    assert chosen('person', {7: 0.9}) == 300
    assert chosen('spoon', {7: 0.9}) is None


def test_nearest_means_what_can_be_grasped():
    assert chosen('nearest', {7: 0.9, 12: 0.6, 300: 0.1}) == 12
    plain = ModelCard('plain', 'instance', tuple(
        ClassInfo(item.id, item.name, item.color, True) for item in CARD.classes
    ))
    assert chosen('nearest', {7: 0.9, 12: 0.6, 300: 0.1}, plain) == 300


def test_without_depth_the_surest_is_taken_and_one_with_depth_comes_first():
    assert chosen('cup', {}) == 7
    assert chosen('cup', {12: 5.0}) == 12


@pytest.mark.parametrize('target', ['', 'nearest', 'cup', '17', '65535'])
def test_a_word_that_can_name_something_is_taken(target):
    check_target(target, CARD)


@pytest.mark.parametrize('target', ['spoon', '-3', 'Cup', '0', '65536', '9' * 5000])
def test_a_word_that_can_name_nothing_is_refused_with_what_can(target):
    with pytest.raises(SettingError, match='nearest, or a class that has objects: cup, person'):
        check_target(target, CARD)


def test_where_no_class_has_objects_the_refusal_says_so():
    stuff = ModelCard('road', 'semantic', (ClassInfo(0, 'asphalt', (1, 2, 3)),))
    with pytest.raises(SettingError, match='or nothing: no class of road has objects'):
        check_target('asphalt', stuff)


def test_no_word_means_no_object():
    assert chosen('', {7: 0.5}) is None


def test_distances_are_the_medians_of_a_loop_over_segments():
    random = np.random.RandomState(0)
    ids = random.randint(0, 4, (60, 80)).astype(np.uint16)
    ids[ids == 3] = 65000
    metres = random.uniform(0.5, 3, (60, 80)).astype(np.float32)
    metres[random.uniform(size=ids.shape) < 0.3] = np.nan
    metres[ids == 2] = np.nan
    found = distances_m(metres, Segmentation((60, 80), 255, None, None, ids))
    small, z = ids[::2, ::2], metres[::2, ::2]
    assert sorted(found) == [1, 65000]
    for number, distance in found.items():
        assert distance == pytest.approx(np.nanmedian(z[small == number]))
    nothing = Segmentation((60, 80), 255, None, None, np.zeros((60, 80), np.uint16))
    assert distances_m(metres, nothing) == {}


def test_the_targets_cloud_is_that_of_its_mask_with_depth():
    ids = np.zeros((6, 8), np.uint16)
    ids[2:4, 3:6] = 7
    maps = Segmentation((6, 8), 255, None, None, ids)
    metres = np.full((6, 8), 1.5, np.float32)
    metres[2, 3] = np.nan
    camera = Intrinsics(10.0, 10.0, 3.5, 2.5, (6, 8))
    cloud = labelled_cloud(metres, camera, Frame(np.zeros((6, 8, 3), np.uint8)), maps)
    mask = target_mask(maps, SEGMENTS[0])
    np.testing.assert_array_equal(mask, ids == 7)
    assert len(target_points(cloud, mask)) == 5
    assert not target_mask(maps, None).any()
    assert len(target_points(cloud, target_mask(maps, None))) == 0

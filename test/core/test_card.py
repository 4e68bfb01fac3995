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

"""A model card finds its classes and refuses those that cannot be used."""

from dataclasses import replace

import numpy as np
import pytest
from seg_ros.core.card import (
    ClassInfo,
    distinct_colors,
    InputSpec,
    ROLES,
)
from seg_ros.core.errors import CardError
from town_card import FULL


def test_a_gray_network_sees_one_channel():
    assert InputSpec(color='gray', mean=(0.5,)).channels == 1
    assert InputSpec(color='bgr').channels == 3


def test_neighbours_among_the_colors_look_unlike():
    colors = np.array(distinct_colors(24), float)
    assert np.abs(np.diff(colors, axis=0)).max(axis=1).min() > 60


@pytest.mark.parametrize(('highest', 'unlabelled', 'kind'), [
    (254, 255, np.uint8), (255, 65535, np.uint16), (65534, 65535, np.uint16),
])
def test_masks_have_sixteen_bits_only_where_an_id_needs_them(highest, unlabelled, kind):
    card = replace(FULL, classes=(FULL.classes[0], replace(FULL.classes[1], id=highest)))
    assert card.unlabelled == unlabelled
    assert card.id_of_channel.dtype == kind
    np.testing.assert_array_equal(card.id_of_channel, [0, highest])


def test_classes_are_found_by_id_role_and_name():
    assert FULL.by_id[65534].name == 'car'
    assert FULL.ids_with_role('dynamic') == {65534}
    assert FULL.ids_with_role('ignore') == frozenset()
    assert FULL.channels_named(['car']) == {1}
    with pytest.raises(CardError, match=r"\['bus', 'tram'\].*road, car"):
        FULL.channels_named(['bus', 'car', 'tram'])


def test_only_the_size_changes_with_the_input_size():
    resized = FULL.with_input_size((32, 64))
    assert resized.input.size == (32, 64)
    assert resized.with_input_size(FULL.input.size) == FULL


def test_a_card_made_in_python_is_checked_alike():
    with pytest.raises(CardError, match='id 70000'):
        replace(FULL, classes=(ClassInfo(70000, 'road', (0, 0, 0)),))
    with pytest.raises(CardError, match='task'):
        replace(FULL, task='detection')


def test_the_roles_are_those_that_consumers_know():
    assert set(ROLES) == {'traversable', 'dynamic', 'graspable', 'support', 'ignore'}

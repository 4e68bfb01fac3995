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

"""A parameter's value is read as YAML and the tools of ROS give it, and described to them."""

from array import array

import pytest
from seg_ros.core.errors import SettingError
from seg_ros.ros.parameters import descriptor, FIELDS, value_of


@pytest.mark.parametrize(('name', 'given', 'expected'), [
    ('score_threshold', 1, 1.0), ('score_threshold', 0.25, 0.25), ('workers', 2, 2),
    ('tracking', True, True), ('model', 'canny', 'canny'),
    ('depth', False, 'off'),                        # YAML's word for false
    ('target', 7, '7'), ('device', 0, '0'),
    ('classes', 'person', ('person',)), ('classes', ['person', 'cup'], ('person', 'cup')),
    ('classes', None, ('',)), ('classes', array('q'), ('',)), ('cameras', [], ('camera',)),
])
def test_a_value_has_the_type_of_its_setting(name, given, expected):
    found = value_of(name, given)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(('name', 'given', 'words'), [
    ('score_threshold', True, 'a number'), ('score_threshold', '0.5', 'a number'),
    ('workers', 2.0, 'whole number'), ('workers', True, 'whole number'),
    ('tracking', 1, 'true or false'), ('target', 1.5, 'text'), ('target', True, 'text'),
    ('target', False, 'text'), ('classes', 5, 'list'), ('classes', [5], 'list'),
    ('workers', 17, '1 to 16'), ('ground', 'tilted', 'fit'),
])
def test_a_value_that_is_no_such_setting_is_refused_with_what_is_expected(name, given, words):
    with pytest.raises(SettingError, match=f'{name}.*{words}'):
        value_of(name, given)


@pytest.mark.parametrize('name', FIELDS)
def test_a_descriptor_has_the_meaning_the_choices_and_the_range_of_its_setting(name):
    item, described = FIELDS[name], descriptor(FIELDS[name])
    facts = item.metadata
    assert described.description == facts['meaning']
    assert described.dynamic_typing
    for choice in facts['choices']:
        assert str(choice) in described.additional_constraints
    ranges = [*described.floating_point_range, *described.integer_range]
    assert [(each.from_value, each.to_value) for each in ranges] == (
        [] if facts['low'] is None else [(facts['low'], facts['high'])]
    )
    assert len(described.integer_range) == (
        facts['low'] is not None and isinstance(item.default, int)
    )

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

"""What messages quote is short, however much there is of it."""

import pytest
from seg_ros.core.card import ClassInfo, ModelCard
from seg_ros.core.errors import CardError, SettingError
from seg_ros.core.settings import Settings
from seg_ros.core.shown import few
from seg_ros.engines.model_path import path_from_model

MOST = 400


def test_few_names_are_all_listed_and_many_are_counted():
    names = [f'n{number}' for number in range(25)]
    assert few(names[:20]) == ', '.join(names[:20])
    assert few(names).endswith('n18, n19, … (25 in all)')


@pytest.mark.parametrize('setting', [
    {'engine': 'x' * 10**5}, {'cameras': ('same',) * 10**4}, {'cameras': ('7' * 10**5,)},
    {'source_size': 'x' * 10**5}, {'brightness_range': '1' * 10**5}, {'lazy': 'x' * 10**5},
])
def test_a_setting_that_is_huge_is_quoted_in_part(setting):
    with pytest.raises(SettingError) as refusal:
        Settings(**setting)
    assert len(str(refusal.value)) < MOST


def test_a_class_that_a_large_card_lacks_is_answered_with_the_most_alike():
    card = ModelCard('large', 'semantic', tuple(
        ClassInfo(number, f'thing{number}', (number % 256, number // 256, 0))
        for number in range(1203)
    ))
    with pytest.raises(CardError) as refusal:
        card.channels_named(['thin77', *(f'c{number}' for number in range(10**5))])
    words = str(refusal.value)
    assert '(1203 in all)' in words
    assert 'did you mean thing77?' in words
    assert len(words) < MOST


def test_a_model_that_is_a_long_word_is_quoted_in_part():
    with pytest.raises(SettingError) as refusal:
        path_from_model('x' * 10**5)
    assert len(str(refusal.value)) < MOST

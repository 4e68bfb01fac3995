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

"""Prompts are boxes and points in pixels; what cannot be one is refused by what was seen."""

import pytest
from seg_ros.core.errors import CardError, PromptError, SettingError
from seg_ros.core.prompts import channel_of, Prompt, prompts_from_texts
from seg_ros.core.settings import Settings


@pytest.mark.parametrize(('texts', 'expected'), [
    (('',), []),
    (('10 20 30 40',), [(1, (10, 20, 30, 40), '')]),
    (('cup 1.5 2 3 4', '', '50 60'), [(1, (1.5, 2, 3, 4), 'cup'), (2, (50, 60, 50, 60), '')]),
    (('coffee cup 5 6',), [(1, (5, 6, 5, 6), 'coffee cup')]),
])
def test_texts_are_a_name_that_may_be_missing_and_two_or_four_numbers(texts, expected):
    found = [(item.id, item.xyxy, item.name) for item in prompts_from_texts(texts)]
    assert found == expected


@pytest.mark.parametrize('text', [
    'cup', '7', 'cup 1', '1 2 nan 4', '5 5 1 1', '5 1 1 5', '1 5 5 1', '1 1 1 5', '1 1 5 1',
    '1e9 5',
])
def test_a_text_that_is_no_prompt_is_refused_by_the_setting(text):
    with pytest.raises(SettingError, match='prompts: '):
        Settings(prompts=(text,))


@pytest.mark.parametrize('number', [0, -1, 65536])
def test_an_id_that_no_segment_can_have_is_refused(number):
    with pytest.raises(PromptError, match='id from 1 to 65535'):
        Prompt(number, (0, 0, 1, 1))
    assert Prompt(65535, (0, 0, 1, 1)).id == 65535


def test_a_prompt_without_a_name_asks_for_the_first_class():
    from fakes.promptable_network import CARD

    assert channel_of(Prompt(1, (0, 0, 1, 1)), CARD) == 0
    assert channel_of(Prompt(1, (0, 0, 1, 1), 'cup'), CARD) == 1
    with pytest.raises(CardError, match="classes \\['plate'\\]"):
        channel_of(Prompt(1, (0, 0, 1, 1), 'plate'), CARD)

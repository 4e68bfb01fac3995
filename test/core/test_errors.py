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

"""The error tree says what was seen, what was expected and what to do."""

import pytest
from seg_ros.core import errors
from seg_ros.core.errors import described, SegError

PARENTS = {
    'SettingError': 'SegError',
    'ImageError': 'SegError', 'PromptError': 'SegError',
    'ModelError': 'SegError',
    'CardError': 'ModelError',
    'FamilyError': 'ModelError',
    'PluginError': 'SegError',
    'EngineError': 'SegError',
    'ContractError': 'EngineError',
    'PlanError': 'EngineError',
    'NoEngineError': 'EngineError',
    'GpuMemoryError': 'EngineError',
    'ContextLostError': 'EngineError',
}


@pytest.mark.parametrize(('seen', 'expected', 'do', 'text'), [
    ('a cat', 'a dog', 'feed it', 'a cat; expected a dog; feed it'),
    ('a cat', 'a dog', '', 'a cat; expected a dog'),
    ('a cat', '', 'feed it', 'a cat; feed it'),
    ('a cat', '', '', 'a cat'),
])
def test_the_message_joins_the_clauses_that_there_are(seen, expected, do, text):
    error = SegError(seen, expected, do)
    assert str(error) == text
    assert (error.seen, error.expected, error.do) == (seen, expected, do)


def test_an_error_that_nobody_raised_on_purpose_is_described_by_its_type_too():
    assert described(SegError('a cat', 'a dog')) == 'a cat; expected a dog'
    assert described(KeyError('cat')) == "KeyError: 'cat'"
    assert described(MemoryError()) == 'MemoryError'


def test_the_tree_is_the_one_that_the_documentation_draws():
    tree = {
        name: kind.__base__.__name__
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and kind is not SegError
    }
    assert tree == PARENTS
    assert SegError.__base__ is Exception
    assert all(name in errors.__doc__ for name in tree)

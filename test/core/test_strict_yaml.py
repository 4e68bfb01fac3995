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
import pytest
from seg_ros.core.strict_yaml import load_yaml
import yaml


@pytest.mark.parametrize('text', [
    'a: {b: 1, c: 2}', '[1, -2, +3, 0, 0x1f, 1_000, 0.5, 1e3]',
    "['010', '1:00']", 'a: &x {b: 1}\nc: *x',
    'a: 2024-05-01', '', '~', 'a: !!binary aGk=', '? 1\n: b\n',
])
def test_plain_values_are_what_the_safe_loader_makes_of_them(text):
    assert load_yaml(text) == yaml.safe_load(text)


@pytest.mark.parametrize('text', [
    'a: 1\na: 1', '{a: {b: 1, b: 2}}', '[{1: a, 1: b}]', 'a: 007', 'a: 1:30', 'a: -010',
    '!!python/object/apply:os.system [ls]', '{[1]: a}', '{[1]: a, [1]: b}', '{{a: 1}: b}',
])
def test_what_would_be_dropped_or_changed_is_refused(text):
    with pytest.raises(yaml.YAMLError):
        load_yaml(text)

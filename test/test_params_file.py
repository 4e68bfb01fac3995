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

"""A parameter file gives the parameters that rcl reads from it."""

from pathlib import Path

import pytest
from seg_ros.core.errors import SettingError
from seg_ros.params_file import matches, parameters_for


@pytest.mark.parametrize(('pattern', 'node', 'fits'), [
    ('/**', '/segmentation', True), ('/**', '/robot/segmentation', True),
    ('/segmentation', '/segmentation', True), ('segmentation', '/segmentation', True),
    ('/segmentation', '/robot/segmentation', False), ('/*', '/segmentation', True),
    ('/*', '/robot/segmentation', False), ('/*/segmentation', '/robot/segmentation', True),
    ('/**/segmentation', '/segmentation', True), ('/**/segmentation', '/a/b/segmentation', True),
    ('/**/segmentation', '/a/segmentation2', False), ('/seg.*', '/segmentation', False),
])
def test_a_section_is_for_the_nodes_that_its_pattern_names(
    pattern: str, node: str, fits: bool
) -> None:
    assert matches(pattern, node) is fits


def test_later_sections_overrule_earlier_ones_and_namespaces_may_nest(tmp_path: Path) -> None:
    path = tmp_path / 'p.yaml'
    path.write_text(
        '/**:\n  ros__parameters: {a: 1, b: 1}\n'
        'robot:\n  segmentation:\n    ros__parameters: {b: 2}\n'
        '/other:\n  ros__parameters: {a: 3}\n'
    )
    assert parameters_for(path, '/robot/segmentation') == {'a': 1, 'b': 2}
    assert parameters_for(path, '/other') == {'a': 3, 'b': 1}


@pytest.mark.parametrize('text', ['', 'word', '[1, 2]', '/**:', '/**:\n  ros__parameters:'])
def test_a_file_without_parameters_sets_none(text: str, tmp_path: Path) -> None:
    (tmp_path / 'p.yaml').write_text(text)
    assert parameters_for(tmp_path / 'p.yaml', '/n') == {}


@pytest.mark.parametrize('data', [b'a: [', b'\xff\xfe\0', b'\t- a'])
def test_a_file_that_is_no_yaml_is_one_clear_error(data: bytes, tmp_path: Path) -> None:
    (tmp_path / 'p.yaml').write_bytes(data)
    with pytest.raises(SettingError, match=r'p\.yaml cannot be read'):
        parameters_for(tmp_path / 'p.yaml', '/n')

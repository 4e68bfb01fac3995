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

"""
What a parameter file of ROS says to one node.

Reference: rcl_yaml_param_parser: `*` stands for one name of a namespace, `**` for any number, and
what stands later overrules what stood before.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
import re
from typing import Any

from seg_ros.core.errors import SettingError
from seg_ros.core.whole_file import open_plain
import yaml

PARAMETERS = 'ros__parameters'


def parameters_for(params_file: Path, node: str) -> dict[str, Any]:
    """
    Read what a file sets for a node.

    :param node: its full name, as `/robot/segmentation`.
    :raises SettingError: if the file cannot be read.
    """
    values: dict[str, Any] = {}
    for pattern, parameters in sections(params_file):
        if matches(pattern, node):
            values |= parameters
    return values


def sections(params_file: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """
    Give every section of a file: the pattern of its nodes' names, and its parameters.

    :raises SettingError: if the file is missing, no YAML, or not made of sections.
    """
    try:
        with open_plain(params_file) as file:
            content = yaml.safe_load(file.read().decode()) or {}
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise SettingError(
            f'{params_file} cannot be read ({error})', 'a YAML file of ROS parameters'
        ) from error
    yield from _within('', content)


def _within(name: str, content: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if not isinstance(content, Mapping):
        return
    for key, inner in content.items():
        if key == PARAMETERS:
            yield name, inner if isinstance(inner, Mapping) else {}
        else:
            yield from _within(f'{name}/{str(key).strip("/")}', inner)


def matches(pattern: str, node: str) -> bool:
    """Say whether a section is for a node of this full name."""
    words = (
        {'**': '(?:/[^/]+)*', '*': '/[^/]+'}.get(word, f'/{re.escape(word)}')
        for word in pattern.strip('/').split('/')
    )
    return re.fullmatch(''.join(words), node) is not None

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
The parameters that a ROS parameter file sets for one node.

Reference: rcl_yaml_param_parser. `*` matches one name of a namespace, `**` any number of them, and
later sections override earlier ones.
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
    Return the parameters that a file sets for a node.

    :param node: its fully qualified name, e.g. `/robot/segmentation`.
    :raises SettingError: if the file cannot be read.
    """
    values: dict[str, Any] = {}
    for pattern, parameters in sections(params_file):
        if matches(pattern, node):
            values |= parameters
    return values


def sections(params_file: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """
    Yield every section of a file: the pattern of its nodes' names, and its parameters.

    :raises SettingError: if the file cannot be read or is not YAML.
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
    """Return whether a section's pattern matches a fully qualified node name."""
    words = (
        {'**': '(?:/[^/]+)*', '*': '/[^/]+'}.get(word, f'/{re.escape(word)}')
        for word in pattern.strip('/').split('/')
    )
    return re.fullmatch(''.join(words), node) is not None

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

"""Parameters of Nav2, completed with costmap layers that read masks."""

from collections.abc import Mapping
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from seg_ros.core.errors import SettingError
import yaml

TOPICS = '/segmentation/camera'     # prefix of the topics in our file


def completed_file(nav2_file: str, layer_file: str, topics: str) -> str:
    """
    Write Nav2's parameters with those of the layers to a temporary file, and return its path.

    :param topics: absolute prefix of the camera's output topics.
    :raises SettingError: if either file cannot be read.
    """
    layers = _read(layer_file, topics)
    with NamedTemporaryFile('w', prefix='nav2_', suffix='.yaml', delete=False) as file:
        yaml.safe_dump(completed(_read(nav2_file, topics), layers), file)
    return file.name


def completed(given: Mapping[str, Any], added: Mapping[str, Any]) -> dict[str, Any]:
    """
    Add missing parameters; given ones are kept.

    Missing entries of `plugins`, a costmap's list of layers, come first, since inflation is last.
    """
    result = dict(given)
    for key, value in added.items():
        here = result.get(key)
        if isinstance(here, Mapping) and isinstance(value, Mapping):
            result[key] = completed(here, value)
        elif key == 'plugins' and here:
            result[key] = [name for name in value if name not in here] + list(here)
        else:
            result.setdefault(key, value)
    return result


def _read(path: str, topics: str) -> Mapping[str, Any]:
    try:
        text = Path(path).expanduser().read_text(encoding='utf-8')
        content = yaml.safe_load(text.replace(f'{TOPICS}/', f'{topics}/'))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise SettingError(
            f'{path} cannot be read ({error})', 'a YAML file of ROS parameters'
        ) from error
    if not isinstance(content, Mapping):
        raise SettingError(f'{path} holds no parameters', 'a YAML file of ROS parameters')
    return content

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

"""Strict YAML: what other readers silently drop or change is refused."""

import re
from typing import Any

import yaml


def load_yaml(text: str) -> Any:
    """
    Read plain values.

    :raises yaml.YAMLError: also for duplicate keys, of which other readers take the last, and for
        integers such as 010 and 1:00, which YAML 1.1 reads as 8 and 60.
    :raises ValueError: for a number of thousands of digits, or a date that does not exist.
    :raises RecursionError: for values nested too deeply.
    """
    return yaml.load(text, _StrictLoader)


class _StrictLoader(yaml.SafeLoader):
    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        """Check keys before any are merged or overwritten."""
        node = super().compose_mapping_node(anchor)
        keys: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue    # the constructor refuses it
            if key.value in keys:
                raise yaml.constructor.ConstructorError(
                    None, None, f'the key {key.value} again', key.start_mark
                )
            keys.add(key.value)
        return node


def _whole_number(loader: _StrictLoader, node: yaml.ScalarNode) -> int:
    number: int = loader.construct_yaml_int(node)
    if ':' in node.value or re.fullmatch('[-+]?0[0-9_]+', node.value):
        raise yaml.constructor.ConstructorError(
            None, None, f'{node.value}, which would be {number},', node.start_mark
        )
    return number


_StrictLoader.add_constructor('tag:yaml.org,2002:int', _whole_number)

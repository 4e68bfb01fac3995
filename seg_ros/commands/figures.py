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

"""Figures by name, printed as text or JSON."""

from collections.abc import Mapping
import json
from typing import Any


def print_figures(figures: Mapping[str, Any], as_json: bool) -> None:
    """
    Print figures by name.

    :param figures: values that JSON supports; each item of a list is printed on its own line.
    """
    if as_json:
        print(json.dumps(figures))
        return
    for key, value in figures.items():
        name = f'{key.replace("_", " ")}:'
        if isinstance(value, Mapping):
            value = [f'{part} {figure:.4g}' for part, figure in value.items()]
        if not isinstance(value, list):
            print(f'{name:<15} {value}')
        else:
            print('\n'.join([name, *(f'  {item}' for item in value)]))

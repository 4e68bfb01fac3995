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

"""Generates tables of the node's parameters from the settings."""

from collections.abc import Collection
from dataclasses import Field, fields
from typing import Any

from seg_ros.core.plugins import ENGINES, plugin_names
from seg_ros.core.settings import Settings

BEGIN, END = '<!-- parameters: made by `make docs` -->', '<!-- end of parameters -->'
WHEN = {
    'live': 'at once', 'configure': 'at the next configure', 'unconfigured': 'only unconfigured',
}
# Parameters that most users set, without those for experts.
MOST_USED = (
    'model', 'engine', 'cameras', 'image_transport', 'score_threshold', 'min_confidence',
    'classes', 'max_age_ms', 'max_rate_hz', 'workers', 'tracking', 'smoothing', 'depth', 'target',
)
EVERY = tuple(item.name for item in fields(Settings))


def parameter_table(names: Collection[str] = EVERY) -> str:
    """Return parameters as a Markdown table, in the order of the settings."""
    rows = ['| parameter | default | values | takes effect | meaning |', '| --- ' * 5 + '|']
    rows += [_row(item) for item in fields(Settings) if item.name in names]
    return '\n'.join(rows)


def with_table(text: str, names: Collection[str] = EVERY) -> str:
    """Return a page's text with the table between its markers regenerated."""
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return f'{head}{BEGIN}\n{parameter_table(names)}\n{END}{tail}'


def _row(item: 'Field[Any]') -> str:
    facts = item.metadata
    added = plugin_names(ENGINES) if item.name == 'engine' else ()
    values = ', '.join(f'`{choice}`' for choice in facts['choices'] if choice not in added)
    if facts['low'] is not None:
        values = f'{facts["low"]:g} to {facts["high"]:g} {facts["unit"]}'.strip()
    default = list(item.default) if isinstance(item.default, tuple) else item.default
    shown = f'`{str(default).lower() if isinstance(default, bool) else default}`'
    return (
        f'| `{item.name}` | {shown if default != "" else "empty"} | {values} '
        f'| {WHEN[facts["when"]]} | {facts["meaning"]} |'
    )

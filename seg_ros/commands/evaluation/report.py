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

"""Figures of an evaluation as a text table."""

from collections.abc import Mapping
from typing import Any

from seg_ros.commands.evaluation.confusion_table import confusion_lines

# The figures that are printed; --json has all.
HEADLINES = (
    'miou', 'miou_present', 'pq', 'sq', 'rq', 'pq_things', 'pq_stuff', 'ap', 'ap50', 'boundary_f',
    'object_pq', 'object_precision', 'object_recall', 'object_recall_from_400',
    'object_recall_under_400', 'object_recall_400_to_2500', 'object_recall_over_2500',
)
COLUMNS = ('iou', 'pq', 'sq', 'rq', 'ap', 'boundary_f')


def report(figures: Mapping[str, Any]) -> str:
    """Format the figures of `seg_ros eval` as text."""
    left_out = f' ({figures["skipped"]} skipped)' if figures['skipped'] else ''
    scores = figures['scores']
    lines = [f'{figures["model"]} on {figures["images"]} images{left_out}',
             *figures['notes'], '', _line('', scores)]
    lines += [
        _line(name.replace('_', ' '), [_number(item.get(name)) for item in scores.values()])
        for name in HEADLINES if any(item.get(name) is not None for item in scores.values())
    ]
    lines += ['', _line('class', COLUMNS)]
    lines += [
        _line(name, [_number(row.get(column)) for column in COLUMNS])
        for name, row in figures['per_class']['model'].items()
    ]
    lines += ['', *_recalls(figures['per_class']['model'])]
    lines += ['', *confusion_lines(figures['confusion']), *_sources(figures['by_source'])]
    return '\n'.join(lines)


def _recalls(rows: Mapping[str, Mapping[str, float]]) -> list[str]:
    """Format the recall of instances with the right class, by size."""
    sizes: list[str] = []
    for row in rows.values():
        for key in row:
            size = key.removeprefix('recall_')
            if size != key and size not in sizes:
                sizes.append(size)
    lines = []
    for name, row in rows.items():
        for size in sizes:
            if f'recall_{size}' in row:
                label = f'{name} {size.replace("_", " ")} pixels, found'
                share, count = row[f'recall_{size}'], row[f'count_{size}']
                lines.append(f'{label:<36}{share:.3f} of {count}')
    return lines


def _sources(sources: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Format the figures of each source of the data."""
    lines = []
    for name, row in sources.items():
        lines += ['', f'{name}: {row["images"]} images']
        for key, value in row.items():
            if key != 'images':
                lines.append(f'  {key.replace("_", " "):<26}{_number(value):>12}')
    return lines


def _line(name: str, cells: Any) -> str:
    return f'{name:<28}' + ''.join(f'{cell:>12}' for cell in cells)


def _number(value: float | None) -> str:
    return '-' if value is None else f'{value:.3f}'

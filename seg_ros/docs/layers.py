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

"""Reads the imports between layers from the source code, and draws them."""

import ast
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import TypeAlias

Arrows: TypeAlias = Mapping[str, frozenset[str]]

RUNTIME = ('core', 'image', 'masks', 'temporal', 'depth', 'engines', 'pipeline', 'ros')
TOOLS = (
    'api', 'compile', 'metrics', 'sim', 'training', 'zoo', 'bench', 'demo', 'commands'
)
_BOX, _GAP = (104, 34), (34, 62)


def arrows_from_source(package: Path) -> Arrows:
    """
    Return, for each layer, the other layers that its files import.

    :param package: the folder `seg_ros`.
    """
    layers = (*RUNTIME, *TOOLS)
    return {
        layer: frozenset(
            name for file in (package / layer).rglob('*.py')
            for name in _imported(file) if name in layers and name != layer
        )
        for layer in layers
    }


def _imported(file: Path) -> set[str]:
    """Return the layers of seg_ros that a file imports, inside functions too."""
    names = []
    for node in ast.walk(ast.parse(file.read_text(encoding='utf-8'))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names += [f'{node.module}.{alias.name}' for alias in node.names]
    return {name.split('.')[1] for name in names if name.startswith('seg_ros.')}


def without_detours(arrows: Arrows) -> Arrows:
    """Remove arrows that a longer path implies, to keep the diagram readable."""
    return {
        layer: frozenset(
            to for to in below
            if not any(_reaches(arrows, between, to) for between in below - {to})
        )
        for layer, below in arrows.items()
    }


def _reaches(arrows: Arrows, start: str, end: str) -> bool:
    return end in arrows[start] or any(_reaches(arrows, to, end) for to in arrows[start])


def rows_of(arrows: Arrows) -> list[list[str]]:
    """Arrange layers in rows, each above all layers that it imports."""
    height: dict[str, int] = {}

    def place(layer: str) -> int:
        if layer not in height:
            height[layer] = 1 + max((place(to) for to in arrows[layer]), default=-1)
        return height[layer]

    top = max(map(place, arrows))
    return [[layer for layer in arrows if height[layer] == row] for row in range(top, -1, -1)]


def svg(arrows: Arrows) -> str:
    """Draw the layers and their imports, without those that a longer path implies."""
    rows = rows_of(arrows)
    width = max(map(len, rows)) * (_BOX[0] + _GAP[0]) + _GAP[0]
    centres = {
        layer: (
            width * (column + 0.5) / len(row),
            _GAP[1] / 2 + index * (_BOX[1] + _GAP[1]) + _BOX[1] / 2,
        )
        for index, row in enumerate(rows) for column, layer in enumerate(row)
    }
    height = len(rows) * (_BOX[1] + _GAP[1])
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        'font-family="sans-serif" font-size="15">',
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" '
        'markerHeight="7" orient="auto"><path d="M0 0 8 4 0 8z" fill="#777777"/></marker></defs>',
    ]
    for layer, below in without_detours(arrows).items():
        lines += [_arrow(centres[layer], centres[to]) for to in sorted(below)]
    lines += [_box(layer, *centre) for layer, centre in centres.items()]
    return '\n'.join([*lines, '</svg>\n'])


def _arrow(start: tuple[float, float], end: tuple[float, float]) -> str:
    (x0, y0), (x1, y1) = (start[0], start[1] + _BOX[1] / 2), (end[0], end[1] - _BOX[1] / 2)
    bend = _BOX[0] if y1 - y0 > _BOX[1] + _GAP[1] else 0    # around boxes in between
    return (
        f'<path d="M{x0:.0f} {y0:.0f} Q{(x0 + x1) / 2 + bend:.0f} {(y0 + y1) / 2:.0f} '
        f'{x1:.0f} {y1:.0f}" '
        'stroke="#777777" fill="none" marker-end="url(#tip)"/>'
    )


def _box(layer: str, x: float, y: float) -> str:
    fill = '#d6e9f8' if layer in RUNTIME else '#eeeeee'
    return (
        f'<rect x="{x - _BOX[0] / 2:.0f}" y="{y - _BOX[1] / 2:.0f}" width="{_BOX[0]}" '
        f'height="{_BOX[1]}" rx="5" fill="{fill}" stroke="#555555"/>'
        f'<text x="{x:.0f}" y="{y + 5:.0f}" text-anchor="middle">{escape(layer)}</text>'
    )

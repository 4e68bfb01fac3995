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

"""Writes the results of a benchmark as JSON, as Markdown and as a histogram."""

from collections.abc import Iterator, Mapping, Sequence
import json
from pathlib import Path
from typing import Any

from seg_ros.bench.histogram import draw_histogram
from seg_ros.core.whole_file import write_whole

SAMPLES = 'samples_ms'


def write_report(
    folder: Path, name: str, machine: Mapping[str, Any], found: Mapping[str, Mapping[str, Any]]
) -> list[Path]:
    """
    Write NAME.json, NAME.md and, if there are samples, NAME.png.

    :param found: figures by row; `samples_ms` are durations for the histogram, or sets of them.
    :returns: paths of the files.
    """
    paths = [folder / f'{name}.{ending}' for ending in ('json', 'md', 'png')]
    write_whole(paths[0], json.dumps({'machine': machine, name: found}).encode())
    write_whole(paths[1], '\n'.join([
        f'# {name}', '', *_rows('machine', [('machine', machine)]), '',
        *_rows(name, [(row, without_samples(values)) for row, values in found.items()]), '',
    ]).encode())
    sets = dict(sample_sets(found))
    if sets:
        draw_histogram(sets, paths[2])
    return paths if sets else paths[:2]


def row_names(models: Sequence[Path]) -> list[str]:
    """Name each model's row after its file, or after its path if two files have the same name."""
    names = [model.name for model in models]
    return [model.name if names.count(model.name) == 1 else str(model) for model in models]


def without_samples(values: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out the single durations, which are only for the histogram."""
    return {key: value for key, value in values.items() if key != SAMPLES}


def sample_sets(found: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, list[float]]]:
    """Yield every set of durations with its name."""
    for row, values in found.items():
        samples = values.get(SAMPLES, [])
        if isinstance(samples, Mapping):
            yield from ((f'{row}, {name}', each) for name, each in samples.items())
        elif samples:
            yield row, samples


def _rows(title: str, rows: list[tuple[str, Mapping[str, Any]]]) -> list[str]:
    """Return a table with the rows' names in the first column and their figures in the second."""
    return [f'| {title} | |', '| --- | --- |', *(
        f'| {row} | {"<br>".join(flattened(values))} |' for row, values in rows
    )]


def flattened(values: Mapping[str, Any], prefix: str = '') -> Iterator[str]:
    """Yield `name: value` for every figure, including nested ones."""
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from flattened(value, f'{prefix}{key} ')
        else:
            yield f'{prefix}{key}: {value}'

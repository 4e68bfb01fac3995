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

"""Load outputs of other packages from entry points."""

from collections.abc import Iterable, Sequence

from seg_ros.core.plugins import load_plugins, OUTPUTS
from seg_ros.ros.publishers import Output


def plugin_outputs(own: Sequence[Output]) -> tuple[tuple[Output, ...], tuple[str, ...]]:
    """
    Load the outputs of all plug-ins.

    :param own: built-in outputs, whose topics plug-ins cannot replace.
    :returns: the outputs, and why plug-ins were skipped.
    """
    loaded, skipped = load_plugins(OUTPUTS)
    added: list[Output] = []
    reasons = list(skipped)
    for name, rows in loaded.items():
        reason = _refusal(rows, {output.topic for output in (*own, *added)})
        if reason:
            reasons.append(f'plug-in {name} of the group {OUTPUTS} is skipped: {reason}')
        else:
            added += rows
    return tuple(added), tuple(reasons)


def _refusal(rows: object, taken: set[str]) -> str:
    if not isinstance(rows, Iterable) or not all(isinstance(row, Output) for row in rows):
        return f'it names {rows!r} instead of a tuple of Output'
    double = [row.topic for row in rows if row.topic in taken]
    return f'the topics {", ".join(double)} exist already' if double else ''

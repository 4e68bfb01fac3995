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

"""Runs the closed loops by name."""

from collections.abc import Callable, Sequence
from contextlib import closing
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeAlias

from seg_ros.bench.loops.masks import MaskSource, NETWORK, network_masks, true_masks, TRUTH
from seg_ros.core.errors import SettingError

Row: TypeAlias = dict[str, Any]
Loop: TypeAlias = Callable[[dict[str, MaskSource], int], dict[str, Row]]

# Module and function of each loop.
_LOOPS = {
    'picks': ('picks', 'picks'), 'odometry': ('walk', 'odometries'),
    'mapping': ('mapping', 'mappings'), 'drive': ('drive', 'drives'),
}


def loops(model: Path | None, seeds: int, names: Sequence[str]) -> dict[str, Row]:
    """
    Run closed loops with ground-truth masks and with a model's, side by side.

    :param model: a compiled model with the simulated worlds' classes; None for the default one.
    :param seeds: number of worlds in which each loop runs.
    :param names: loops to run, keys of `_LOOPS`.
    :returns: one row for each loop and kind of masks.
    :raises SettingError: if PyBullet is missing.
    """
    if find_spec('pybullet') is None:
        raise SettingError('no PyBullet for simulated worlds', do='pip install seg_ros[sim]')
    found: dict[str, Row] = {}
    with closing(network_masks(model)) as network:
        sources: dict[str, MaskSource] = {TRUTH: true_masks, NETWORK: network.masks}
        for name in names:
            found.update(_loop(name)(sources, seeds))
    return found


def _loop(name: str) -> Loop:
    """Import only the chosen loop."""
    module, function = _LOOPS[name]
    loop: Loop = getattr(import_module(f'seg_ros.bench.loops.{module}'), function)
    return loop

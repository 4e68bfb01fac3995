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

"""Figures from the masks and diagnostics that a reader received."""

from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
from seg_ros.bench.samples import summary
from seg_ros.core.errors import EngineError

# (stamp_ns, age_ms) of each mask by topic, in the order of arrival.
Arrivals: TypeAlias = dict[str, list[tuple[int, float]]]


def status_figures(statuses: dict[str, dict[str, str]]) -> dict[str, Any]:
    """Return the network's time and the dropped frames from the nodes' last diagnostics."""
    engines = [values for name, values in statuses.items() if name.endswith(': engine')]
    if not engines:     # nodes that publish no diagnostics
        return {}
    drops: dict[str, int] = {}
    for values in statuses.values():
        for key, value in values.items():
            if key.startswith('dropped_'):
                drops[key[8:]] = drops.get(key[8:], 0) + int(value)
    return {
        'network_median_ms': max(float(each['network_ms_median']) for each in engines),
        'network_p99_ms': max(float(each['network_ms_p99']) for each in engines),
        'drops': {cause: count for cause, count in drops.items() if count},
    }


def counted(arrivals: Arrivals, rate_hz: float, seconds: float) -> dict[str, Any]:
    """
    Summarise ages, rates and missed frames.

    :raises EngineError: if a camera has no masks.
    """
    ages = [age for rows in arrivals.values() for _, age in rows]
    counts = [len(rows) for rows in arrivals.values()]
    if not min(counts):
        raise EngineError(f'{counts} masks in {seconds:g} s', 'some of every camera')
    backward = sum(
        later[0] < earlier[0] for rows in arrivals.values()
        for earlier, later in pairwise(rows)
    )
    return {
        'age_ms': summary(ages).to_dict(),
        'rate_hz': round(sum(counts) / seconds, 2),
        'per_camera_hz': [round(count / seconds, 2) for count in counts],
        'missed': round(1 - sum(counts) / (rate_hz * seconds * len(counts)), 3),
        'backward': backward,
        'samples_ms': [round(age, 2) for age in ages],
    }


def age_growth_ms(arrivals: Arrivals) -> float:
    """Return the median age in the last fifth minus that in the first, the largest by topic."""
    growth = []
    for rows in arrivals.values():
        ages, fifth = [age for _, age in rows], max(1, len(rows) // 5)
        growth.append(float(np.median(ages[-fifth:]) - np.median(ages[:fifth])))
    return round(max(growth), 2)


def per_frame(used_s: float, arrivals: Arrivals, seconds: float) -> dict[str, float]:
    """Return the processor time for each mask, and the number of cores used on average."""
    frames = sum(map(len, arrivals.values()))
    return {
        'cpu_ms_per_mask': round(1e3 * used_s / frames, 1), 'cores': round(used_s / seconds, 3)
    }

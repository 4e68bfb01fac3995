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

"""Measures durations interleaved, so that a disturbance affects all tasks, and summarises them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
import random
from time import perf_counter
from typing import Any

import numpy as np

WARM_ROUNDS = 3


@dataclass(frozen=True)
class Summary:
    """A set of durations, in milliseconds."""

    median: float
    p99: float
    most: float
    count: int

    def to_dict(self) -> dict[str, float]:
        """Return plain values for JSON, to the microsecond."""
        return {key: round(value, 3) for key, value in asdict(self).items()}


def summary(samples_ms: Sequence[float]) -> Summary:
    """Return median, 99th percentile, maximum and count of at least one duration."""
    median, p99 = np.percentile(samples_ms, (50, 99))
    return Summary(float(median), float(p99), float(max(samples_ms)), len(samples_ms))


def interleaved(
    tasks: Mapping[str, Callable[[], object]], rounds: int, warm_rounds: int = WARM_ROUNDS
) -> dict[str, list[float]]:
    """
    Run every task once per round, in another order each round.

    :param tasks: functions that run the tasks, by name.
    :param warm_rounds: additional rounds at the start, which are not recorded.
    :returns: for each task its durations in milliseconds, one per round.
    """
    shuffle = random.Random(0)
    durations_ms: dict[str, list[float]] = {name: [] for name in tasks}
    for _ in range(warm_rounds + rounds):
        for name in shuffle.sample(list(tasks), len(tasks)):
            start = perf_counter()
            tasks[name]()
            durations_ms[name].append(1e3 * (perf_counter() - start))
    return {name: samples[warm_rounds:] for name, samples in durations_ms.items()}


def median_ms(task: Callable[[], object], rounds: int, warm_rounds: int = 0) -> float:
    """Return the median duration of a task in milliseconds."""
    return summary(interleaved({'task': task}, rounds, warm_rounds)['task']).median


def median_runs(
    variants: Mapping[str, Callable[[], dict[str, Any]]], repeats: int,
    figure: Callable[[dict[str, Any]], float],
) -> dict[str, tuple[dict[str, Any], float]]:
    """
    Run several variants of the same, interleaved because the machine's speed varies.

    :param variants: functions that run them, by name, and return figures.
    :param repeats: how often each is run.
    :param figure: selects the figure to compare.
    :returns: for each variant the run with the median figure, and the median ratio of its figures
        to those of the first variant in the same repeats.
    """
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in variants}
    for repeat in range(repeats):
        for name in list(variants)[::-1 if repeat % 2 else 1]:
            runs[name].append(variants[name]())
    first = np.array([figure(run) for run in next(iter(runs.values()))])
    return {
        name: (
            sorted(each, key=figure)[repeats // 2],
            round(float(np.median(np.array([figure(run) for run in each]) / first)), 2),
        )
        for name, each in runs.items()
    }


def difference(whole_ms: Sequence[float], part_ms: Sequence[float]) -> float:
    """
    Return the median difference between the whole and the part in the same round.

    :param whole_ms: one duration per round, as returned by `interleaved`.
    :param part_ms: durations of the same rounds.
    """
    return float(np.median(np.subtract(whole_ms, part_ms)))

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

"""
Random input by the minute: hypothesis, with a seed and a time.

`SEG_ROS_FUZZ_SECONDS` is how long each property is tried (3 unless set, `make soak` takes more),
`SEG_ROS_FUZZ_SEED` where it begins (0). A failure names the seed that brings it back at once.
"""

from collections.abc import Callable
import os
import sys
from time import monotonic
from typing import Any

from hypothesis import given, HealthCheck, Phase, seed, settings
from hypothesis.strategies import SearchStrategy
from seg_ros.core.errors import SegError

SECONDS = float(os.environ.get('SEG_ROS_FUZZ_SECONDS', '3'))
SEED = int(os.environ.get('SEG_ROS_FUZZ_SEED', '0'))
EXAMPLES = 50
PHASES = (Phase.generate, Phase.shrink)


def fuzz(inputs: SearchStrategy[Any], check: Callable[[Any], None]) -> None:
    """
    Try a property on random inputs, at least on some, until the time is over.

    :param check: raises where the property does not hold.
    """
    end, number = monotonic() + SECONDS, SEED
    while True:
        # A function of its own for each round: hypothesis marks the one that it runs.
        run = settings(
            max_examples=EXAMPLES, deadline=None, database=None, phases=PHASES,
            suppress_health_check=list(HealthCheck),
        )(seed(number)(given(inputs)(lambda value: check(value))))
        try:
            run()
        except BaseException:
            sys.stderr.write(f'again: SEG_ROS_FUZZ_SEED={number} SEG_ROS_FUZZ_SECONDS=0\n')
            raise
        number += 1
        if monotonic() > end:
            return


def unless(kind: type[SegError], call: Callable[[], Any]) -> Any:
    """Return what a call gives, or None where it raises an error of ours that says what it saw."""
    try:
        return call()
    except kind as error:
        words = error.seen
    assert words
    return None

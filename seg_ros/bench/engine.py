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

"""Times inference alone, in every installed CPU runtime and by number of threads."""

from collections.abc import Iterator, Sequence
from functools import partial
from importlib.util import find_spec
from itertools import product
import os
from pathlib import Path
import sys
from typing import Any

import numpy as np
from seg_ros.bench.networks import depth_for, instance_model
from seg_ros.bench.report import row_names
from seg_ros.bench.samples import interleaved, summary
from seg_ros.core.engine import Engine
from seg_ros.core.errors import EngineError
from seg_ros.core.settings import Settings
from seg_ros.engines import CPU_RUNTIMES, open_engine
from tqdm import tqdm

COST_MS, OBJECTS = 40.0, 30


def engine(folder: Path, rounds: int, models: Sequence[Path] = ()) -> dict[str, Any]:
    """
    Time one call of the engine with an image at network size, runtimes and models interleaved.

    :param models: compiled models; by default an instance network of about 40 ms in one thread.
    """
    models = models or [instance_model(folder, OBJECTS, depth_for(COST_MS, folder, threads=1))[1]]
    opened = dict(_opened(models))
    tasks = {}
    for name, each in opened.items():
        batch = np.zeros((1, *each.signature.size_hw, each.signature.channels), np.uint8)
        tasks[name] = partial(_run, each, batch)
    durations_ms = interleaved(tasks, rounds)
    for each in opened.values():
        each.close()
    return {name: {**summary(samples).to_dict(), 'samples_ms': samples}
            for name, samples in durations_ms.items()}


def _opened(models: Sequence[Path]) -> Iterator[tuple[str, Engine]]:
    """Open every model in every runtime, and report those that a runtime cannot open."""
    counts = sorted({1, os.cpu_count() or 1})
    rows = zip(models, row_names(models), strict=True)
    for (model, row), runtime, threads in product(rows, filter(find_spec, CPU_RUNTIMES), counts):
        name = f'{row}, {runtime}, {threads} threads'
        settings = Settings(model=str(model.absolute()), engine=runtime, threads=threads)
        try:
            yield name, open_engine(settings)
        except EngineError as error:
            tqdm.write(f'seg_ros bench: left out {name}: {error}', file=sys.stderr)


def _run(opened: Any, batch: Any) -> None:
    opened.submit(batch).result()

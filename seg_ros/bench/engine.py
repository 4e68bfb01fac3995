"""The network alone: every CPU runtime that is installed, by threads."""

from functools import partial
from importlib.util import find_spec
import os
from pathlib import Path
from typing import Any

import numpy as np
from seg_ros.bench.networks import depth_for, instance_model
from seg_ros.bench.samples import interleaved, summary
from seg_ros.core.settings import Settings
from seg_ros.engines import CPU_RUNTIMES, open_engine

COST_MS, OBJECTS = 40.0, 30


def engine(folder: Path, rounds: int, model: Path | None = None) -> dict[str, Any]:
    """
    Time one call of the engine with a picture at network size, runtimes in turns.

    :param model: compiled; None makes an instance network of about 40 ms in one thread.
    """
    model = model or instance_model(folder, OBJECTS, depth_for(COST_MS, folder, threads=1))[1]
    counts = sorted({1, os.cpu_count() or 1})
    opened = {
        f'{runtime}, {threads} threads': open_engine(
            Settings(model=str(model.absolute()), engine=runtime, threads=threads)
        )
        for runtime in CPU_RUNTIMES if find_spec(runtime) for threads in counts
    }
    works = {}
    for name, each in opened.items():
        batch = np.zeros((1, *each.contract.size_hw, each.contract.channels), np.uint8)
        works[name] = partial(_run, each, batch)
    taken = interleaved(works, rounds)
    for each in opened.values():
        each.close()
    return {name: {**summary(samples).to_dict(), 'samples_ms': samples}
            for name, samples in taken.items()}


def _run(opened: Any, batch: Any) -> None:
    opened.submit(batch).result()

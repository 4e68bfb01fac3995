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

"""Compares one and two workers with their limit: frames per second, and latency of one frame."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_context
import os
from pathlib import Path
from threading import Event
from time import monotonic, perf_counter, sleep
from typing import Any

import cv2
import numpy as np
from seg_ros.bench.networks import depth_for, street_model
from seg_ros.core.errors import EngineError
from seg_ros.core.segmentation import Part
from seg_ros.core.settings import Settings
from seg_ros.image.encodings import frame_from_bytes
from seg_ros.pipeline.process import segment
from seg_ros.pipeline.process_memory import keep_freed_memory
from seg_ros.pipeline.serving_model import open_serving_model
from seg_ros.pipeline.workers import Mailbox, Workers

COST_MS, SIZE_HW = 40.0, (720, 1280)
ROUND_S = 2.0
PATIENCE_S = 10.0
STAGES = ('decode', 'fit', 'network', 'paint')
PARTS: frozenset[Part] = frozenset({'classes'})


def workers(folder: Path, rounds: int) -> dict[str, Any]:
    """
    Measure the rate of workers that always have a new image, and the latency of a single image.

    Each round measures the stages one by one, then one worker, then two, then two independent
    processes, for `ROUND_S` each. The limit is cores / (decode + fit + network + paint), for as
    many cores as there are workers. Cores that share caches, memory or execution units do not
    reach it; the two processes show how close they can come.

    :param rounds: number of rounds.
    """
    _, model = street_model(folder, depth_for(COST_MS, folder, threads=1))
    image = np.random.default_rng(0).integers(0, 256, (*SIZE_HW, 3), np.uint8).tobytes()
    counts = [count for count in (1, 2) if count <= (os.cpu_count() or 1)]
    stages_ms: list[float] = []
    latency_ms: list[float] = []
    together: dict[int, list[float]] = {count: [] for count in counts}
    apart: list[float] = []
    pipelines = {count: _Pipeline(model, image, count) for count in counts}
    with get_context('spawn').Pool(2, _open_pipeline, (model, image)) as processes:
        for _ in range(rounds):
            stages_ms.append(pipelines[1].stages_ms())
            latency_ms.append(pipelines[1].latency_ms())
            for count in counts:
                together[count].append(pipelines[count].rate_hz())
            apart.append(sum(processes.map(_rate_of_pipeline, range(2), chunksize=1)))
    for pipeline in pipelines.values():
        pipeline.segmenter.close()
    beyond = np.subtract(latency_ms, stages_ms)
    return {
        'one frame': {
            'stages_ms': round(float(np.median(stages_ms)), 3),
            'latency_ms': round(float(np.median(latency_ms)), 3),
            'beyond_stages_ms': round(float(np.median(beyond)), 3),
        },
        **{f'{count} at work': shares(rates, stages_ms, count)
           for count, rates in together.items()},
        '2 processes': shares(apart, stages_ms, 2),
    }


def shares(rates: list[float], stages_ms: list[float], count: int) -> dict[str, float]:
    """Compare rates in Hz with the limits of the same rounds, for `count` cores."""
    reached = np.multiply(rates, stages_ms) / (1e3 * count)
    return {
        'rate_hz': round(float(np.median(rates)), 2),
        'limit_hz': round(float(np.median(1e3 * count / np.array(stages_ms))), 2),
        'of_limit': round(float(np.median(reached)), 3),
    }


class _Pipeline:
    """
    A segmenter and its workers, without ROS.

    :param image: rgb8 bytes of `SIZE_HW`.
    """

    def __init__(self, model: Path, image: bytes, count: int) -> None:
        settings = Settings(model=str(model), engine='openvino', threads=count, workers=count)
        self.segmenter = open_serving_model(settings)
        self._image = image
        self._count = count
        self.stages_ms()

    def _process(self) -> None:
        with self.segmenter.timing.stage('decode'):
            frame = frame_from_bytes(self._image, SIZE_HW, 'rgb8', 3 * SIZE_HW[1])
        segment(frame, self.segmenter, PARTS)

    def stages_ms(self) -> float:
        """Return the sum of the stages' medians, with nothing else running."""
        timing = self.segmenter.timing
        timing.clear_durations()
        end = monotonic() + ROUND_S
        while monotonic() < end:
            self._process()
        medians = [quantiles[0] for name in STAGES if (quantiles := timing.quantiles(name))]
        return float(sum(medians))

    def latency_ms(self) -> float:
        """Return the median time from putting a message into the mailbox to having its masks."""
        done = Event()
        durations_ms: list[float] = []

        def work(mailbox: 'Mailbox[None]', items: Any) -> None:
            try:
                self._process()
            finally:
                done.set()

        with _working(work, 1) as mailbox:
            end = monotonic() + ROUND_S
            while monotonic() < end:
                done.clear()
                start = perf_counter()
                mailbox.put('camera', None)
                done.wait()
                durations_ms.append(1e3 * (perf_counter() - start))
        return float(np.median(durations_ms))

    def rate_hz(self) -> float:
        """Return how many frames per second the workers process."""
        finished: list[float] = []

        def work(mailbox: 'Mailbox[None]', items: Any) -> None:
            mailbox.put('camera', None)
            self._process()
            finished.append(monotonic())

        with _working(work, self._count) as mailbox:
            mailbox.put('camera', None)
            sleep(ROUND_S)
        return (len(finished) - 1) / (finished[-1] - finished[0])


_pipeline_of_process: '_Pipeline | None' = None


def _open_pipeline(model: Path, image: bytes) -> None:
    global _pipeline_of_process
    keep_freed_memory()
    cv2.setNumThreads(1)
    _pipeline_of_process = _Pipeline(model, image, 1)


def _rate_of_pipeline(_: int) -> float:
    assert _pipeline_of_process is not None
    return _pipeline_of_process.rate_hz()


@contextmanager
def _working(work: Any, count: int) -> Iterator['Mailbox[None]']:
    """Run workers for the duration of the block; raise an error at its end if one failed."""
    failures: list[Exception] = []
    mailbox: Mailbox[None] = Mailbox()
    threads = Workers(mailbox, partial(work, mailbox), failures.append, count)
    try:
        yield mailbox
    finally:
        threads.stop(PATIENCE_S)
    if failures:
        raise EngineError(f'a worker failed: {failures[0]}') from failures[0]

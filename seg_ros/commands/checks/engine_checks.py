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

"""Checks of an engine: masks against a reference, latency, throughput and memory."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from itertools import cycle, islice
from pathlib import Path
from time import perf_counter

import numpy as np
from seg_ros.commands.checks.check import Check, checked
from seg_ros.commands.model_files.parity import batches_from_frames, shortfalls, trial_memory
from seg_ros.commands.progress import build_report, Progress
from seg_ros.compile.compiled import CompiledModel
from seg_ros.compile.precision import convert_precision
from seg_ros.core.engine import Engine
from seg_ros.core.frame import Frame, Pixels
from seg_ros.core.segmentation import Segmentation
from seg_ros.core.settings import Settings
from seg_ros.core.tensors import Outputs
from seg_ros.core.timing import Timing
from seg_ros.engines import open_engine
from seg_ros.metrics.parity import Parity
from seg_ros.pipeline.process import segment
from seg_ros.pipeline.process_memory import memory_mib
from seg_ros.pipeline.serving_model import ServingModel

IN_FLIGHT = 2
WARM_UP = 10
LATENCY_FRAMES = 200


@dataclass(frozen=True, eq=False)
class Trial:
    """
    The model, images and settings with which all precisions are tested.

    :param compiled: the model in fp32.
    :param settings: of the tested engine; the model's path is filled in.
    :param folder: for temporary files.
    :param frame_count: number of frames in the long run.
    :param gpu_used_mib: returns the GPU memory in use; None if there is no GPU.
    """

    compiled: CompiledModel
    frames: Sequence[Frame]
    settings: Settings
    folder: Path
    frame_count: int
    gpu_used_mib: Callable[[], float] | None = None

    @cached_property
    def batches(self) -> list[Pixels]:
        """Return the images as inputs of the network."""
        return list(batches_from_frames(self.frames, self.compiled))

    def reference(self, compiled: CompiledModel) -> list[Segmentation]:
        """Return the masks that ONNX Runtime computes with a model."""
        settings = self.settings_for(compiled)
        with closing(open_engine(replace(settings, engine='onnxruntime', device='CPU'))) as engine:
            return self.masks_of(engine)

    def settings_for(self, compiled: CompiledModel) -> Settings:
        """Write a model to a file and return settings for it."""
        path = self.folder / f'{compiled.precision}.onnx'
        path.write_bytes(compiled.model.SerializeToString())
        return replace(self.settings, model=str(path))

    def masks_of(self, engine: Engine) -> list[Segmentation]:
        """Segment the images as the node does."""
        segmenter = ServingModel(engine, self.settings)
        return [
            segment(frame, segmenter, temporal=trial_memory(engine.signature, frame.size_hw))
            for frame in self.frames
        ]


def precision_check(trial: Trial, precision: str) -> Check:
    """Open the model in one precision, compare its masks, and measure time and memory."""
    with checked(f'the model in {precision}') as check:
        compiled = convert_precision(trial.compiled, precision, trial.batches)
        settings = trial.settings_for(compiled)
        start = perf_counter()
        with build_report('selftest') as report:
            opened = open_engine(settings, report)
        with closing(opened) as engine:
            facts = engine.facts
            check.figures = {
                'engine': f'{facts.engine} {facts.version}', 'device': facts.device,
                'opened_in_s': perf_counter() - start, 'model_bytes': compiled.model.ByteSize(),
            }
            masks = trial.masks_of(engine)
            _compare(check, trial, masks, compiled)
            _measure(check, trial, engine)
            if engine.facts.notes:
                check.figures['notes'] = '; '.join(engine.facts.notes)
        if trial.settings.engine == 'tensorrt':
            _compare_plain(check, trial, settings, masks)
        seen = f'the masks of ONNX Runtime in {_judge(trial, compiled).precision}'
        check.seen = check.seen or seen
    return check


def _judge(trial: Trial, compiled: CompiledModel) -> CompiledModel:
    """
    Return the model whose masks in ONNX Runtime are the reference.

    For int8 it is the int8 model, since the loss of int8 is not the engine's fault: it depends on
    the network and on how well the calibration images represent the robot's.
    """
    return compiled if compiled.precision == 'int8' else trial.compiled


def _compare(
    check: Check, trial: Trial, masks: Sequence[Segmentation], compiled: CompiledModel
) -> None:
    judge, precision = _judge(trial, compiled), compiled.precision
    check.figures['agreement'] = figures = _agreement(trial.reference(judge), masks)
    if judge is not trial.compiled:
        check.figures['agreement_with_fp32'] = _agreement(trial.reference(trial.compiled), masks)
    if short := shortfalls(figures, precision, trial.compiled.card.task):
        check.fail(f'masks differ from ONNX Runtime: {", ".join(short)}')


def _agreement(
    reference: Sequence[Segmentation], masks: Sequence[Segmentation]
) -> dict[str, float | int | None]:
    parity = Parity()
    for one, other in zip(reference, masks, strict=True):
        parity.add(one, other)
    return asdict(parity.figures())


def _compare_plain(
    check: Check, trial: Trial, settings: Settings, recorded: Sequence[Segmentation]
) -> None:
    """Compare the masks of CUDA graphs with those of plain launches."""
    from seg_ros.engines.tensorrt.engine import open_tensorrt

    with closing(open_tensorrt(Path(settings.model), settings, record=False)) as engine:
        plain = trial.masks_of(engine)
        check.figures['plain_latency_ms'] = latency_ms(engine, trial.batches)
    check.figures['plain_equals_recorded'] = equal = equal_masks(plain, recorded)
    if not equal:
        check.fail('masks with CUDA graphs differ from those of plain launches')


def latency_ms(engine: Engine, batches: Sequence[Pixels]) -> dict[str, Mapping[str, float]]:
    """
    Time frames one by one, from `submit` to the result, and the runtime's own stages.

    :returns: median and 99th percentile by stage, in milliseconds.
    """
    timing = Timing()
    for number, batch in enumerate(islice(cycle(batches), WARM_UP + LATENCY_FRAMES)):
        start = perf_counter()
        outputs = engine.submit(batch).result()
        elapsed_ms = 1e3 * (perf_counter() - start)
        if number >= WARM_UP:
            for stage, milliseconds in {'whole': elapsed_ms, **outputs.stage_ms}.items():
                timing.add(stage, milliseconds)
    found = {stage: timing.quantiles(stage) for stage in timing.stages()}
    return {
        stage: {'median': quantiles[0], 'p99': quantiles[1]}
        for stage, quantiles in found.items() if quantiles
    }


def throughput_hz(
    engine: Engine, batches: Sequence[Pixels], frames: int,
    step: Callable[[], object] = lambda: None,
) -> float:
    """
    Run frames with `IN_FLIGHT` of them in flight, and return the frames per second.

    :param frames: number of frames.
    :param step: called after each frame.
    """
    in_flight: list[Future[Outputs]] = []
    start = perf_counter()
    for batch in islice(cycle(batches), frames):
        if len(in_flight) == IN_FLIGHT:
            in_flight.pop(0).result()
            step()
        in_flight.append(engine.submit(batch))
    for future in in_flight:
        future.result()
        step()
    return frames / (perf_counter() - start)


def _measure(check: Check, trial: Trial, engine: Engine) -> None:
    check.figures['latency_ms'] = latency_ms(engine, trial.batches)
    throughput_hz(engine, trial.batches, WARM_UP)
    meters: dict[str, Callable[[], float | None]] = {'resident_mib': memory_mib}
    if trial.gpu_used_mib:
        meters['gpu_mib'] = trial.gpu_used_mib
    before = {name: meter() for name, meter in meters.items()}
    count, progress = trial.frame_count, Progress('selftest', trial.frame_count)
    with progress.over(count):
        check.figures['frames_per_s'] = throughput_hz(
            engine, trial.batches, count, progress.step
        )
    check.figures['frames'] = count
    for name, meter in meters.items():
        check.figures[name] = {'before': before[name], 'after': meter()}


def equal_masks(first: Sequence[Segmentation], second: Sequence[Segmentation]) -> bool:
    """Return whether two runs gave the same masks, pixel by pixel."""
    return all(
        np.array_equal(getattr(one, name), getattr(other, name))
        for one, other in zip(first, second, strict=True)
        for name in ('classes', 'instances')
    )

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

"""The table of the zoo: each architecture exported, compiled and measured."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray
from seg_ros.commands.model_files.parity import trial_memory, tried_in_bfloat16
from seg_ros.commands.progress import Progress
from seg_ros.commands.zoo.agreement import agreement, agreement_text, contents
from seg_ros.commands.zoo.small_network import make_network, SmallNetwork, tensor_from_frame
from seg_ros.compile.compiled import load_compiled
from seg_ros.compile.run_onnx import run_onnx
from seg_ros.core.compiled_file import read_compiled
from seg_ros.core.engine import Engine
from seg_ros.core.errors import SegError
from seg_ros.core.frame import Frame, Pixels
from seg_ros.core.output_choice import choose_outputs
from seg_ros.core.segmentation import Segmentation
from seg_ros.core.settings import Settings
from seg_ros.engines import open_engine
from seg_ros.engines.tensorrt.build import build_plan
from seg_ros.engines.tensorrt.build_options import options_from_settings
from seg_ros.engines.tensorrt.flavour import load_flavour, RTX
from seg_ros.image.fit import fit_for, fit_image
from seg_ros.pipeline.process import segment
from seg_ros.pipeline.serving_model import open_serving_model, ServingModel
from seg_ros.zoo.architectures import NetworkRequest
from seg_ros.zoo.reference import Reference, reference_of
from seg_ros.zoo.small import small_request

HEADINGS = (
    'architecture', 'parameters', 'shows', 'agreement in f32', 'in bf16', 'in fp16', 'arithmetic',
    'network, ms', 'ONNX Runtime', 'OpenVINO f32', 'OpenVINO default', 'TensorRT-RTX fp32',
    'TensorRT-RTX fp16',
)
_ROUNDS = 5     # interleaved calls of each engine; the shortest time counts


def rows_of(names: Sequence[str], frames: Sequence[Frame]) -> Iterator[list[str]]:
    """
    Measure architectures, one after the other.

    :param frames: real images on which masks are compared, at their own size.
    :returns: a row of cells for each, as in `HEADINGS`; a cell without result gives the error.
    """
    for name in names:
        try:
            with TemporaryDirectory() as folder:
                yield _row(small_request(name), frames, Path(folder))
        except SegError as error:
            yield [name, *[f'no: {error}'] * (len(HEADINGS) - 1)]


def _row(request: NetworkRequest, frames: Sequence[Frame], folder: Path) -> list[str]:
    small = make_network(request, frames, folder)
    count = sum(weight.numel() for weight in small.network.parameters())
    expected = _references(small, frames)
    return [
        request.name, f'{count / 1e6:.1f} M', contents(expected, small.card),
        *(_cell(partial(_agreement, small, frames, expected, mode)) for mode in _MODES),
        _cell(partial(_arithmetic, small, frames)), *_times(small, frames[0]),
        *(_cell(partial(_build, small, precision)) for precision in ('fp32', 'fp16')),
    ]


def _cell(measured: Callable[[], str]) -> str:
    try:
        return measured()
    except SegError as error:
        return f'no: {error}'


@dataclass(frozen=True)
class _Mode:
    """
    How a compiled network is computed.

    :param precision: of its file.
    :param hint: of the engine, if it is not the default.
    :param score_slack: by which scores may differ; detections are matched by them.
    """

    precision: str
    engine: str
    hint: str = Settings.inference_precision
    score_slack: float = 0.05


_MODES = (
    _Mode('fp32', 'openvino', 'f32', score_slack=0.005),
    _Mode('bf16', 'onnxruntime'),
    # Without 16-bit kernels ONNX Runtime rounds the outputs of each node.
    _Mode('fp16', 'onnxruntime'),
)


def _references(small: SmallNetwork, frames: Sequence[Frame]) -> list[Reference]:
    return [
        reference_of(
            small.network, small.request, small.card, tensor_from_frame(frame, small.card),
            frame.size_hw, small.boxes(),
        ) for frame in frames
    ]


def _arithmetic(small: SmallNetwork, frames: Sequence[Frame]) -> str:
    """Return what `seg_ros compile --compare` writes: `f32` if bfloat16 changes the masks."""
    progress = Progress('export', len(frames))
    return tried_in_bfloat16(load_compiled(small.path), frames, progress).signature.arithmetic


def _agreement(
    small: SmallNetwork, frames: Sequence[Frame], expected: Sequence[Reference], mode: _Mode
) -> str:
    if mode.precision == 'bf16' and read_compiled(small.path).signature.arithmetic == 'f32':
        return 'asks for f32'
    settings = Settings(
        model=str(small.file_in(mode.precision)), engine=mode.engine, inference_precision=mode.hint
    )
    with closing(open_serving_model(settings)) as segmenter:
        return agreement_text([
            agreement(_segmented(frame, segmenter), wanted, small.card, mode.score_slack)
            for frame, wanted in zip(frames, expected, strict=True)
        ])


def _segmented(frame: Frame, serving: ServingModel) -> Segmentation:
    memory = trial_memory(serving.engine.signature, frame.size_hw)
    return segment(frame, serving, temporal=memory)


def _times(small: SmallNetwork, frame: Frame) -> list[str]:
    """Return milliseconds of the exported network in ONNX Runtime, and engines relative to it."""
    spec = small.card.input
    batch = np.empty((1, *spec.size, 3), np.uint8)
    fit_image(frame, fit_for(frame.size_hw, spec.size, spec), spec, batch[0])
    boxes = small.boxes()
    prompts = None if boxes is None else boxes[None]
    common = Settings(model=str(small.path), threads=1)
    calls: list[Callable[[], Any]] = [partial(run_onnx(small.raw), small.feeds(frame))]
    with ExitStack() as stack:
        for settings in (
            replace(common, engine='onnxruntime'),
            replace(common, engine='openvino', inference_precision='f32'),
            replace(common, engine='openvino'),
        ):
            engine = stack.enter_context(closing(open_engine(settings)))
            calls.append(partial(_answer, engine, batch, prompts))
        least = _least_seconds(calls)
    return [f'{1e3 * least[0]:.0f}', *(f'{seconds / least[0]:.2f}' for seconds in least[1:])]


def _least_seconds(calls: Sequence[Callable[[], Any]]) -> list[float]:
    """Return the shortest time of each call, interleaved."""
    least = [np.inf] * len(calls)
    for _ in range(_ROUNDS):
        for number, call in enumerate(calls):
            begun = perf_counter()
            call()
            least[number] = min(least[number], perf_counter() - begun)
    return least


def _answer(engine: Engine, batch: Pixels, prompts: NDArray[np.float32] | None) -> Any:
    return engine.submit(batch, prompts).result()


def _build(small: SmallNetwork, precision: str) -> str:
    """Build a plan for an Ada GPU, which TensorRT-RTX does without one."""
    compiled, settings = read_compiled(small.file_in(precision)), Settings()
    names = choose_outputs(compiled.signature, settings, 'graph').names
    options = options_from_settings(settings, compiled.signature, load_flavour(RTX), ['8.9'])
    begun = perf_counter()
    build_plan(compiled.graph_of(names), options, b'', lambda *_: None, lambda _: None)
    return f'built, {perf_counter() - begun:.0f} s'

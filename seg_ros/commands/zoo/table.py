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
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any, TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from seg_ros.core.card import ModelCard
from seg_ros.core.compiled_file import read_compiled
from seg_ros.core.engine import Engine
from seg_ros.core.errors import SegError
from seg_ros.core.frame import Frame, Pixels
from seg_ros.core.segmentation import Segmentation
from seg_ros.core.settings import Settings

if TYPE_CHECKING:
    from seg_ros.zoo.architectures import NetworkRequest
    from seg_ros.zoo.reference import Reference

HEADINGS = (
    'architecture', 'parameters', 'shows', 'agreement in f32', 'in bf16', 'in fp16', 'arithmetic',
    'network, ms', 'ONNX Runtime', 'OpenVINO f32', 'OpenVINO default', 'TensorRT-RTX fp32',
    'TensorRT-RTX fp16',
)
_ROUNDS = 5     # interleaved calls of each engine; the shortest time counts


@dataclass(frozen=True, eq=False)
class _Made:
    """One network, in memory and as a file, with its card."""

    request: 'NetworkRequest'
    network: Any
    raw: Any
    card: ModelCard
    path: Path

    def file_in(self, precision: str) -> Path:
        """Return the file in a precision, written once; `bf16` is emulated by rounding."""
        import onnx
        from seg_ros.compile.bfloat16 import in_bfloat16
        from seg_ros.compile.compiled import load_compiled
        from seg_ros.compile.precision import reduced

        path = self.path.with_name(f'{precision}.onnx')
        if not path.is_file():
            compiled = load_compiled(self.path)
            made = in_bfloat16(compiled) if precision == 'bf16' else reduced(compiled, precision)
            onnx.save(made.model, path)
        return path


def rows_of(names: Sequence[str], frames: Sequence[Frame]) -> Iterator[list[str]]:
    """
    Measure architectures, one after the other.

    :param frames: real images on which masks are compared, at their own size.
    :returns: a row of cells for each, as in `HEADINGS`; a cell without result gives the error.
    """
    from seg_ros.zoo.small import small_request

    for name in names:
        try:
            with TemporaryDirectory() as folder:
                yield _row(small_request(name), frames, Path(folder))
        except SegError as error:
            yield [name, *[f'no: {error}'] * (len(HEADINGS) - 1)]


def _row(request: 'NetworkRequest', frames: Sequence[Frame], folder: Path) -> list[str]:
    from seg_ros.commands.zoo.agreement import contents

    made = _make(request, frames, folder)
    count = sum(weight.numel() for weight in made.network.parameters())
    expected = _references(made, frames)
    return [
        request.name, f'{count / 1e6:.1f} M', contents(expected, made.card),
        *(_cell(partial(_agreement, made, frames, expected, way)) for way in _WAYS),
        _cell(partial(_arithmetic, made, frames)), *_times(made, frames[0]),
        *(_cell(partial(_build, made, precision)) for precision in ('fp32', 'fp16')),
    ]


def _cell(measured: Callable[[], str]) -> str:
    try:
        return measured()
    except SegError as error:
        return f'no: {error}'


def _make(request: 'NetworkRequest', frames: Sequence[Frame], folder: Path) -> _Made:
    import onnx
    from seg_ros.compile.compile_model import compile_model
    from seg_ros.zoo.export import build_network, export_network, make_card
    from seg_ros.zoo.random_weights import scale_random_weights
    import torch

    torch.manual_seed(0)
    rows = [
        {'id': index, 'name': f'class {index}', 'thing': index > 8}
        for index in range(request.classes)
    ]
    card = make_card(request, rows)
    # The CRF after the scores is not part of the network, and has its own tests. Random weights
    # give low scores: with the usual thresholds there would be no masks to compare.
    limits = replace(card.thresholds, score=0.1, visible=min(0.1, card.thresholds.visible))
    card = replace(
        card, refine='none', thresholds=limits, input=replace(card.input, fit='stretch')
    )
    images = torch.cat([_tensor(frame, card) for frame in frames])
    network = scale_random_weights(build_network(request), request, images)
    exported = export_network(network, request)
    raw, path = folder / 'raw.onnx', folder / 'model.onnx'
    onnx.save(exported.model, raw)
    onnx.save(compile_model(raw, card), path)
    return _Made(request, network, exported.model, card, path)


def _tensor(frame: Frame, card: ModelCard) -> Any:
    """Resize and normalise as in training: float32 (1, 3, H, W)."""
    import cv2
    import torch

    rgb = frame.pixels[:, :, ::-1] if frame.color == 'bgr' else frame.pixels
    size_wh = card.input.size[::-1]
    small = cv2.resize(np.ascontiguousarray(rgb), size_wh, interpolation=cv2.INTER_LINEAR)
    values = (small * card.input.scale - np.array(card.input.mean)) / np.array(card.input.std)
    return torch.from_numpy(values.astype(np.float32).transpose(2, 0, 1)[None].copy())


@dataclass(frozen=True)
class _Way:
    """How a compiled network is computed: its file's precision, and the engine with its hint."""

    precision: str
    engine: str
    hint: str = ''


_WAYS = (
    _Way('fp32', 'openvino', 'f32'),
    _Way('bf16', 'onnxruntime'),
    # Without 16-bit kernels ONNX Runtime rounds the outputs of each node.
    _Way('fp16', 'onnxruntime'),
)


def _references(made: _Made, frames: Sequence[Frame]) -> list['Reference']:
    from seg_ros.zoo.reference import reference_of

    return [
        reference_of(
            made.network, made.request, made.card, _tensor(frame, made.card), frame.size_hw,
            _boxes(made),
        ) for frame in frames
    ]


def _boxes(made: _Made) -> NDArray[np.float32] | None:
    """Return the boxes that `parity.trial_memory` asks for, in the network's pixels."""
    from seg_ros.compile.prompt_inputs import trial_boxes

    count = read_compiled(made.path).signature.max_prompts
    return trial_boxes(count, made.request.size_hw)[0] if count else None


def _arithmetic(made: _Made, frames: Sequence[Frame]) -> str:
    """Return what `seg_ros compile --compare` writes: `f32` if bfloat16 changes the masks."""
    from seg_ros.commands.model_files.parity import tried_in_bfloat16
    from seg_ros.commands.progress import Progress
    from seg_ros.compile.compiled import load_compiled

    progress = Progress('export', len(frames))
    return tried_in_bfloat16(load_compiled(made.path), frames, progress).signature.arithmetic


def _agreement(
    made: _Made, frames: Sequence[Frame], expected: Sequence['Reference'], way: _Way
) -> str:
    from seg_ros.commands.zoo.agreement import agreement, agreement_text
    from seg_ros.pipeline.serving_model import open_serving_model

    if way.precision == 'bf16' and read_compiled(made.path).signature.arithmetic == 'f32':
        return 'asks for f32'
    common = Settings(model=str(made.file_in(way.precision)), engine=way.engine)
    settings = replace(common, inference_precision=way.hint) if way.hint else common
    segmenter = open_serving_model(settings)
    # Detections are matched by score, which lower precision changes.
    slack = 0.005 if way is _WAYS[0] else 0.05
    try:
        return agreement_text([
            agreement(_segmented(frame, segmenter), wanted, made.card, slack)
            for frame, wanted in zip(frames, expected, strict=True)
        ])
    finally:
        segmenter.close()


def _segmented(frame: Frame, serving: Any) -> Segmentation:
    from seg_ros.commands.model_files.parity import trial_memory
    from seg_ros.pipeline.process import segment

    memory = trial_memory(serving.engine.signature, frame.size_hw)
    return segment(frame, serving, temporal=memory)


def _times(made: _Made, frame: Frame) -> list[str]:
    """Return milliseconds of the exported network in ONNX Runtime, and engines relative to it."""
    from seg_ros.compile.run_onnx import run_onnx
    from seg_ros.engines import open_engine
    from seg_ros.image.fit import fit_for, fit_image

    spec = made.card.input
    batch = np.empty((1, *spec.size, 3), np.uint8)
    fit_image(frame, fit_for(frame.size_hw, spec.size, spec), spec, batch[0])
    plain, feeds = run_onnx(made.raw), _feeds(made, frame)
    boxes = _boxes(made)
    prompts = None if boxes is None else boxes[None]
    common = Settings(model=str(made.path), threads=1)
    engines = [open_engine(settings) for settings in (
        replace(common, engine='onnxruntime'),
        replace(common, engine='openvino', inference_precision='f32'),
        replace(common, engine='openvino'),
    )]
    calls: list[Callable[[], Any]] = [
        partial(plain, feeds), *(partial(_answer, engine, batch, prompts) for engine in engines),
    ]
    least = [np.inf] * len(calls)
    try:
        for _ in range(_ROUNDS):
            for number, call in enumerate(calls):
                begun = perf_counter()
                call()
                least[number] = min(least[number], perf_counter() - begun)
    finally:
        for engine in engines:
            engine.close()
    return [f'{1e3 * least[0]:.0f}', *(f'{seconds / least[0]:.2f}' for seconds in least[1:])]


def _feeds(made: _Made, frame: Frame) -> dict[str, NDArray[Any]]:
    """Return the inputs of the exported network."""
    feeds = {'images': _tensor(frame, made.card).numpy()}
    boxes = _boxes(made)
    if boxes is not None:
        from seg_ros.zoo.networks.sam import prompts_from_boxes
        import torch

        prompts = prompts_from_boxes(torch.from_numpy(boxes))
        names = made.request.architecture.prompts
        feeds |= {
            name: tensor.numpy() for name, tensor in zip(names, prompts, strict=True)
        }
    return feeds


def _answer(engine: Engine, batch: Pixels, prompts: NDArray[np.float32] | None) -> Any:
    return engine.submit(batch, prompts).result()


def _build(made: _Made, precision: str) -> str:
    """Build a plan for an Ada GPU, which TensorRT-RTX does without one."""
    from seg_ros.core.output_choice import choose_outputs
    from seg_ros.engines.tensorrt.build import build_plan
    from seg_ros.engines.tensorrt.build_options import options_from_settings
    from seg_ros.engines.tensorrt.flavour import load_flavour, RTX

    compiled, settings = read_compiled(made.file_in(precision)), Settings()
    names = choose_outputs(compiled.signature, settings, 'graph').names
    options = options_from_settings(settings, compiled.signature, load_flavour(RTX), ['8.9'])
    begun = perf_counter()
    build_plan(compiled.graph_of(names), options, b'', lambda *_: None, lambda _: None)
    return f'built, {perf_counter() - begun:.0f} s'

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

"""Comparison of a reduced model with the original in fp32."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from seg_ros.commands.media.sources import open_sources
from seg_ros.commands.progress import Progress
from seg_ros.compile.bfloat16 import in_bfloat16, with_f32_required
from seg_ros.compile.compiled import CompiledModel
from seg_ros.compile.prompt_inputs import trial_boxes
from seg_ros.core.errors import ImageError
from seg_ros.core.frame import Frame, Pixels
from seg_ros.core.prompts import Prompt
from seg_ros.core.settings import Settings
from seg_ros.core.signature import ModelSignature
from seg_ros.image.fit import fit_for, fit_image
from seg_ros.metrics.parity import Parity
from seg_ros.pipeline.process import segment
from seg_ros.pipeline.serving_model import open_serving_model
from seg_ros.temporal.temporal_filter import TemporalFilter

MAX_IMAGES = 64
# Minimum agreement with fp32. Other engines round differently; 16 bits should change almost
# nothing; 8 bits shift edges and the weakest detections.
MIN_AGREEMENT: Mapping[str, Mapping[str, float]] = {
    'fp32': {'pixels': 0.999, 'miou': 0.99, 'matched': 0.99, 'mask_iou': 0.99},
    'bf16': {'pixels': 0.99, 'miou': 0.95, 'matched': 0.95, 'mask_iou': 0.95},
    'fp16': {'pixels': 0.99, 'miou': 0.95, 'matched': 0.95, 'mask_iou': 0.95},
    'int8': {'pixels': 0.95, 'miou': 0.80, 'matched': 0.85, 'mask_iou': 0.85},
}
# Figures that are checked for each task.
JUDGED = {
    'semantic': ('pixels', 'miou'), 'instance': ('matched', 'mask_iou'),
    'promptable': ('matched', 'mask_iou'),
    'panoptic': ('pixels', 'miou', 'matched', 'mask_iou'),
}


def calibration_frames(paths: Sequence[Path], progress: Progress) -> list[Frame]:
    """
    Read up to `MAX_IMAGES` images, spread evenly over all images.

    :raises ImageError: if there is none.
    """
    sources = open_sources(paths, (), progress.skip)
    every = max(1, sum(map(len, sources)) // MAX_IMAGES)
    images = (image for source in sources for image in source.images(progress.skip))
    frames = [image.frame for number, image in enumerate(images) if number % every == 0]
    if not frames:
        raise ImageError('no image to calibrate on', 'images like those of the robot')
    return frames[:MAX_IMAGES]


def batches_from_frames(frames: Sequence[Frame], compiled: CompiledModel) -> Iterator[Pixels]:
    """Fit images as the node does, one by one, uint8 (1, H, W, channels)."""
    signature, spec = compiled.signature, compiled.card.input
    for frame in frames:
        batch = np.empty((1, *signature.size_hw, signature.channels), np.uint8)
        fit_image(frame, fit_for(frame.size_hw, signature.size_hw, spec), spec, batch[0])
        yield batch


def parity_of(
    reference: CompiledModel, tried: CompiledModel, frames: Sequence[Frame], progress: Progress
) -> dict[str, Any]:
    """
    Run both models in ONNX Runtime and compare their masks.

    :returns: the fields of `metrics.parity.ParityFigures`.
    """
    parity = Parity()
    with TemporaryDirectory() as folder:
        paths = [Path(folder) / name for name in ('reference.onnx', 'tried.onnx')]
        for path, each in zip(paths, (reference, tried), strict=True):
            path.write_bytes(each.model.SerializeToString())
        settings = [Settings(model=str(path), engine='onnxruntime') for path in paths]
        with (
            closing(open_serving_model(settings[0])) as first,
            closing(open_serving_model(settings[1])) as second,
            progress.over(len(frames)),
        ):
            for frame in frames:
                parity.add(*(
                    segment(frame, each, temporal=trial_memory(tried.signature, frame.size_hw))
                    for each in (first, second)
                ))
                progress.step()
    return asdict(parity.figures())


def tried_in_bfloat16(
    compiled: CompiledModel, frames: Sequence[Frame], progress: Progress
) -> CompiledModel:
    """
    Request 32 bits if bfloat16 changes the masks.

    :returns: the model itself if bfloat16 does not change them, or if it requests 32 bits already.
    """
    if compiled.signature.arithmetic == 'f32':
        return compiled
    parity = parity_of(compiled, in_bfloat16(compiled), frames, progress)
    short = shortfalls(parity, 'bf16', compiled.card.task)
    if not short:
        return compiled
    return with_f32_required(compiled, f'computed in 32 bits: bfloat16 gives {", ".join(short)}')


def trial_memory(signature: ModelSignature, size_hw: tuple[int, int]) -> TemporalFilter:
    """
    Return a new temporal filter; for a promptable model with boxes all over the image.

    :param size_hw: of the image.
    """
    memory = TemporalFilter()
    boxes = trial_boxes(signature.max_prompts, size_hw)[0].tolist()
    memory.prompts.ask([Prompt(number, (*box,)) for number, box in enumerate(boxes, start=1)])
    return memory


def shortfalls(parity: Mapping[str, Any], precision: str, task: str) -> list[str]:
    """Return the figures below their minimum, as text."""
    return [
        f'{name} {parity[name]:.4f} (at least {MIN_AGREEMENT[precision][name]:g})'
        for name in JUDGED[task] if parity[name] < MIN_AGREEMENT[precision][name]
    ]

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

"""The path of every frame: preprocess, infer, postprocess, track and smooth."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from seg_ros.core.errors import EngineError
from seg_ros.core.frame import Frame, Pixels
from seg_ros.core.prompts import Prompt
from seg_ros.core.segmentation import Segmentation
from seg_ros.core.signature import ModelSignature
from seg_ros.core.tensors import Outputs
from seg_ros.image.letterbox import Fit, fit_for, fit_image
from seg_ros.masks.class_map import semantic_segmentation
from seg_ros.masks.panoptic import panoptic_segmentation
from seg_ros.masks.postprocess_context import PARTS, PostprocessContext
from seg_ros.pipeline.prompts import (
    answerable,
    nothing_asked,
    tensor_from_prompts,
    with_prompts,
)
from seg_ros.pipeline.serving_model import ServingModel
from seg_ros.temporal.arrival import ImageOrder
from seg_ros.temporal.temporal_filter import TemporalFilter


@dataclass(frozen=True, eq=False)
class Job:
    """
    A frame to segment, and what is done with its masks.

    :param publish: called with the masks at the size of the image, in the order of `number`.
    :param parts: parts of the masks that are read: maps of `PARTS`, and `segments`.
    :param temporal: state from the same camera's earlier images.
    :param order: order of the camera's images.
    :param number: number of the frame in that order.
    :param late: called instead of `publish` if a later frame was published first.
    """

    frame: Frame
    publish: Callable[[Segmentation], object]
    parts: frozenset[str] = PARTS
    temporal: TemporalFilter = field(default_factory=TemporalFilter)
    order: ImageOrder = field(default_factory=ImageOrder)
    number: int = 0
    late: Callable[[], object] = lambda: None


def process(jobs: Sequence[Job], serving: ServingModel) -> None:
    """
    Segment frames in one call of the engine.

    :param jobs: at most `serving.batch_limit`, with images of sizes that the engine accepts.
    :raises EngineError: if the runtime failed.
    """
    timing = serving.timing
    with timing.stage('fit'):           # images into the network's input
        batch, fits = preprocess([job.frame for job in jobs], serving)
        asked = [prompts_of(job, fit, serving) for job, fit in zip(jobs, fits, strict=True)]
    with timing.stage('network'):       # output tensors of the engine
        outputs = infer(batch, serving, fits, asked)
    for index, (job, fit) in enumerate(zip(jobs, fits, strict=True)):
        with timing.stage('paint'):     # masks at the size of the image
            masks = postprocess(outputs.image(index), fit, serving, job.parts, asked[index])
        with job.order.turn(job.number) as in_turn:
            if in_turn:                 # tracking and smoothing need increasing stamps
                job.publish(follow(masks, job, serving, asked[index]))
            else:
                job.late()


def preprocess(frames: Sequence[Frame], serving: ServingModel) -> tuple[Pixels, list[Fit]]:
    """
    Fit images into the network's input.

    :returns: uint8 (N, H, W, channels), and how each image was fitted into it.
    """
    spec, signature = serving.card.input, serving.engine.signature
    batch = np.empty((len(frames), *signature.size_hw, signature.channels), np.uint8)
    fits = [fit_for(frame.size_hw, signature.size_hw, spec) for frame in frames]
    for frame, fit, image in zip(frames, fits, batch, strict=True):
        fit_image(frame, fit, spec, image)
    return batch, fits


def prompts_of(job: Job, fit: Fit, serving: ServingModel) -> Sequence[Prompt]:
    """Return the prompts of an image: those of the settings, then those of the camera."""
    signature, memory = serving.engine.signature, job.temporal.prompts
    if not signature.max_prompts:
        return ()
    prompts = [*serving.prompts, *memory.asked(job.frame.size_hw)]
    asked, memory.unanswered = answerable(
        prompts, signature, serving.card, serving.thresholds, fit
    )
    return asked


def infer(
    batch: Pixels, serving: ServingModel, fits: Sequence[Fit], asked: Sequence[Sequence[Prompt]]
) -> Outputs:
    """
    Run the network, unless it is promptable and there are no prompts.

    :param batch: uint8 (N, H, W, channels) at network size.
    :param fits: how each image was fitted into it.
    :param asked: the prompts of each image.
    :raises EngineError: if the runtime failed.
    """
    engine = serving.engine
    if not engine.signature.max_prompts:
        outputs = engine.submit(batch).result()
    elif not any(asked):
        return nothing_asked()
    else:
        # Promptable models take one image per call.
        tensor = tensor_from_prompts(asked[0], fits[0], engine.signature)
        outputs = engine.submit(batch, tensor).result()
    for stage, milliseconds in outputs.stage_ms.items():
        serving.timing.add(stage, milliseconds)
    _refuse_nan(outputs, engine.signature)
    return outputs


def _refuse_nan(outputs: Outputs, signature: ModelSignature) -> None:
    """
    Refuse labels with confidence 0 everywhere, which softmax scores have only if they are NaN.

    :raises EngineError: if the network computes NaN.
    """
    labels, confidence = outputs.labels, outputs.confidence
    if signature.activation != 'softmax' or labels is None or confidence is None:
        return
    unlabelled = 255 if labels.dtype == np.uint8 else -1
    if not confidence.any() and (labels != unlabelled).any():
        raise EngineError(
            'the scores that the network computes are NaN', 'numbers',
            'check the export, and scale, mean and std in the card; in fp16 or int8, try fp32',
        )


def postprocess(
    outputs: Outputs, fit: Fit, serving: ServingModel, parts: frozenset[str],
    asked: Sequence[Prompt] = (),
) -> Segmentation:
    """
    Turn the tensors of one image into masks at the image's size.

    :param outputs: without the batch axis.
    :param parts: parts of the masks that are read.
    :param asked: the prompts that the first slots answer, in their order.
    """
    if serving.engine.signature.max_prompts:
        outputs = with_prompts(outputs, asked, serving.card)
    elif serving.settings.smoothing and 'classes' in parts:   # smoothing reads all maps
        parts = parts | {'confidence', 'instances'}
    make = semantic_segmentation if outputs.scores is None else panoptic_segmentation
    return make(outputs, PostprocessContext(
        fit, serving.engine.signature, serving.card, serving.thresholds, parts
    ))


def follow(
    masks: Segmentation, job: Job, serving: ServingModel, asked: Sequence[Prompt] = ()
) -> Segmentation:
    """
    Apply `tracking` and `smoothing`, if enabled, with the camera's earlier images.

    With a promptable model, masks keep the prompts' ids, and the prompts move with them.
    """
    if serving.engine.signature.max_prompts:
        job.temporal.prompts.update(asked, masks)
        return masks
    settings = serving.settings
    if not (settings.tracking or settings.smoothing):
        return masks
    return job.temporal.update(
        masks, job.frame.stamp_ns, serving.card, settings, job.parts, serving.timing
    )


def segment(
    frame: Frame, serving: ServingModel, parts: frozenset[str] = PARTS,
    temporal: TemporalFilter | None = None,
) -> Segmentation:
    """
    Segment one frame.

    :param temporal: state of the camera, if more of its frames follow.
    :raises ImageError: if the engine was opened for images of another size.
    :raises EngineError: if the runtime failed.
    """
    serving.engine.signature.check_source(frame.size_hw)
    found: list[Segmentation] = []
    process([Job(frame, found.append, parts, temporal or TemporalFilter())], serving)
    return found[0]

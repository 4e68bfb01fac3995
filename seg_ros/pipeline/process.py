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

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from seg_ros.core.errors import EngineError
from seg_ros.core.frame import Frame, Pixels
from seg_ros.core.prompts import Prompt
from seg_ros.core.segmentation import Part, Segmentation
from seg_ros.core.signature import ModelSignature
from seg_ros.core.tensors import Outputs
from seg_ros.image.fit import Fit, fit_for, fit_image
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
from seg_ros.temporal.prompt_memory import PromptMemory
from seg_ros.temporal.temporal_filter import TemporalFilter


@dataclass(frozen=True, eq=False)
class Inference:
    """
    The network's answer to one frame, at the network's size.

    :param fit: how the image was fitted into the network's input.
    :param prompts: the prompts that the first slots answer, in their order.
    :param outputs: tensors without the batch axis.
    """

    frame: Frame
    fit: Fit
    prompts: Sequence[Prompt]
    outputs: Outputs


def segment(
    frame: Frame, serving: ServingModel, parts: frozenset[Part] = PARTS,
    temporal: TemporalFilter | None = None,
) -> Segmentation:
    """
    Segment one frame.

    :param parts: parts of the segmentation that are read: maps of `PARTS`, and `segments`.
    :param temporal: state of the camera, if more of its frames follow.
    :raises ImageError: if the engine was opened for images of another size.
    :raises EngineError: if the runtime failed, or the network computes NaN.
    """
    serving.engine.signature.check_source(frame.size_hw)
    temporal = temporal or TemporalFilter()
    (inference,) = infer([frame], [temporal.prompts], serving)
    segmentation = postprocess(inference, serving, parts)
    return follow(segmentation, inference, serving, parts, temporal)


def infer(
    frames: Sequence[Frame], memories: Sequence[PromptMemory], serving: ServingModel
) -> list[Inference]:
    """
    Run the network on frames of several cameras in one call of the engine.

    :param frames: at most `serving.batch_limit`, of sizes that the engine accepts.
    :param memories: the prompts of each frame's camera.
    :raises EngineError: if the runtime failed.
    """
    with serving.timing.stage('fit'):           # images into the network's input
        batch, fits = preprocess(frames, serving)
        prompts = [
            prompts_of(frame, fit, memory, serving)
            for frame, fit, memory in zip(frames, fits, memories, strict=True)
        ]
    with serving.timing.stage('network'):       # output tensors of the engine
        if not serving.promptable:
            outputs = run_engine(batch, serving)
        elif any(prompts):      # promptable models take one image per call
            tensor = tensor_from_prompts(prompts[0], fits[0], serving.engine.signature)
            outputs = run_engine(batch, serving, tensor)
        else:
            outputs = nothing_asked()
    return [
        Inference(frame, fit, prompts[index], outputs.image(index))
        for index, (frame, fit) in enumerate(zip(frames, fits, strict=True))
    ]


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


def prompts_of(
    frame: Frame, fit: Fit, memory: PromptMemory, serving: ServingModel
) -> Sequence[Prompt]:
    """Return the prompts of an image: those of the settings, then those of the camera."""
    if not serving.promptable:
        return ()
    prompts = [*serving.prompts, *memory.asked(frame.size_hw)]
    asked, memory.unanswered = answerable(
        prompts, serving.engine.signature, serving.card, serving.thresholds, fit
    )
    return asked


def run_engine(
    batch: Pixels, serving: ServingModel, prompts: NDArray[np.float32] | None = None
) -> Outputs:
    """
    Run the engine and wait for its outputs.

    :param batch: uint8 (N, H, W, channels) at network size.
    :param prompts: float32 (N, P, 4) for a promptable network.
    :raises EngineError: if the runtime failed.
    """
    submit = serving.engine.submit
    future = submit(batch) if prompts is None else submit(batch, prompts)
    outputs = future.result()
    for stage, milliseconds in outputs.stage_ms.items():
        serving.timing.add(stage, milliseconds)
    return outputs


def postprocess(
    inference: Inference, serving: ServingModel, parts: frozenset[Part] = PARTS
) -> Segmentation:
    """
    Turn the network's answer into masks at the image's size.

    :param parts: parts of the segmentation that are read.
    :raises EngineError: if the network computes NaN.
    """
    outputs = inference.outputs
    _refuse_nan(outputs, serving.engine.signature)
    if serving.promptable:
        outputs = with_prompts(outputs, inference.prompts, serving.card)
    elif serving.settings.smoothing and 'classes' in parts:   # smoothing reads all maps
        parts = parts | {'confidence', 'instances'}
    make = semantic_segmentation if outputs.scores is None else panoptic_segmentation
    with serving.timing.stage('paint'):
        return make(outputs, PostprocessContext(
            inference.fit, serving.engine.signature, serving.card, serving.thresholds, parts
        ))


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


def follow(
    segmentation: Segmentation, inference: Inference, serving: ServingModel,
    parts: frozenset[Part], temporal: TemporalFilter,
) -> Segmentation:
    """
    Apply `tracking` and `smoothing`, if enabled, with the camera's earlier images.

    Call it in the order of the images' stamps. With a promptable model, masks keep the prompts'
    ids, and the prompts move with them.

    :param parts: parts of the segmentation that are read; others are not processed.
    :param temporal: state of the camera.
    """
    if serving.promptable:
        temporal.prompts.update(inference.prompts, segmentation)
        return segmentation
    settings = serving.settings
    if not (settings.tracking or settings.smoothing):
        return segmentation
    return temporal.update(
        segmentation, inference.frame.stamp_ns, serving.card, settings, parts, serving.timing
    )

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

"""Convert prompts to the engine's input, and assign their ids to the slots that answer them."""

from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from seg_ros.core.card import ModelCard
from seg_ros.core.prompts import channel_of, Prompt
from seg_ros.core.shown import few
from seg_ros.core.signature import ModelSignature
from seg_ros.core.tensors import Outputs
from seg_ros.core.thresholds import Thresholds
from seg_ros.image.fit import Fit

_MAX_REASONS = 3    # in one message


def answerable(
    prompts: Sequence[Prompt], signature: ModelSignature, card: ModelCard,
    thresholds: Thresholds, fit: Fit | None = None,
) -> tuple[tuple[Prompt, ...], str]:
    """
    Return the prompts that a model can answer.

    :param fit: how the image is fitted into the network's input, if known.
    :returns: these prompts in their order, and why others get no answer; empty if all do.
    """
    answered: dict[int, Prompt] = {}
    reasons: list[str] = []
    for prompt in prompts:
        reason = _refusal(prompt, answered, signature, card, thresholds, fit)
        if not reason:
            answered[prompt.id] = prompt
        elif reason not in reasons and len(reasons) < _MAX_REASONS:
            reasons.append(reason)
    return tuple(answered.values()), '; '.join(reasons)


def _refusal(
    prompt: Prompt, answered: Collection[int], signature: ModelSignature, card: ModelCard,
    thresholds: Thresholds, fit: Fit | None,
) -> str:
    """Return why a prompt cannot be answered in addition to `answered`; empty if it can."""
    if not signature.promptable:
        return (
            f'the model {card.name} takes no prompts; expected a model of the task promptable, or '
            'no prompts'
        )
    names = [item.name for item in card.classes]
    if prompt.name and prompt.name not in names:
        known = few(names)
        return f'the model {card.name} has no class {prompt.name}; expected some of {known}'
    if (channel := channel_of(prompt, card)) not in thresholds.channels:
        return f'{names[channel]}, the class of prompt {prompt.id}, is not among `classes`'
    if fit and not _is_seen(prompt, fit):
        height, width = fit.source_hw
        return (
            f'prompt {prompt.id} lies outside the part of the {width}x{height} image that the '
            'network sees'
        )
    if prompt.id in answered:
        return f'two with the id {prompt.id}, only the first is answered'
    if len(answered) == signature.max_prompts:
        return (
            f'more than {signature.max_prompts}, the limit of the model {card.name}; compile it '
            'with --max-prompts, or export it with more slots'
        )
    return ''


def _is_seen(prompt: Prompt, fit: Fit) -> bool:
    """Return whether at least a part of the prompt lies in the network's input."""
    x0, y0, x1, y1 = fit.seen_xyxy
    left, top, right, bottom = prompt.xyxy
    return (x0 <= left < x1 or left < x0 < right) and (y0 <= top < y1 or top < y0 < bottom)


def tensor_from_prompts(
    prompts: Sequence[Prompt], fit: Fit, signature: ModelSignature
) -> NDArray[np.float32]:
    """
    Return prompts as the engine's input tensor.

    :param prompts: at most `signature.max_prompts`.
    :returns: float32 (1, P, 4), x0, y0, x1, y1 in network pixels, clipped to the image; unused
        rows are zero.
    """
    tensor = np.zeros((1, signature.max_prompts, 4), np.float32)
    if prompts:
        boxes = np.array([prompt.xyxy for prompt in prompts], np.float32)
        x0, y0, x1, y1 = fit.seen_xyxy
        seen = boxes.clip((x0, y0, x0, y0), (x1, y1, x1, y1))
        tensor[0, :len(prompts)] = fit.network_xyxy(seen)
    return tensor


def nothing_asked() -> Outputs:
    """Return the outputs of one image without prompts: no slots."""
    return Outputs(
        boxes=np.zeros((1, 0, 4), np.float32), scores=np.zeros((1, 0), np.float32),
        classes=np.zeros((1, 0), np.int32), masks=np.zeros((1, 0, 1, 1), np.uint8),
    )


def with_prompts(outputs: Outputs, prompts: Sequence[Prompt], card: ModelCard) -> Outputs:
    """
    Set ids and classes of the slots that answer prompts, and clear the other slots.

    :param outputs: outputs of one image, without the batch axis.
    """
    scores = outputs.tensor('scores').copy()
    scores[len(prompts):] = 0
    ids, classes = np.zeros((2, len(scores)), np.int32)
    for slot, prompt in enumerate(prompts):
        ids[slot], classes[slot] = prompt.id, channel_of(prompt, card)
    return replace(outputs, scores=scores, classes=classes, ids=ids)

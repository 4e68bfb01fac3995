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

"""Both ends of the prompts: from source pixels into the engine, and onto the slots it fills."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from seg_ros.core.card import ModelCard
from seg_ros.core.prompts import channel_of, Prompt
from seg_ros.core.signature import ModelSignature
from seg_ros.core.tensors import Outputs
from seg_ros.image.letterbox import Fit


def answerable(
    prompts: Sequence[Prompt], signature: ModelSignature, card: ModelCard
) -> tuple[Prompt, ...]:
    """Return the prompts that a model can answer: each id once, of its classes, in its slots."""
    names = {'', *(item.name for item in card.classes)}
    first = {item.id: item for item in reversed(prompts) if item.name in names}
    return tuple(item for item in prompts if first.get(item.id) is item)[:signature.max_prompts]


def unanswerable(
    prompts: Sequence[Prompt], signature: ModelSignature, card: ModelCard
) -> str:
    """Say which prompts a model cannot answer, and why; nothing where it answers all."""
    if not prompts:
        return ''
    if not signature.max_prompts:
        return f'the model {card.name} takes no prompts; expected a model of the task promptable'
    ids = [item.id for item in prompts]
    if twice := sorted({number for number in ids if ids.count(number) > 1}):
        return f'two with the id {", ".join(map(str, twice))}, of which the first is answered'
    unknown = sorted({item.name for item in prompts} - {'', *(item.name for item in card.classes)})
    if unknown:
        known = ', '.join(item.name for item in card.classes)
        return f'the model {card.name} has no class {", ".join(unknown)}; expected some of {known}'
    if len(prompts) > signature.max_prompts:
        return (
            f'{len(prompts)} of them, the model {card.name} answers {signature.max_prompts}; '
            'compile it with --max-prompts, or export it with more slots'
        )
    return ''


def tensor_from_prompts(
    prompts: Sequence[Prompt], fit: Fit, signature: ModelSignature
) -> NDArray[np.float32]:
    """
    Lay prompts out for the engine.

    :param prompts: at most `signature.max_prompts`.
    :returns: float32 (1, P, 4), x0, y0, x1, y1 in network pixels; rows of zeros ask for nothing.
    """
    tensor = np.zeros((1, signature.max_prompts, 4), np.float32)
    if prompts:
        boxes = np.array([prompt.xyxy for prompt in prompts], np.float32)
        tensor[0, :len(prompts)] = fit.network_xyxy(boxes)
    return tensor


def nothing_asked() -> Outputs:
    """Return what a network would answer to no prompts, for one image."""
    return Outputs(
        boxes=np.zeros((1, 0, 4), np.float32), scores=np.zeros((1, 0), np.float32),
        classes=np.zeros((1, 0), np.int32), masks=np.zeros((1, 0, 1, 1), np.uint8),
    )


def with_prompts(outputs: Outputs, prompts: Sequence[Prompt], card: ModelCard) -> Outputs:
    """
    Give the slots that answer prompts their ids and classes, and empty the others.

    :param outputs: of one image, without the batch axis.
    """
    scores = outputs.tensor('scores').copy()
    scores[len(prompts):] = 0
    ids, classes = np.zeros((2, len(scores)), np.int32)
    for slot, prompt in enumerate(prompts):
        ids[slot], classes[slot] = prompt.id, channel_of(prompt, card)
    return replace(outputs, scores=scores, classes=classes, ids=ids)

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

"""The prompts of one camera: what is to be segmented in its images, by topic."""

from collections.abc import Iterable
from itertools import count
from math import cos, sin
from typing import Any

from seg_ros.core.errors import PromptError
from seg_ros.core.prompts import MOST_ID, Prompt, Xyxy
from seg_ros.core.shown import shown
from seg_ros.pipeline.prompts import unanswerable
from seg_ros.pipeline.serving_model import ServingModel
from seg_ros.ros.lifecycle import SafeLifecycleNode
from seg_ros.ros.outputs.vision import MISSING
from seg_ros.ros.qos import masks
from seg_ros.temporal.prompt_memory import PromptMemory


class PromptsInput:
    """
    The subscription to `~/<camera>/prompts`, vision_msgs Detection2DArray, of promptable models.

    A message asks for its objects from the next image on, in the place of what was asked before.

    :param memory: where the prompts are kept, to follow their objects.
    """

    def __init__(self, node: SafeLifecycleNode, camera: str, memory: PromptMemory) -> None:
        self._node, self._camera, self._memory = node, camera, memory
        self._name = f'~/{camera}/prompts'
        self._subscription: Any = None

    def follow(self, serving: ServingModel | None) -> None:
        """Listen while a promptable model serves; without vision_msgs there is no such topic."""
        wanted = serving is not None and serving.engine.signature.max_prompts > 0
        if not wanted or MISSING:
            self.unsubscribe()
        elif self._subscription is None:
            from vision_msgs.msg import Detection2DArray

            self._subscription = self._node.create_subscription(
                Detection2DArray, self._name, self._node.guarded(self._on_prompts), masks()
            )

    def unsubscribe(self) -> None:
        """Stop listening; what was asked stays asked."""
        if self._subscription is not None:
            self._node.destroy_subscription(self._subscription)
        self._subscription = None

    def _on_prompts(self, message: Any) -> None:
        prompts, remarks = prompts_from_detections(message.detections)
        self._memory.ask(prompts)
        for remark in remarks:
            self._node.quiet.warning(f'{self._camera}: {remark}', (self._camera, 'prompts'))

    def complaint(self, serving: ServingModel | None) -> str:
        """Say which prompts get no answer; nothing where all do."""
        if serving is None or not serving.engine.signature.max_prompts:
            return ''
        prompts = [*serving.prompts, *self._memory.asked()]
        words = unanswerable(prompts, serving.engine.signature, serving.card)
        return f'prompts: {words}' if words else ''

    def values(self) -> dict[str, str]:
        """Return figures for the diagnostics."""
        if self._subscription is None:
            return {}
        return {
            'prompts_topic': self._node.resolve_topic_name(self._name),
            'prompts': str(len(self._memory.asked())),
        }


def prompts_from_detections(detections: Iterable[Any]) -> tuple[list[Prompt], list[str]]:
    """
    Read boxes, and points where a box has no size, of vision_msgs Detection2D.

    Ids that are numbers are kept; others get numbers that are free, in their order.

    :returns: what can be used, and what there is to say of the rest.
    """
    rows = list(detections)
    numbers = [_number(row.id) for row in rows]
    free = (number for number in count(1) if number not in numbers)
    prompts: dict[int, Prompt] = {}
    remarks = []
    for row, kept in zip(rows, numbers, strict=True):
        number = kept or next(free)
        try:
            if number in prompts:
                raise PromptError(f'two prompts with the id {number}', 'an id for each')
            prompts[number] = Prompt(number, _corners(row.bbox), _class_name(row))
        except PromptError as error:
            remarks.append(str(error))
        else:
            if row.id and not kept:
                remarks.append(
                    f'the prompt {shown(row.id)} becomes {number}; ids of segments are numbers '
                    f'from 1 to {MOST_ID}'
                )
    return list(prompts.values()), remarks


def _number(text: str) -> int:
    """Return an id as a number, 0 where it is none that a segment can have."""
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0
    return number if number <= MOST_ID else 0


def _corners(bbox: Any) -> Xyxy:
    """Return the upright box around one that may be turned."""
    x, y, angle = bbox.center.position.x, bbox.center.position.y, bbox.center.theta
    across, along = abs(cos(angle)), abs(sin(angle))
    half_x = (bbox.size_x * across + bbox.size_y * along) / 2
    half_y = (bbox.size_x * along + bbox.size_y * across) / 2
    return x - half_x, y - half_y, x + half_x, y + half_y


def _class_name(detection: Any) -> str:
    """Return the class of the first hypothesis, or an empty name."""
    return str(detection.results[0].hypothesis.class_id) if detection.results else ''

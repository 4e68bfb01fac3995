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

"""The subscription to one camera's prompts."""

from typing import Any

from seg_ros.core.prompts import prompts_from_texts
from seg_ros.core.settings import LiveSettings
from seg_ros.pipeline.serving_model import ServingModel
from seg_ros.ros.lifecycle import SafeLifecycleNode
from seg_ros.ros.outputs.vision import MISSING
from seg_ros.ros.prompt_messages import PromptReader
from seg_ros.ros.qos import offers_reliable
from seg_ros.ros.subscription import Subscription
from seg_ros.temporal.prompt_memory import PromptMemory

_MAX_REMARKS = 3    # on one message, in one line of the log


class PromptsInput:
    """
    The subscription to `~/<camera>/prompts`, vision_msgs Detection2DArray, of promptable models.

    A message applies from the next image on, and replaces the prompts of earlier messages.

    :param memory: stores the prompts, and moves them with their objects.
    """

    def __init__(
        self, node: SafeLifecycleNode, camera: str, settings: LiveSettings, memory: PromptMemory
    ) -> None:
        self._node, self._camera, self._settings = node, camera, settings
        self._memory, self._reader = memory, PromptReader()
        self._name = f'~/{camera}/prompts'
        self._topic: str = node.resolve_topic_name(self._name)
        self._subscription: Subscription | None = None
        if not MISSING:
            from vision_msgs.msg import Detection2DArray

            self._subscription = Subscription(node, Detection2DArray, self._on_prompts)

    def follow(self, serving: ServingModel | None) -> None:
        """
        Subscribe while a promptable model serves, and log prompts without an answer.

        Without vision_msgs there is no subscription.
        """
        if words := self.problem(serving):
            key = self._camera, 'unanswered'      # not the text, in which ids vary
            self._node.throttled.warning(f'{self._camera}: {words}', key, throttle_s=30.0)
        if serving is None or not serving.promptable:
            self.unsubscribe()
        elif self._subscription is not None and self._subscription.due:
            # There may be a single message: be reliable unless a publisher is best effort.
            reliable = (
                not self._node.count_publishers(self._topic)
                or offers_reliable(self._node, self._topic)
            )
            if self._subscription.listen(self._name, reliable):
                words = f'{self._camera}: listening to prompts on {self._topic}'
                self._node.get_logger().info(words)

    def unsubscribe(self) -> None:
        """Unsubscribe, but keep the prompts."""
        if self._subscription is not None:
            self._subscription.close()

    def _on_prompts(self, message: Any) -> None:
        fixed = prompts_from_texts(self._settings.now.prompts)
        prompts, remarks = self._reader.read(message.detections, [item.id for item in fixed])
        self._memory.ask(prompts)
        if remarks:
            words = '; '.join(remarks[:_MAX_REMARKS])
            self._node.throttled.warning(f'{self._camera}: {words}', (self._camera, 'prompts'))

    def problem(self, serving: ServingModel | None) -> str:
        """Return which prompts had no answer in the last image; empty if all had."""
        if serving is None or not serving.promptable:
            return ''
        if MISSING and not serving.prompts:
            return f'no prompts can be received: {MISSING}; or set the parameter prompts'
        return f'prompts: {self._memory.unanswered}' if self._memory.unanswered else ''

    def values(self) -> dict[str, str]:
        """Return values for the diagnostics."""
        if self._subscription is None or not self._subscription.active:
            return {}
        return {
            'prompts_topic': self._topic,
            'prompts': str(len(self._memory)),
        }

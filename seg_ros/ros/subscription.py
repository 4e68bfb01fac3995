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

"""A subscription that follows its topic's publishers."""

from collections.abc import Callable
from time import monotonic
from typing import Any

from rclpy.qos_overriding_options import QoSOverridingOptions, QoSPolicyKind
from seg_ros.ros.lifecycle import SafeLifecycleNode
from seg_ros.ros.qos import image_qos, qos_override_errors

# Between two queries for the publishers of a topic; a query takes almost a millisecond.
GRAPH_POLL_S = 1.0
STARTING_S = 3.0    # after subscribing, before missing messages are reported
# Not reliability, which input_reliability sets.
_OVERRIDES = QoSOverridingOptions((QoSPolicyKind.HISTORY, QoSPolicyKind.DEPTH))


class Subscription:
    """
    A subscription to the newest message, replaced when its topic or reliability changes.

    :param message: message type.
    :param callback: called with each message; its exceptions are logged and counted.
    :param where: name of the callback in the log.
    :param overridable: whether `qos_overrides` of the topic may set history and depth.
    """

    def __init__(
        self, node: SafeLifecycleNode, message: Any, callback: Callable[[Any], object],
        where: str = '', overridable: bool = False,
    ) -> None:
        self._node, self._message = node, message
        self._callback = node.guarded(callback, where)
        self._overrides = _OVERRIDES if overridable else None
        self._subscription: Any = None
        self._name, self.reliable = '', False
        self._began_s = self._checked_s = 0.0

    @property
    def active(self) -> bool:
        """Whether it is subscribed."""
        return self._subscription is not None

    @property
    def starting(self) -> bool:
        """Whether it is too new for missing messages to be a problem."""
        return monotonic() - self._began_s < STARTING_S

    @property
    def due(self) -> bool:
        """Whether `listen` is to be called; between two calls `GRAPH_POLL_S` pass."""
        return not self.active or monotonic() >= self._checked_s + GRAPH_POLL_S

    def listen(self, name: str, reliable: bool) -> bool:
        """
        Subscribe, unless it is subscribed like this already.

        :param name: name of the topic, to which rclpy applies remappings.
        :param reliable: whether to request reliable delivery.
        :returns: whether anything has changed.
        :raises SettingError: if the topic's `qos_overrides` are invalid.
        """
        self._checked_s = monotonic()
        if self.active and (name, reliable) == (self._name, self.reliable):
            return False
        if not self.active:
            self._began_s = self._checked_s
        self.close()
        self._name, self.reliable = name, reliable
        with qos_override_errors(name):
            self._subscription = self._node.create_subscription(
                self._message, name, self._callback, image_qos(reliable),
                qos_overriding_options=self._overrides,
            )
        return True

    def close(self) -> None:
        """Unsubscribe."""
        if self._subscription is not None:
            self._node.destroy_subscription(self._subscription)
        self._subscription = None

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

"""The thread that makes and publishes the outputs which masks do not wait for."""

from collections.abc import Callable, Iterable
from time import monotonic
from typing import Any, TypeAlias

from seg_ros.pipeline.workers import Mailbox, Workers
from seg_ros.ros.lifecycle import SafeLifecycleNode
from seg_ros.ros.publishers import OutputPublisher

_Task: TypeAlias = Callable[[], object]

# For how long the outputs of a frame wait for masks: about a camera's period, so that they are
# made however busy the workers are.
_PATIENCE_S = 0.03


class Background:
    """
    A thread for the outputs of all cameras that are deferred or need depth.

    It begins an output while no worker has frames. A low priority would not do instead: threads
    take turns for Python's lock whatever their priorities, and where other processes need the
    cores, the workers would wait for a thread that has the lock and gets no core.

    :param wait_idle: waits until no worker has frames, up to a time of the monotonic clock.
    """

    def __init__(self, node: SafeLifecycleNode, wait_idle: Callable[[float], object]) -> None:
        self._node = node
        self._wait_idle = wait_idle
        self._mailbox: Mailbox[_Task] | None = None
        self._workers: Workers[_Task] | None = None
        self._until_s = 0.0     # for which the frame in work waits for idle workers
        self._topic = ''    # of the output that was begun last

    def start(self) -> None:
        """Start the thread."""
        self._mailbox = Mailbox()
        self._workers = Workers(self._mailbox, self._work, self._report)

    def stop(self, timeout_s: float) -> bool:
        """
        Finish the frame in flight; return whether the thread ended in time.

        A thread that did not is abandoned: it publishes nothing more.
        """
        ended = self._workers is None or self._workers.stop(timeout_s)
        self._workers = self._mailbox = None
        if not ended:
            self._node.get_logger().error(
                f'an output in flight did not finish within {timeout_s:g} s and is abandoned'
            )
        return ended

    def put(self, source: str, task: _Task) -> bool:
        """
        Have the thread run a task; any thread may call it.

        :param source: name of what the task belongs to; its newest task wins.
        :param task: publishes a frame with `publish`.
        :returns: whether an older task of the source was replaced.
        """
        mailbox = self._mailbox     # `stop` may set it to None meanwhile
        return mailbox is not None and mailbox.put(source, task)

    def overdue(self, limit_s: float) -> str:
        """
        Return which output does not end, as text; empty if all is well.

        :param limit_s: how long the outputs of a frame may take; 0 = any time.
        """
        workers = self._workers     # `stop` may set it to None meanwhile
        busy_s = max(workers.busy_s()) if workers is not None else 0.0
        if not limit_s or busy_s <= limit_s:
            return ''
        return (
            f'{self._topic or "depth"} has not been made for {busy_s:.0f} s: overlays, compressed '
            'masks and outputs of depth are missing'
        )

    def publish(self, outputs: Iterable[OutputPublisher], view: Any) -> None:
        """
        Make and publish outputs of a frame; the thread's tasks call it.

        One that fails is logged and costs the others nothing.

        :param view: a `View`, or a `DepthView` if the outputs need depth.
        """
        mailbox = self._mailbox
        for each in outputs:
            self._wait_idle(self._until_s)
            self._topic = each.publisher.topic_name
            try:
                message = each.message(view)
                if self._mailbox is not mailbox:    # abandoned by `stop` meanwhile
                    return
                if message is not None:
                    each.publisher.publish(message)
            except Exception as error:  # noqa: BLE001 - that of a plug-in may raise anything
                self._node.fault(f'{self._topic} of a frame was dropped', error)

    def _work(self, items: list[tuple[str, _Task]]) -> None:
        for _, task in items:
            self._until_s = monotonic() + _PATIENCE_S
            self._wait_idle(self._until_s)
            task()

    def _report(self, error: Exception) -> None:
        self._node.fault('outputs of a frame were dropped', error)

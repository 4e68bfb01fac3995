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

"""A mailbox for the newest image of each camera, and the threads that work on them."""

import atexit
from collections import OrderedDict
from collections.abc import Callable
from threading import Condition, current_thread, Thread
from time import monotonic
from typing import Generic, TypeVar

from seg_ros.core.thread_start import started

T = TypeVar('T')

EXIT_TIMEOUT_S = 1.5    # for frames in flight when the process ends


class Mailbox(Generic[T]):
    """A queue with one slot for each camera: the newest frame wins, and cameras take turns."""

    def __init__(self) -> None:
        self._slots: OrderedDict[str, T] = OrderedDict()
        self._changed = Condition()     # guards the slots and whether it is open
        self._open = True

    def put(self, camera: str, item: T) -> bool:
        """
        Store an item, replacing an older one of the same camera.

        The camera keeps its place in the queue, so that a fast one cannot overtake a slow one.

        :returns: whether an older item was replaced.
        """
        with self._changed:
            displaced = camera in self._slots
            if self._open:
                self._slots[camera] = item
                self._changed.notify()
            return displaced

    def take(self, limit: int = 1) -> list[tuple[str, T]]:
        """
        Wait for items and take up to `limit` of them, longest-waiting camera first.

        :returns: (camera, item) pairs; empty once the mailbox is closed.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._slots or not self._open)
            if not self._open:
                return []
            return [self._slots.popitem(last=False) for _ in range(min(limit, len(self._slots)))]

    @property
    def waiting(self) -> bool:
        """Whether it has an item."""
        return bool(self._slots)

    def close(self) -> None:
        """Drop the waiting items and end every worker."""
        with self._changed:
            self._open = False
            self._slots.clear()
            self._changed.notify_all()


class Workers(Generic[T]):
    """
    Worker threads, each of which does all the work on the frames that it took.

    They are stopped at process exit at the latest: a thread that returns from C++ after the
    interpreter has ended aborts the process.

    :param work: called with (camera, item) pairs; its exceptions are passed to `failed`.
    :param failed: called with an exception; the worker goes on with the next frame.
    :param count: number of threads, and so of calls of `work` in flight.
    :param limit: called before each call of `work`, returns the maximum number of pairs for it.
    :raises EngineError: if the system has no threads left; no worker runs then.
    """

    def __init__(
        self,
        mailbox: Mailbox[T],
        work: Callable[[list[tuple[str, T]]], None],
        failed: Callable[[Exception], None],
        count: int = 1,
        limit: Callable[[], int] = lambda: 1,
    ) -> None:
        self._mailbox = mailbox
        self._work = work
        self._failed = failed
        self._limit = limit
        self._changed = Condition()     # guards the next
        self._busy_since_s: dict[Thread, float] = {}
        self._threads: list[Thread] = []
        try:
            for number in range(count):
                self._threads.append(started(self._loop, f'worker-{number}'))
        except BaseException:
            mailbox.close()     # ends the threads that have started
            raise
        atexit.register(self.stop, EXIT_TIMEOUT_S)

    def _loop(self) -> None:
        thread = current_thread()
        while items := self._mailbox.take(self._limit()):
            with self._changed:
                self._busy_since_s[thread] = monotonic()
            try:
                self._work(items)
            except Exception as error:  # noqa: BLE001 - one frame must never stop a robot's masks
                self._failed(error)
            finally:
                with self._changed:
                    del self._busy_since_s[thread]
                    self._changed.notify_all()

    def busy_s(self) -> list[float]:
        """Return for each worker how long it has worked on its present frames; 0 if it is idle."""
        with self._changed:
            now_s = monotonic()
            return [now_s - self._busy_since_s.get(thread, now_s) for thread in self._threads]

    def wait_idle(self, until_s: float) -> None:
        """
        Wait until no worker has frames.

        :param until_s: when to stop waiting, by the monotonic clock.
        """
        with self._changed:
            self._changed.wait_for(
                lambda: not (self._busy_since_s or self._mailbox.waiting),
                max(0.0, until_s - monotonic()),
            )

    def stop(self, timeout_s: float) -> bool:
        """
        Close the mailbox and wait for the frames in flight.

        :returns: whether all workers ended within `timeout_s`.
        """
        atexit.unregister(self.stop)
        self._mailbox.close()
        deadline_s = monotonic() + timeout_s
        for thread in self._threads:
            thread.join(max(0.0, deadline_s - monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

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

"""The primary CUDA context of a GPU, which the engines of a process share."""

from collections.abc import Callable
from threading import Condition

from seg_ros.engines.cuda.libcuda import call


class PrimaryContext:
    """
    The users of a primary context, and whether it is lost.

    A lost context is reset only when all users have left it: the new one may reuse its addresses,
    so that freeing old memory late would free another user's memory.

    :param index: the GPU's ordinal.
    """

    def __init__(self, index: int) -> None:
        self._index = index
        self._users: dict[int, Callable[[], None]] = {}
        self._loss = ''
        self._changed = Condition()     # guards _users and _loss

    @property
    def loss(self) -> str:
        """Return how the context was lost; empty while it is intact."""
        return self._loss

    def enter(self, user: object, wake: Callable[[], None]) -> None:
        """
        Add a user; wait first until all others have left a lost context.

        :param wake: called from any thread when the context is lost; must not block.
        """
        with self._changed:
            self._changed.wait_for(lambda: not self._loss)
            self._users[id(user)] = wake

    def lose(self, how: str) -> None:
        """Record that the context is lost, and notify all users the first time."""
        with self._changed:
            wakes = [] if self._loss else list(self._users.values())
            self._loss = self._loss or how
        for wake in wakes:
            wake()

    def leave(self, user: object) -> None:
        """
        Remove a user, which has freed everything; with the last one, reset a lost context.

        :raises EngineError: if the driver cannot reset it.
        """
        with self._changed:
            del self._users[id(user)]
            try:
                if self._loss and not self._users:
                    self._loss = ''
                    call('cuDevicePrimaryCtxReset_v2', self._index)
            finally:
                self._changed.notify_all()


_PRIMARIES: dict[int, PrimaryContext] = {}


def primary_of(index: int) -> PrimaryContext:
    """Return this process's primary context of a GPU."""
    return _PRIMARIES.setdefault(index, PrimaryContext(index))

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

"""Hold the current model, which several threads use and which is swapped between two frames."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Lock

from seg_ros.core.errors import EngineError, NoEngineError
from seg_ros.core.thread_start import started
from seg_ros.pipeline.serving_model import ServingModel


class _Held:
    """A model and the number of its users."""

    def __init__(self, model: ServingModel) -> None:
        self.model = model
        self.users = 0
        self.replaced = False
        self.closed = Event()

    def close(self) -> None:
        try:
            self.model.close()
        finally:
            self.closed.set()


class EngineHolder:
    """
    Gives access to the current model, which stays open while in use, or the reason for none.

    No method waits for users: a replaced model is closed by its last user or, if it has none, in a
    separate thread.
    """

    def __init__(self) -> None:
        self._held: _Held | None = None
        self._reason = 'no model has been loaded'
        self._lock = Lock()     # guards both, and the number of users

    @property
    def current(self) -> ServingModel | None:
        """Return the current model, or None."""
        held = self._held
        return None if held is None else held.model

    @property
    def reason(self) -> str:
        """Return why there is no model; empty while there is one."""
        return '' if self._held is not None else self._reason

    @contextmanager
    def acquire(self) -> Iterator[ServingModel]:
        """
        Use the current model, which stays open until the block ends.

        :raises NoEngineError: if there is no model, with the reason.
        """
        with self._lock:
            held = self._held
            if held is None:
                raise NoEngineError(f'no engine: {self._reason}')
            held.users += 1
        try:
            yield held.model
        finally:
            with self._lock:
                held.users -= 1
                last = held.replaced and not held.users
            if last:
                held.close()

    def swap(self, model: ServingModel | None, reason: str = '') -> Event:
        """
        Replace the current model, without waiting for its users.

        :param reason: why there is no model, if `model` is None.
        :returns: an event that is set as soon as the old model is closed.
        """
        with self._lock:
            old, self._reason = self._held, reason
            self._held = None if model is None else _Held(model)
            idle = old is not None and not old.users
            if old is not None:
                old.replaced = True
        if old is None:
            closed = Event()
            closed.set()
            return closed
        if idle:
            try:
                started(old.close, 'close')
            except EngineError:     # the system has no threads left
                old.close()
        return old.closed

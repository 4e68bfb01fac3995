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

"""
Loads models in the background and swaps them while the node runs.

The states, which `pipeline.model_states` defines, and the transitions between them::

             load               the model serves
    Empty ---------> Loading ----------------------> Serving
                      | ^ ^                           | ^
                error | | '---------- load -----------' |
                      v | load                          |
                     Failed ----------------------------'
                              take_failure, if an earlier model serves

`load` while Loading cancels that load and starts another; `close` leads from any state to Empty.

What a load does, in its own thread::

    if TensorRT has to build first:  open the model on the CPU, swap it in
    open the model, swap it in
        if the GPU memory is full:   close the engine that serves, open the model, swap it in
    on an error:                     reopen the engine that was closed, if any
"""

from collections.abc import Callable
from dataclasses import replace
from threading import Condition, Thread
from time import monotonic
from typing import TypeAlias

from seg_ros.core.errors import described, EngineError, GpuMemoryError
from seg_ros.core.progress import Cancelled, never, Report, silent
from seg_ros.core.settings import Settings
from seg_ros.core.thread_start import started
from seg_ros.engines import stand_in
from seg_ros.pipeline.engine_holder import EngineHolder
from seg_ros.pipeline.model_states import (
    Empty,
    Failed,
    Loading,
    model_state,
    ModelState,
    Serving,
    State,
)
from seg_ros.pipeline.serving_model import (
    open_serving_model,
    ServingModel,
)

Opener: TypeAlias = Callable[[Settings, Report, Cancelled], ServingModel]

HANDOVER_S = 5.0    # for a cancelled load to end
_POLL_S = 0.1


class ModelManager:
    """
    One state, guarded by one lock, and one thread that loads.

    The newest request wins: it cancels a load in progress. Where TensorRT has yet to build the
    engine of a model with `engine: auto`, the CPU runs the model in the meantime. Where two models
    do not fit into GPU memory, the old one is closed first and reopened if the new one fails.

    :param changed: called after every change of `state`, in the thread that loads.
    :param report: receives the progress of TensorRT's build, in that thread too.
    :param opener: opens a model.
    :param stands_in: returns settings for the CPU, or None if the model can be opened at once.
    """

    def __init__(
        self,
        changed: Callable[[], object] = lambda: None,
        report: Report = silent,
        opener: Opener = open_serving_model,
        stands_in: Callable[[Settings], Settings | None] = stand_in,
    ) -> None:
        self.holder = EngineHolder()
        self._changed = changed
        self._report = report
        self._opener = opener
        self._stands_in = stands_in
        self._lock = Condition()
        self._state: State = Empty()
        self._served_settings: Settings | None = None   # of the engine in `holder`
        self._fallback_settings: Settings | None = None     # of the engine that served last
        self._thread: Thread | None = None

    @property
    def state(self) -> ModelState:
        """Return the present state."""
        with self._lock:
            served = self._served_settings
            return model_state(self._state, served.model if served else '')

    def load(self, settings: Settings) -> None:
        """Start to load `settings.model`; the present model serves until the new one is ready."""
        with self._lock:
            self._cancel()
            load = self._state = Loading(settings)
            previous = self._thread
            try:
                self._thread = started(self._run, 'model', load, previous)
                return
            except EngineError as none_left:
                error = none_left
        self._end(load, Failed(settings.model, error))

    def wait(
        self, cancelled: Cancelled = never, on_poll: Callable[[], object] = lambda: None
    ) -> None:
        """
        Wait until a model serves.

        :param on_poll: called several times a second meanwhile.
        :raises Exception: the error of the load, if it failed.
        :raises EngineError: if `cancelled` returns true, or another thread closed the manager.
        """
        with self._lock:
            while self._served_settings is None:
                if isinstance(self._state, Failed):
                    raise self._state.error
                if cancelled() or isinstance(self._state, Empty):
                    raise EngineError('loading the model was cancelled')
                on_poll()
                self._lock.wait(_POLL_S)

    def wants(self, model: str, again: bool = False) -> bool:
        """
        Return whether `model` has to be loaded, as it is not the one that was requested last.

        :param again: load the one that was requested last once more, if it has failed.
        """
        state = self.state
        return model != state.requested or (again and state.status == 'failed')

    def take_failure(self) -> ModelState | None:
        """
        Return a failed load once; then an earlier model that serves counts as requested last.

        :returns: the state with the failure; None where there is none, or it was returned before.
        """
        with self._lock:
            failed, state = self._state, self.state
            if not isinstance(failed, Failed) or failed.reported:
                return None
            self._state = Serving() if self._served_settings else replace(failed, reported=True)
            return state

    def cancel_load(self) -> None:
        """Cancel a load, without waiting for it."""
        with self._lock:
            self._cancel()

    def close(self, timeout_s: float) -> bool:
        """
        Cancel a load and close the model that serves.

        :returns: whether all of it ended within `timeout_s`.
        """
        deadline_s = monotonic() + timeout_s
        with self._lock:
            self._cancel()
            self._state, self._served_settings, self._fallback_settings = Empty(), None, None
            self._lock.notify_all()
            thread = self._thread
        if thread is not None:
            thread.join(timeout_s)
        closed = self.holder.swap(None, 'the node is not configured')
        ended = closed.wait(max(0.0, deadline_s - monotonic()))
        return ended and not (thread is not None and thread.is_alive())

    def _cancel(self) -> None:
        if isinstance(self._state, Loading):
            self._state.cancelled.set()

    def _end(self, load: Loading, state: State) -> None:
        """Leave Loading, unless the load was cancelled."""
        with self._lock:
            if load.cancelled.is_set():
                return
            self._state = state
            self._lock.notify_all()
        self._changed()

    def _run(self, load: Loading, previous: Thread | None) -> None:
        """Carry out one load, after the previous one has ended."""
        if previous is not None:
            previous.join(HANDOVER_S)
        try:
            for settings in self._steps(load.settings):
                if not self._serves(settings):
                    self._open_and_swap(load, settings)
        except Exception as error:  # noqa: BLE001 - the model that serves must go on
            self._reopen(load)
            self._end(load, Failed(load.settings.model, error))
        else:
            self._end(load, Serving())

    def _steps(self, settings: Settings) -> list[Settings]:
        """Return what to open in turn: the stand-in on the CPU, if any, then `settings`."""
        fast = self._stands_in(settings)
        return [fast, settings] if fast else [settings]

    def _serves(self, settings: Settings) -> bool:
        """Return whether this very model serves already, as after another request was revoked."""
        with self._lock:
            served = self._served_settings
        # A stand-in differs from the model it stands in for only by its device.
        return served is not None and (
            (served.model, served.engine, served.device)
            == (settings.model, settings.engine, settings.device)
        )

    def _open_and_swap(self, load: Loading, settings: Settings) -> None:
        try:
            serving = self._open(load, settings)
        except GpuMemoryError as full:
            if self._served_settings is None:
                raise
            self._close_serving(load, full)
            serving = self._open(load, settings)
        self._swap(load, settings, serving)

    def _open(self, load: Loading, settings: Settings) -> ServingModel:
        return self._opener(settings, self._report, load.cancelled.is_set)

    def _swap(self, load: Loading, settings: Settings, serving: ServingModel) -> None:
        """Let a model serve, unless the load was cancelled."""
        with self._lock:
            cancelled = load.cancelled.is_set()
            if not cancelled:
                self._served_settings = self._fallback_settings = settings
                self.holder.swap(serving)
                self._lock.notify_all()
        if cancelled:
            serving.close()
        else:
            self._changed()

    def _close_serving(self, load: Loading, full: GpuMemoryError) -> None:
        """Close the engine that serves, so that the new model has its memory."""
        with self._lock:
            if load.cancelled.is_set() or self._served_settings is None:
                raise full
            model, self._served_settings = self._served_settings.model, None
            reason = 'the GPU holds no two models, and another is being loaded'
            closed = self.holder.swap(None, reason)
        self._report(f'{model} is closed first: {full}', 0.0)
        closed.wait(HANDOVER_S)

    def _reopen(self, load: Loading) -> None:
        """Reopen the model that was closed for the new one; if that fails too, none serves."""
        with self._lock:
            settings = self._fallback_settings
            if load.cancelled.is_set() or self._served_settings is not None or settings is None:
                return
        try:
            self._swap(load, settings, self._open(load, settings))
        except Exception as error:  # noqa: BLE001 - the first failure is the one to report
            with self._lock:
                if not load.cancelled.is_set():     # otherwise another model may serve by now
                    reason = f'{settings.model} could not be opened again: {described(error)}'
                    self.holder.swap(None, reason)

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

"""Loads models in the background and swaps them while the node runs."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from threading import Condition, Event, Thread
from time import monotonic
from typing import Literal, TypeAlias

from seg_ros.core.errors import described, EngineError, GpuMemoryError
from seg_ros.core.progress import Cancelled, never, Report, silent
from seg_ros.core.settings import Settings
from seg_ros.core.thread_start import started
from seg_ros.engines import stand_in
from seg_ros.pipeline.engine_holder import EngineHolder
from seg_ros.pipeline.serving_model import (
    open_serving_model,
    ServingModel,
)

Status: TypeAlias = Literal['none', 'loading', 'serving', 'failed']
Opener: TypeAlias = Callable[[Settings, Report, Cancelled], ServingModel]

HANDOVER_S = 5.0    # for a cancelled load to end
_POLL_S = 0.1


@dataclass(frozen=True)
class ModelState:
    """
    Which model serves, is being loaded or failed, at one moment.

    :param status: `none` before the first and after the last; `loading` while one is on its way,
        whether or not another serves; `failed` after a load that failed, until the next load or,
        where another serves, until `take_failure`.
    :param active: the model that serves; empty where none does.
    :param pending: the model that is being loaded; empty where none is.
    :param failed: the model that could not be loaded, with `error`, where `status` is `failed`.
    """

    status: Status = 'none'
    active: str = ''
    pending: str = ''
    failed: str = ''
    error: Exception | None = None

    @property
    def reason(self) -> str:
        """Return why the model could not be loaded."""
        return described(self.error) if self.error else ''

    @property
    def loads_another(self) -> bool:
        """Return whether another model than the one that serves, if any, is being loaded."""
        return self.pending not in ('', self.active)


class _Load:
    """One request for a model; it is cancelled by the next one."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.cancelled = Event()


class ModelManager:
    """
    One state for the model, under one lock; one thread that loads.

    The newest request wins: it cancels a load that is under way. Where TensorRT has yet to build
    a model that `engine: auto` will run there, the CPU serves in the meantime. Where the GPU holds
    no two models, the old one is closed first and opened again if the new one fails.

    :param changed: called after every change of `state`, in the thread that loads.
    :param report: how far TensorRT's build is, called in that thread too.
    :param opener: opens a model.
    :param stands_in: returns settings for the CPU, or None where there is nothing to wait for.
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
        self._state = ModelState()
        self._load: _Load | None = None
        self._desired = ''          # the model that was asked for last
        self._unsettled = False     # whether `take_failure` has yet to return its failure
        self._serving: Settings | None = None
        self._last: Settings | None = None      # of the model that served last
        self._thread: Thread | None = None

    @property
    def state(self) -> ModelState:
        """Return the present state."""
        with self._lock:
            return self._state

    def load(self, settings: Settings) -> None:
        """Start to load `settings.model`; the present model serves until the new one is ready."""
        with self._lock:
            self._cancel()
            load = self._load = _Load(settings)
            self._desired, self._unsettled = settings.model, True
            self._set(status='loading', pending=settings.model, failed='', error=None)
            before = self._thread
            try:
                self._thread = started(self._run, 'model', load, before)
                return
            except EngineError as none_left:
                error = none_left
        self._end(load, status='failed', failed=settings.model, error=error)

    def wait(self, cancelled: Cancelled = never) -> None:
        """
        Wait until something serves.

        :raises Exception: what kept the model from being opened.
        :raises EngineError: if `cancelled` says so, or another thread closed the manager.
        """
        with self._lock:
            while self._serving is None:
                if self._state.error is not None:
                    raise self._state.error
                if cancelled() or self._state.status == 'none':
                    raise EngineError('loading the model was cancelled')
                self._lock.wait(_POLL_S)

    def wants(self, model: str, again: bool = False) -> bool:
        """
        Return whether `model` is another than the one that was asked for last.

        :param again: ask for the same one once more if it could not be loaded.
        """
        with self._lock:
            return model != self._desired or (again and self._state.status == 'failed')

    def take_failure(self) -> ModelState | None:
        """
        Return a failed load once, after which the model that serves counts as the one asked for.

        :returns: the state with the failure, once for each; None where there is none.
        """
        with self._lock:
            state = self._state
            if state.status != 'failed' or not self._unsettled:
                return None
            self._unsettled = False
            if state.active:
                self._desired = state.active
                self._set(status='serving', failed='', error=None)
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
            self._serving = self._last = None
            thread = self._thread
            self._set(status='none', active='', pending='', failed='', error=None)
        if thread is not None:
            thread.join(timeout_s)
        closed = self.holder.swap(None, 'the node is not configured')
        ended = closed.wait(max(0.0, deadline_s - monotonic()))
        return ended and not (thread is not None and thread.is_alive())

    def _cancel(self) -> None:
        if self._load is not None:
            self._load.cancelled.set()
            self._load = None

    def _set(self, **changes: object) -> None:
        self._state = replace(self._state, **changes)   # type: ignore[arg-type]
        self._lock.notify_all()

    def _run(self, load: _Load, before: Thread | None) -> None:
        """Load one request, after the previous one has ended."""
        if before is not None:
            before.join(HANDOVER_S)
        try:
            for step in self._steps(load.settings):
                if not self._serves(step):
                    self._serve(load, step)
        except Exception as error:  # noqa: BLE001 - whatever it was, what serves goes on
            self._restore(load)
            self._end(load, status='failed', failed=load.settings.model, error=error)
        else:
            self._end(load, status='serving')

    def _end(self, load: _Load, **changes: object) -> None:
        with self._lock:
            if load is not self._load:      # another model was asked for meanwhile
                return
            self._load = None
            self._set(pending='', **changes)
        self._changed()

    def _steps(self, settings: Settings) -> list[Settings]:
        """Return what to open in turn: on the CPU while TensorRT has to build, then as asked."""
        fast = self._stands_in(settings)
        return [fast, settings] if fast else [settings]

    def _serves(self, settings: Settings) -> bool:
        """Return whether this very model serves, as where one asked for after it is revoked."""
        with self._lock:
            serving = self._serving
        # A stand-in differs from the model it stands in for only by its device.
        return serving is not None and (
            (serving.model, serving.engine, serving.device)
            == (settings.model, settings.engine, settings.device)
        )

    def _serve(self, load: _Load, settings: Settings) -> None:
        try:
            serving = self._open(load, settings)
        except GpuMemoryError as full:
            if self._serving is None:
                raise
            serving = self._open_alone(load, settings, full)
        self._put(load, settings, serving)

    def _put(self, load: _Load, settings: Settings, serving: ServingModel) -> None:
        """Let a model serve, unless another one was asked for meanwhile."""
        with self._lock:
            current = load is self._load
            if current:
                self._serving = self._last = settings
                self.holder.swap(serving)
                self._set(active=settings.model)
        if current:
            self._changed()
        else:
            serving.close()

    def _open_alone(self, load: _Load, settings: Settings, full: GpuMemoryError) -> ServingModel:
        """Close what serves before opening the new model."""
        with self._lock:
            if load is not self._load:
                raise full
            model, self._serving = self._state.active, None
            self._set(active='')
            reason = 'the GPU holds no two models, and another is being loaded'
            closed = self.holder.swap(None, reason)
        self._report(f'{model} is closed first: {full}', 0.0)
        closed.wait(HANDOVER_S)
        return self._open(load, settings)

    def _restore(self, load: _Load) -> None:
        """Open the previous model again if it was closed; if that fails too, nothing serves."""
        with self._lock:
            settings = self._last
            if load is not self._load or self._serving is not None or settings is None:
                return
        try:
            self._put(load, settings, self._open(load, settings))
        except Exception as error:  # noqa: BLE001 - the first failure is the one to report
            with self._lock:
                if load is self._load:      # otherwise another model may serve by now
                    reason = f'{settings.model} could not be opened again: {described(error)}'
                    self.holder.swap(None, reason)

    def _open(self, load: _Load, settings: Settings) -> ServingModel:
        return self._opener(settings, self._report, load.cancelled.is_set)

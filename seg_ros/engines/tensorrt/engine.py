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

"""TensorRT: one thread owns all GPU resources, another waits for frames to finish."""

import atexit
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import closing
from dataclasses import replace
from enum import Enum
from pathlib import Path
from queue import SimpleQueue
from threading import Lock, Thread
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from seg_ros.core.card import ModelCard
from seg_ros.core.compiled_file import read_compiled
from seg_ros.core.engine import EngineFacts
from seg_ros.core.errors import ContextLostError, EngineError, PlanError
from seg_ros.core.frame import Pixels
from seg_ros.core.output_choice import choose_outputs
from seg_ros.core.progress import Cancelled, never, Report, silent
from seg_ros.core.settings import Settings
from seg_ros.core.signature import ModelSignature
from seg_ros.core.tensors import Feeds, feeds_from_batch, Outputs
from seg_ros.engines.cuda.gpu import find_gpu
from seg_ros.engines.cuda.resources import Cuda
from seg_ros.engines.tensorrt.flavour import load_flavour
from seg_ros.engines.tensorrt.plan_source import AUTO, plan_for, remove_plan
from seg_ros.engines.tensorrt.session import FrameSlot, Session

REBUILDS = 1
InFlight: TypeAlias = 'SimpleQueue[tuple[FrameSlot, Future[Outputs]] | None]'


class Signal(Enum):
    """Messages to the thread that owns the GPU."""

    WAKE = 'check whether the context is lost'
    CLOSE = 'no message follows'


class InferenceJob(NamedTuple):
    """A batch and the future of its outputs."""

    feeds: Feeds
    future: 'Future[Outputs]'


def open_tensorrt(
    path: Path, settings: Settings, report: Report = silent, cancelled: Cancelled = never,
    record: bool = True,
) -> 'TensorRTEngine':
    """
    Open a model on the GPU; its plan comes from the cache, or is built, which takes minutes.

    :param report: called with the progress of the build.
    :param cancelled: polled during the build; True cancels it.
    :param record: whether to launch each frame's work as one CUDA graph.
    :raises ModelError: if the file cannot be read.
    :raises EngineError: if TensorRT, pycuda, driver or GPU is missing or refuses the model.
    """
    compiled = read_compiled(path)
    flavour, gpu = load_flavour(), find_gpu(settings.device)
    choice = choose_outputs(compiled.signature, settings, AUTO)
    facts = EngineFacts(
        'tensorrt', gpu.name, compiled.precision, upsample=choice.upsample,
        version=f'{flavour.name} {flavour.version}', notes=choice.notes,
    )

    def opened() -> TensorRTEngine:
        plan = plan_for(compiled, settings, gpu, report, cancelled)
        return TensorRTEngine(
            compiled.card, choice.signature, facts, lambda wake: Cuda(gpu, wake),
            lambda cuda: Session(
                cuda, flavour, plan, choice.names, settings.dla_core, record
            ),
        )

    try:
        return opened()
    except PlanError as error:
        report(f'rebuilding the plan: {error}', 0.0)
        remove_plan(compiled, settings, gpu)
        return opened()


class TensorRTEngine:
    """
    The `Engine` protocol over a session on the GPU.

    A lost GPU context is recreated once, with everything in it; frames that were on the GPU raise
    ContextLostError. If it is lost again, every frame raises EngineError until `close`.

    :param signature: the graph's; `max_batch` is replaced by that of the plan.
    :param facts: notes are added to them at run time.
    :param open_cuda: called in the thread that owns the GPU, with a callback that wakes it.
    :param open_session: called in that thread with the result of `open_cuda`.
    :raises EngineError: if one of these two fails.
    """

    def __init__(
        self,
        card: ModelCard,
        signature: ModelSignature,
        facts: EngineFacts,
        open_cuda: Callable[[Callable[[], None]], Cuda],
        open_session: Callable[[Cuda], Session],
    ) -> None:
        self.card = card
        self.signature = signature
        self.facts = facts
        self._open_cuda = open_cuda
        self._open_session = open_session
        self._jobs: SimpleQueue[InferenceJob | Signal] = SimpleQueue()
        self._submit_lock = Lock()     # no batch may follow `Signal.CLOSE`
        self._closed = False
        opened: Future[int] = Future()
        self._owner = Thread(target=self._run, args=(opened,), name='tensorrt', daemon=True)
        self._owner.start()
        self.signature = replace(signature, max_batch=opened.result())
        atexit.register(self.close)

    def submit(
        self, batch: Pixels, prompts: NDArray[np.float32] | None = None
    ) -> 'Future[Outputs]':
        """Enqueue a batch; see `core.engine.Engine`."""
        feeds = feeds_from_batch(batch, prompts, self.signature)
        future: Future[Outputs] = Future()
        future.set_running_or_notify_cancel()
        with self._submit_lock:
            if self._closed:
                raise EngineError('the engine is closed', do='open it again')
            self._jobs.put(InferenceJob(feeds, future))
        return future

    def close(self) -> None:
        """Wait for the batches in flight and free everything on the GPU."""
        with self._submit_lock:
            self._closed = True
            self._jobs.put(Signal.CLOSE)
        self._owner.join()
        atexit.unregister(self.close)

    def _run(self, opened: 'Future[int]') -> None:
        """Serve in one session, and in another after a lost context; then refuse all batches."""
        for _ in range(1 + REBUILDS):
            try:
                self._run_session(opened)
                return
            except ContextLostError as error:
                end: Exception = error
                self._note(f'the GPU context was lost: {error}')
            except Exception as error:  # noqa: BLE001 - the caller gets it through a future
                end = error
                break
        if opened.done():
            self._refuse(end)
        else:
            opened.set_exception(end)

    def _run_session(self, opened: 'Future[int]') -> None:
        """
        Serve in one session.

        :raises ContextLostError: if the GPU context is lost.
        """
        with closing(self._open_cuda(lambda: self._jobs.put(Signal.WAKE))) as cuda:
            session = self._open_session(cuda)
            self._note(*session.notes)
            if not opened.done():
                opened.set_result(session.max_batch)
            self._serve(session)

    def _serve(self, session: Session) -> None:
        idle: SimpleQueue[FrameSlot] = SimpleQueue()
        for slot in session.slots:
            idle.put(slot)
        in_flight: InFlight = SimpleQueue()
        waiter = Thread(target=_collect, args=(session, in_flight, idle), name='tensorrt-waiter')
        waiter.start()
        try:
            while (job := self._jobs.get()) is not Signal.CLOSE:
                if isinstance(job, InferenceJob):
                    _launch(session, job, idle.get(), in_flight, idle)
                session.check()
        finally:
            in_flight.put(None)
            waiter.join()

    def _refuse(self, end: Exception) -> None:
        error = EngineError(f'this engine has ended: {end}', do='restart the node')
        self._note(str(error))
        self.facts = replace(self.facts, ended=str(error))
        while (job := self._jobs.get()) is not Signal.CLOSE:
            if isinstance(job, InferenceJob):
                job.future.set_exception(error)

    def _note(self, *notes: str) -> None:
        known = self.facts.notes
        new = [note for note in notes if note not in known]
        self.facts = replace(self.facts, notes=(*known, *new))


def _launch(
    session: Session,
    job: InferenceJob,
    slot: FrameSlot,
    in_flight: InFlight,
    idle: 'SimpleQueue[FrameSlot]',
) -> None:
    try:
        session.launch(slot, job.feeds)
    except Exception as error:  # noqa: BLE001 - future.result() raises it
        job.future.set_exception(error)
        idle.put(slot)
    else:
        in_flight.put((slot, job.future))


def _collect(session: Session, in_flight: InFlight, idle: 'SimpleQueue[FrameSlot]') -> None:
    while (item := in_flight.get()) is not None:
        slot, future = item
        try:
            outputs = session.collect(slot)
        except Exception as error:  # noqa: BLE001 - future.result() raises it
            future.set_exception(error)
        else:
            future.set_result(outputs)
        idle.put(slot)

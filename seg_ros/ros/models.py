"""The model that serves and the one that is on its way to replace it."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from queue import SimpleQueue
from threading import Event, Thread

from seg_ros.core.compiled_file import read_compiled
from seg_ros.core.errors import GpuMemoryError, SegError
from seg_ros.core.progress import Cancelled, never, Report, untold
from seg_ros.core.settings import Settings
from seg_ros.engines import model_file, open_engine, stand_in
from seg_ros.pipeline.engine_holder import EngineHolder
from seg_ros.pipeline.segmenter import Segmenter


def open_segmenter(
    settings: Settings, report: Report = untold, cancelled: Cancelled = never
) -> Segmenter:
    """
    Open an engine and resolve the thresholds for it; nothing stays open if that fails.

    :raises SegError: if either cannot be done.
    """
    engine = open_engine(settings, report, cancelled)
    try:
        return Segmenter(engine, settings)
    except SegError:
        engine.close()
        raise


class Models:
    """
    Loads a new model in the background and exchanges it between two frames.

    Where TensorRT has yet to build a model that `engine: auto` will run there, the CPU serves in
    the meantime.

    How a loading ended waits in `ended` until the node's own thread asks: a parameter can only be
    set back once the request that set it has been answered.

    :param report: told how far a build is, in the thread that waits for it.
    :param cancelled: asked meanwhile whether to give up.
    """

    def __init__(
        self, settings: Settings, report: Report = untold, cancelled: Cancelled = never
    ) -> None:
        self.active = settings.model
        self.pending = ''
        self.ended: SimpleQueue[tuple[str, Exception | None]] = SimpleQueue()
        self._report = report
        self._cancelled = cancelled
        self._closing = Event()
        self._thread: Thread | None = None
        first, *later = _steps(settings)
        self._serving = first
        self.lease = EngineHolder(self._open(first))
        if later:
            self._start(settings.model, lambda: later)

    def load(self, settings: Settings) -> None:
        """Open `settings.model`; the current one serves until it is ready."""
        self._start(settings.model, partial(_steps, settings))

    def _start(self, model: str, steps: Callable[[], list[Settings]]) -> None:
        self.pending = model
        self._thread = Thread(target=self._exchange, args=(model, steps), name='model')
        self._thread.start()

    def _exchange(self, model: str, steps: Callable[[], list[Settings]]) -> None:
        problem: Exception | None = None
        try:
            *first, last = steps()
            for step in first:
                self._replace(step)
                self.ended.put((model, None))
            self._replace(last)
        except Exception as error:  # noqa: BLE001 - whatever it was, the old model serves on
            problem = error
        self.pending = ''
        self.ended.put((model, problem))

    def _replace(self, settings: Settings) -> None:
        try:
            segmenter = self._open(settings)
        except GpuMemoryError as full:
            self._report(f'{self.active} is freed first, the GPU holds no two models: {full}', 0.0)
            self._replace_freed(settings)
        else:
            self.lease.exchange(segmenter).close()
        self.active, self._serving = settings.model, settings

    def _replace_freed(self, settings: Settings) -> None:
        """Free the old model before opening the new one; frames wait meanwhile."""
        with self.lease.withdrawn() as old:
            old.close()
            try:
                segmenter = self._open(settings)
            except SegError:
                self.lease.exchange(self._open(self._serving))
                raise
            self.lease.exchange(segmenter)

    def _open(self, settings: Settings) -> Segmenter:
        return open_segmenter(
            settings, self._report, lambda: self._closing.is_set() or self._cancelled()
        )

    def close(self) -> None:
        """Call off a model that is being loaded and close the one that serves."""
        self._closing.set()
        if self._thread is not None:
            self._thread.join()
        self.lease.current.close()


def _steps(settings: Settings) -> list[Settings]:
    """List what to open in turn: for the CPU where TensorRT has to build first, then as asked."""
    quick = stand_in(settings)
    return [quick, settings] if quick else [settings]


def check_model(settings: Settings, model: str) -> None:
    """
    Read a model's file and metadata, without opening an engine.

    :raises SegError: if the name, the file or the metadata cannot be used.
    """
    path = model_file(replace(settings, model=model))
    if path is not None:
        read_compiled(path)

"""The model that serves and the one that is on its way to replace it."""

from dataclasses import replace
from queue import SimpleQueue
from threading import Thread

from seg_ros.core.errors import SegError
from seg_ros.core.settings import Settings
from seg_ros.engines import model_file, open_engine
from seg_ros.graph.compiled import read_compiled
from seg_ros.pipeline.lease import Lease
from seg_ros.pipeline.segmenter import Segmenter


def open_segmenter(settings: Settings) -> Segmenter:
    """
    Open an engine and resolve the thresholds for it; nothing stays open if that fails.

    :raises SegError: if either cannot be done.
    """
    engine = open_engine(settings)
    try:
        return Segmenter(engine, settings)
    except SegError:
        engine.close()
        raise


class Models:
    """
    Loads a new model in the background and exchanges it between two frames.

    How a loading ended waits in `ended` until the node's own thread asks: a parameter can only be
    set back once the request that set it has been answered.
    """

    def __init__(self, settings: Settings) -> None:
        self.lease = Lease(open_segmenter(settings))
        self.active = settings.model
        self.pending = ''
        self.ended: SimpleQueue[tuple[str, Exception | None]] = SimpleQueue()
        self._thread: Thread | None = None

    def load(self, settings: Settings) -> None:
        """Open `settings.model`; the current one serves until it is ready."""
        self.pending = settings.model
        self._thread = Thread(target=self._exchange, args=(settings,), name='model')
        self._thread.start()

    def _exchange(self, settings: Settings) -> None:
        problem = None
        try:
            self.lease.exchange(open_segmenter(settings)).close()
            self.active = settings.model
        except Exception as error:  # noqa: BLE001 - whatever it was, the old model serves on
            problem = error
        self.pending = ''
        self.ended.put((settings.model, problem))

    def close(self) -> None:
        """Wait for a model that is being loaded and close the one that serves."""
        if self._thread is not None:
            self._thread.join()
        self.lease.current.close()


def check_model(settings: Settings, model: str) -> None:
    """
    Read a model's file and metadata, without opening an engine.

    :raises SegError: if the name, the file or the metadata cannot be used.
    """
    path = model_file(replace(settings, model=model))
    if path is not None:
        read_compiled(path)

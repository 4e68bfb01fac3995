"""An engine whose runtime blocks while it computes: one thread for each frame in flight."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from typing import Any, TypeAlias

from numpy.typing import NDArray
from seg_ros.core.card import ModelCard
from seg_ros.core.contract import Contract, EngineFacts, Outputs, outputs_from_tensors
from seg_ros.core.errors import EngineError
from seg_ros.core.frame import Pixels

Run: TypeAlias = Callable[[Pixels], Mapping[str, NDArray[Any]]]


class ThreadedEngine:
    """
    The `Engine` protocol over blocking calls.

    :param runs: one callable for each frame in flight, never called by two threads at once. It
        takes a batch and returns arrays by name that it will not write to again, and raises
        EngineError in its vendor's stead.
    """

    def __init__(
        self, card: ModelCard, contract: Contract, facts: EngineFacts, runs: Sequence[Run]
    ) -> None:
        self.card = card
        self.contract = contract
        self.facts = facts
        self._idle: SimpleQueue[Run] = SimpleQueue()
        for run in runs:
            self._idle.put(run)
        self._threads = ThreadPoolExecutor(len(runs), thread_name_prefix=facts.engine)

    def submit(self, batch: Pixels) -> 'Future[Outputs]':
        """Start on a batch; see `core.contract.Engine`."""
        self.contract.check_batch(batch)
        try:
            return self._threads.submit(self._compute, batch)
        except RuntimeError as error:
            raise EngineError('the engine is closed', do='open it again') from error

    def _compute(self, batch: Pixels) -> Outputs:
        run = self._idle.get()
        try:
            return outputs_from_tensors(run(batch), len(batch))
        finally:
            self._idle.put(run)

    def close(self) -> None:
        """Wait for what is under way and let go of the runtime."""
        self._threads.shutdown()
        while not self._idle.empty():
            self._idle.get()

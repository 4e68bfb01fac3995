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

"""An engine over a blocking runtime: inference runs in the thread that submits the batch."""

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from threading import Condition
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from seg_ros.core.card import ModelCard
from seg_ros.core.engine import EngineFacts
from seg_ros.core.errors import EngineError
from seg_ros.core.frame import Pixels
from seg_ros.core.signature import ModelSignature
from seg_ros.core.tensors import Feeds, feeds_from_batch, Outputs, outputs_from_tensors

Run: TypeAlias = Callable[[Feeds], Mapping[str, NDArray[Any]]]


class BlockingEngine:
    """
    The `Engine` protocol over blocking calls; the futures that it returns are already done.

    A worker has to wait for its frame anyway. Computing in another thread would only add two
    thread switches, each with cold CPU caches.

    :param runs: one callable per frame in flight, each entry used by one thread at a time. It maps
        input arrays to output arrays, both by tensor name, does not write to the outputs again,
        and converts exceptions of its runtime to EngineError.
    """

    def __init__(
        self, card: ModelCard, signature: ModelSignature, facts: EngineFacts, runs: Sequence[Run]
    ) -> None:
        self.card = card
        self.signature = signature
        self.facts = facts
        self._count = len(runs)
        self._idle = deque(runs)
        self._closed = False
        self._changed = Condition()     # guards _idle and _closed

    def submit(
        self, batch: Pixels, prompts: NDArray[np.float32] | None = None
    ) -> 'Future[Outputs]':
        """Run a batch as soon as a callable is idle; see `core.engine`."""
        feeds = feeds_from_batch(batch, prompts, self.signature)
        future: Future[Outputs] = Future()
        with self._borrowed() as run:
            try:
                future.set_result(outputs_from_tensors(run(feeds), len(batch)))
            except Exception as error:  # noqa: BLE001 - future.result() raises it
                future.set_exception(error)
        return future

    def warm_up(self) -> None:
        """
        Run once on a black image, since the first run is slow.

        :raises EngineError: if it fails, with the runtime's message; the engine is then closed.
        """
        shape = (1, *self.signature.size_hw, self.signature.channels)
        try:
            self.submit(np.zeros(shape, np.uint8)).result()
        except EngineError:
            self.close()
            raise

    @contextmanager
    def _borrowed(self) -> Iterator[Run]:
        with self._changed:
            self._changed.wait_for(lambda: self._idle or self._closed)
            if self._closed:
                raise EngineError('the engine is closed', do='open it again')
            run = self._idle.popleft()
        try:
            yield run
        finally:
            with self._changed:
                self._idle.append(run)
                self._changed.notify_all()

    def close(self) -> None:
        """Wait for the calls in flight and release the runtime."""
        with self._changed:
            if self._closed:
                return
            self._closed = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: len(self._idle) == self._count)
            self._idle.clear()

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

"""What every engine is: a network that is ready to run."""

from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from seg_ros.core.card import ModelCard
from seg_ros.core.frame import Pixels
from seg_ros.core.signature import ModelSignature, UpsampleMode
from seg_ros.core.tensors import Outputs


@dataclass(frozen=True)
class EngineFacts:
    """
    What was really opened, for logs and diagnostics.

    :param engine: `openvino`, `onnxruntime`, `tensorrt` or `classical`.
    :param device: as the runtime names it.
    :param precision: that the network computes in, as the runtime reports it.
    :param threads: of the runtime; 0 where it chooses itself.
    :param notes: anything that a user should know, such as a batch that had to be split.
    :param ended: why the engine answers no more; empty while it does.
    """

    engine: str
    device: str
    precision: str
    threads: int = 0
    upsample: UpsampleMode = 'nearest'
    version: str = ''
    notes: tuple[str, ...] = field(default_factory=tuple)
    ended: str = ''


class Engine(Protocol):
    """A network that is ready to run. `close` gives its memory back and may be called twice."""

    card: ModelCard
    signature: ModelSignature
    facts: EngineFacts

    def submit(
        self, batch: Pixels, prompts: NDArray[np.float32] | None = None
    ) -> 'Future[Outputs]':
        """
        Start on a batch. Where the runtime blocks, the caller computes and the future is done.

        :param batch: uint8 (N, H, W, channels) as the signature says, kept alive by the engine.
        :param prompts: float32 (N, P, 4) for a signature with `max_prompts`, which is P: boxes
            x0, y0, x1, y1 in network pixels, continuous edges. None asks for nothing.
        :returns: a future of `Outputs`; it raises EngineError where the runtime failed.
        """

    def close(self) -> None:
        """Wait for what is under way and free everything."""

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

"""The interface of engines, which run networks."""

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
    The engine that was actually opened, for logs and diagnostics.

    :param engine: `openvino`, `onnxruntime`, `tensorrt` or `classical`.
    :param device: device name of the runtime.
    :param precision: precision of the network, as reported by the runtime.
    :param threads: threads of the runtime; 0 = its own choice.
    :param notes: anything a user should know, such as a batch that had to be split.
    :param ended: the reason why the engine has stopped working; empty while it works.
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
    """A network that is ready to run. `close` releases its memory and may be called twice."""

    card: ModelCard
    signature: ModelSignature
    facts: EngineFacts

    def submit(
        self, batch: Pixels, prompts: NDArray[np.float32] | None = None
    ) -> 'Future[Outputs]':
        """
        Start inference on a batch; a runtime that blocks returns a completed future.

        :param batch: uint8 (N, H, W, channels) as in the signature; the engine keeps it alive.
        :param prompts: float32 (N, P, 4), P = `max_prompts` of the signature: boxes x0, y0, x1, y1
            in network pixels, continuous edges. None = no prompts.
        :returns: a future of `Outputs`, which raises EngineError if the runtime fails.
        """

    def close(self) -> None:
        """Wait for running batches and release all resources."""

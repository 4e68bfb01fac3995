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

"""The input and output tensors of engines, common to all networks."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from seg_ros.core.errors import ContractError
from seg_ros.core.frame import Pixels
from seg_ros.core.signature import ModelSignature

# Arrays by the names of the graph's inputs.
Feeds: TypeAlias = Mapping[str, NDArray[Any]]
IMAGE, PROMPTS = 'image', 'prompts'     # inputs of a compiled graph
TENSORS: dict[str, tuple[int, tuple[str, ...]]] = {
    'labels': (3, ('uint8', 'int32')),
    'confidence': (3, ('uint8',)),
    'logits': (4, ('float32', 'float16')),
    'boxes': (3, ('float32',)),
    'scores': (2, ('float32',)),
    'classes': (2, ('int32',)),
    'masks': (4, ('uint8',)),
    'instances': (3, ('uint8', 'int32')),
    'rivals': (4, ('float32', 'float16')),
}


@dataclass(frozen=True, eq=False)
class Outputs:
    """
    The tensors of one batch; which are present depends on the task.

    The receiver owns the arrays; an engine never writes to them again.

    :param labels: uint8 or int32 (N, h, w), channel index of the best class; 255 (int32: -1) = no
        class.
    :param confidence: uint8 (N, h, w), probability of that class, 0 to 255.
    :param logits: float (N, C, h, w), class scores, if the host refines label edges.
    :param boxes: float32 (N, K, 4), x0, y0, x1, y1 in network pixels, continuous edges (pixel i
        spans [i, i + 1)), best first.
    :param scores: float32 (N, K), 0 = empty slot.
    :param classes: int32 (N, K), channel index.
    :param masks: uint8 (N, K, mh, mw), soft masks, encoded as in the signature; a mask's values
        outside its box are undefined.
    :param instances: uint8 or int32 (N, h, w), slot + 1, 0 = none.
    :param rivals: float (N, K, h, w), 0 to 1: masks of slots that compete for each pixel of the
        source, weighted by their scores.
    :param ids: int32 (K,) of one image, segment ids of the slots if prompts define them; set
        between the engine and the masks.
    :param stage_ms: durations of the runtime's stages, such as `upload`, `compute` and `download`,
        in milliseconds.
    """

    labels: NDArray[Any] | None = None
    confidence: NDArray[np.uint8] | None = None
    logits: NDArray[Any] | None = None
    boxes: NDArray[np.float32] | None = None
    scores: NDArray[np.float32] | None = None
    classes: NDArray[np.int32] | None = None
    masks: NDArray[np.uint8] | None = None
    instances: NDArray[Any] | None = None
    rivals: NDArray[Any] | None = None
    ids: NDArray[np.int32] | None = None
    stage_ms: Mapping[str, float] = field(default_factory=dict)

    def image(self, index: int) -> 'Outputs':
        """Return the tensors of image `index`, without the batch axis and `stage_ms`."""
        present: dict[str, Any] = {
            name: array[index] for name, array in self.present().items()
        }
        return Outputs(**present)

    def tensor(self, name: str) -> NDArray[Any]:
        """
        Return the tensor called `name`.

        :raises ContractError: if it is absent.
        """
        array: NDArray[Any] | None = getattr(self, name)
        if array is None:
            raise ContractError(f'outputs {", ".join(self.present())} alone', f'{name} too')
        return array

    def present(self) -> dict[str, NDArray[Any]]:
        """Return the present tensors by name."""
        values = {name: getattr(self, name) for name in TENSORS}
        return {name: array for name, array in values.items() if array is not None}


def check_batch(batch: Pixels, signature: ModelSignature) -> None:
    """
    Check that a batch fits the graph.

    :param batch: uint8 (N, H, W, channels).
    :raises ContractError: if its type or shape is wrong.
    """
    expected = (*signature.size_hw, signature.channels)
    count, most = len(batch), signature.max_batch
    if (
        batch.dtype != np.uint8
        or batch.shape[1:] != expected
        or count < 1
        or (most and count > most)
    ):
        raise ContractError(
            f'a batch of type {batch.dtype} and shape {batch.shape}',
            f'uint8 (N, {", ".join(map(str, expected))}) with N up to {most or "any"}',
        )


def feeds_from_batch(
    batch: Pixels, prompts: NDArray[np.float32] | None, signature: ModelSignature
) -> Feeds:
    """
    Check a batch and its prompts, and name them as the graph's inputs.

    :param batch: uint8 (N, H, W, channels).
    :param prompts: float32 (N, P, 4), x0, y0, x1, y1 in network pixels, continuous edges; both
        corners of a point are equal. None stands for no prompt.
    :raises ContractError: if a type or shape is wrong.
    """
    check_batch(batch, signature)
    if not signature.max_prompts:
        return {IMAGE: batch}
    expected = (len(batch), signature.max_prompts, 4)
    if prompts is None:
        prompts = np.zeros(expected, np.float32)
    if prompts.dtype != np.float32 or prompts.shape != expected:
        raise ContractError(
            f'prompts of type {prompts.dtype} and shape {prompts.shape}', f'float32 {expected}'
        )
    return {IMAGE: batch, PROMPTS: prompts}


def outputs_from_tensors(tensors: Mapping[str, NDArray[Any]], count: int) -> Outputs:
    """
    Check an engine's outputs against the table `TENSORS` and wrap them.

    :param tensors: arrays by name, with the batch axis.
    :param count: number of images in the batch.
    :raises ContractError: if a name, type, rank or batch size differs from the table.
    """
    for name, array in tensors.items():
        if name not in TENSORS:
            raise ContractError(f'an output called {name}', f'some of {", ".join(TENSORS)}')
        rank, kinds = TENSORS[name]
        if array.ndim != rank or str(array.dtype) not in kinds or len(array) != count:
            raise ContractError(
                f'{name} of type {array.dtype} and shape {array.shape}',
                f'{" or ".join(kinds)} with {rank} axes, {count} images',
            )
    present: Mapping[str, Any] = tensors
    return Outputs(**present)

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

"""A tensor of a network, by name."""

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class TensorInfo:
    """
    A tensor of the network as it came out of a run.

    :param shape: with the batch axis, for a batch of one.
    """

    name: str
    dtype: 'np.dtype[Any]'
    shape: tuple[int, ...]

    def batched(self, batch: int | str) -> tuple[int | str, ...]:
        """
        Return the shape for a batch, of which a word stands for any number.

        Prompts of one image may lie where other networks have the batch.
        """
        return self.shape if batch == 1 else (batch, *self.shape[1:])

    def __str__(self) -> str:
        return f'{self.name} {self.dtype} [{", ".join(map(str, self.shape))}]'

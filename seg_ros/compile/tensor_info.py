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

"""Name, type and shape of a network's tensor."""

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class TensorInfo:
    """
    A tensor of the network as measured in a run.

    :param shape: shape for a batch of one, including the batch axis.
    """

    name: str
    dtype: 'np.dtype[Any]'
    shape: tuple[int, ...]

    def batched(self, batch: int | str) -> tuple[int | str, ...]:
        """
        Return the shape for a batch; a string makes the axis dynamic.

        For one image the shape stays as it is, as the first axis may count prompts.
        """
        return self.shape if batch == 1 else (batch, *self.shape[1:])

    def __str__(self) -> str:
        return f'{self.name} {self.dtype} [{", ".join(map(str, self.shape))}]'

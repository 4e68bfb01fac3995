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

"""A possible interpretation of a network's outputs, before a card has confirmed it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from seg_ros.compile.export_options import ExportOptions
from seg_ros.compile.tensor_info import TensorInfo
from seg_ros.core.card import ModelCard, Task
from spox import Var


@dataclass(frozen=True)
class Decoded:
    """
    Outputs that a family computes from the raw outputs.

    :param tensors: tensors by the names of `core.tensors.TENSORS`.
    :param facts: fields of the signature that the family determines.
    :param notes: notes and warnings for the user.
    """

    tensors: Mapping[str, Var]
    facts: Mapping[str, Any] = field(default_factory=dict)
    notes: Sequence[str] = ()


Decode: TypeAlias = Callable[[Sequence[Var], ModelCard, ExportOptions], Decoded]


@dataclass(frozen=True)
class OutputInterpretation:
    """
    One family's interpretation of a network's outputs.

    :param tensor_infos: tensors that it reads; all else that the network computes is cut off.
    :param class_count: number of classes in the tensors; 0 if any number is possible.
    :param words: description for errors and `seg_ros inspect`.
    :param decode: builds the graph from `tensor_infos`, in their order, to the contract's tensors.
    :param outputs: outputs of the file that were read; empty if they are the tensors.
    :param least_classes: number of classes that occur in the network's labels on trial images.
    """

    family: str
    task: Task
    tensor_infos: tuple[TensorInfo, ...]
    class_count: int
    words: str
    decode: Decode
    outputs: tuple[str, ...] = ()
    least_classes: int = 0

    @property
    def sources(self) -> tuple[str, ...]:
        """Return the names of the file's outputs that were read."""
        return self.outputs or tuple(info.name for info in self.tensor_infos)

    def __str__(self) -> str:
        count = f'{self.class_count or self.least_classes or "any"} classes'
        more = '' if self.class_count or not self.least_classes else ' or more'
        return f'{self.family} ({self.task}, {count}{more}): {self.words}'

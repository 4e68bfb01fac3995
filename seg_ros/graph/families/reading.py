"""One way to read a network's outputs, before a card has confirmed it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from seg_ros.core.card import ModelCard, Task
from seg_ros.graph.baked import Baked
from seg_ros.graph.network import Port
from spox import Var


@dataclass(frozen=True)
class Decoded:
    """
    What a family makes of the raw outputs.

    :param tensors: by the names of `core.contract.TENSORS`.
    :param facts: fields of the contract that the family knows.
    """

    tensors: Mapping[str, Var]
    facts: Mapping[str, Any] = field(default_factory=dict)


Decode: TypeAlias = Callable[[Sequence[Var], ModelCard, Baked], Decoded]


@dataclass(frozen=True)
class Reading:
    """
    What a network would mean if this were its family.

    :param ports: the tensors it is read from; whatever else the network computes is cut off.
    :param class_count: how many classes the ports are for; 0 where any number would do.
    :param words: how errors and `seg_ros inspect` tell of it.
    :param decode: writes the graph from `ports`, in their order, to the contract's tensors.
    """

    family: str
    task: Task
    ports: tuple[Port, ...]
    class_count: int
    words: str
    decode: Decode

    def __str__(self) -> str:
        count = f'{self.class_count} classes' if self.class_count else 'any classes'
        return f'{self.family} ({self.task}, {count}): {self.words}'

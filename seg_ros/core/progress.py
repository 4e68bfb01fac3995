"""How far a long task is, reported to whoever waits for it, and how it is cancelled."""

from collections.abc import Callable
from typing import TypeAlias

# Called with the phase in words and the share of it that is done, 0 to 1.
Report: TypeAlias = Callable[[str, float], None]
# Asked now and then whether to give up.
Cancelled: TypeAlias = Callable[[], bool]


def untold(phase: str, share: float) -> None:
    """Report nothing."""


def never() -> bool:
    """Never give up."""
    return False

"""A part that many borrow for one frame and that can be exchanged between two frames."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition
from typing import Generic, TypeVar

T = TypeVar('T')


class EngineHolder(Generic[T]):
    """Hands out what is current, and takes the old one back when its last borrower is done."""

    def __init__(self, current: T) -> None:
        self._current = current
        self._borrowed: dict[int, int] = {}
        self._withdrawn = False
        self._returned = Condition()

    @property
    def current(self) -> T:
        """Return what the next borrower gets."""
        return self._current

    @contextmanager
    def borrow(self) -> Iterator[T]:
        """Use what is current; it stays usable until the block ends."""
        with self._returned:
            self._returned.wait_for(lambda: not self._withdrawn)
            item = self._current
            self._borrowed[id(item)] = self._borrowed.get(id(item), 0) + 1
        try:
            yield item
        finally:
            with self._returned:
                self._borrowed[id(item)] -= 1
                self._returned.notify_all()

    def exchange(self, item: T) -> T:
        """Make `item` current and wait until nobody uses the old one, which is returned."""
        with self._returned:
            old, self._current = self._current, item
            self._returned.wait_for(lambda: not self._borrowed.get(id(old)))
            self._borrowed.pop(id(old), None)
            return old

    @contextmanager
    def withdrawn(self) -> Iterator[T]:
        """
        Lend nothing while the block runs; whoever wants to borrow waits for its end.

        :returns: what was current, used by nobody; `exchange` within the block replaces it.
        """
        with self._returned:
            self._withdrawn = True
            item = self._current
            self._returned.wait_for(lambda: not self._borrowed.get(id(item)))
        try:
            yield item
        finally:
            with self._returned:
                self._withdrawn = False
                self._returned.notify_all()

"""One slot for each camera: the newest frame wins, and cameras take turns."""

from collections import OrderedDict
from threading import Condition
from typing import Generic, TypeVar

T = TypeVar('T')


class Mailbox(Generic[T]):
    """Where subscriptions leave messages and any number of workers fetch them."""

    def __init__(self) -> None:
        self._slots: OrderedDict[str, T] = OrderedDict()
        self._changed = Condition()
        self._open = True

    def put(self, camera: str, item: T) -> bool:
        """
        Leave an item, in the place of one of the same camera that nobody has fetched.

        The camera keeps its place in the queue, so that a quick one cannot overtake a slow one.

        :returns: whether an older item was lost to this one.
        """
        with self._changed:
            displaced = camera in self._slots
            if self._open:
                self._slots[camera] = item
                self._changed.notify()
            return displaced

    def take(self, limit: int = 1) -> list[tuple[str, T]]:
        """
        Wait for items and fetch up to `limit` of them, longest-waiting camera first.

        :returns: camera and item pairs; empty once the mailbox is closed.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._slots or not self._open)
            if not self._open:
                return []
            return [self._slots.popitem(last=False) for _ in range(min(limit, len(self._slots)))]

    def close(self) -> None:
        """Forget what is waiting and send every worker home."""
        with self._changed:
            self._open = False
            self._slots.clear()
            self._changed.notify_all()

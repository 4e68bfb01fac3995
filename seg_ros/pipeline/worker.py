"""Threads that fetch frames and see each through, whatever happens to one of them."""

from collections.abc import Callable
from threading import Thread
from typing import Generic, TypeVar

from seg_ros.pipeline.mailbox import Mailbox

T = TypeVar('T')


class Workers(Generic[T]):
    """
    Whole-frame workers: each does everything for the frames it took.

    :param work: called with camera and item pairs; what it raises ends up in `failed`.
    :param failed: told of an exception; the worker goes on with the next frame.
    :param count: threads, which is also the frames in flight.
    :param limit: how many cameras' frames `work` may get at once.
    """

    def __init__(
        self,
        mailbox: Mailbox[T],
        work: Callable[[list[tuple[str, T]]], None],
        failed: Callable[[Exception], None],
        count: int = 1,
        limit: int = 1,
    ) -> None:
        self._mailbox = mailbox
        self._work = work
        self._failed = failed
        self._limit = limit
        self._threads = [
            Thread(target=self._loop, name=f'worker-{number}', daemon=True)
            for number in range(count)
        ]
        for thread in self._threads:
            thread.start()

    def _loop(self) -> None:
        while items := self._mailbox.take(self._limit):
            try:
                self._work(items)
            except Exception as error:  # noqa: BLE001 - one frame must never stop a robot's masks
                self._failed(error)

    def stop(self) -> None:
        """Close the mailbox and wait for the frames in flight."""
        self._mailbox.close()
        for thread in self._threads:
            thread.join()

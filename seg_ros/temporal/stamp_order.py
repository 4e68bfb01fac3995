"""Masks of a camera never go backward, although two workers may finish out of turn."""

from threading import Lock

RESTART_NS = 1_000_000_000


class StampOrder:
    """
    Lets results through in the order of their stamps.

    A jump backward by more than a second is a new run of the clock, as when a bag starts over.
    """

    def __init__(self) -> None:
        self._last: dict[str, int] = {}
        self._lock = Lock()

    def admit(self, camera: str, stamp_ns: int) -> bool:
        """Return whether a result may still be published, and remember it if so."""
        with self._lock:
            last = self._last.get(camera)
            if last is not None and last - RESTART_NS < stamp_ns < last:
                return False
            self._last[camera] = stamp_ns
            return True

"""A level of trouble that rises at once and falls only after a while of calm."""

from collections.abc import Callable
from time import monotonic

CALM_S = 3.0


class LevelHysteresis:
    """
    What to tell of one part, steadied: trouble that comes and goes is told throughout.

    :param clock: seconds of any beginning.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._level, self._words, self._since_s = b'\0', '', 0.0

    def settle(self, level: bytes, words: str) -> tuple[bytes, str]:
        """
        Return the level and words to tell, after those that hold right now.

        :param level: as diagnostic_msgs numbers it: OK 0, WARN 1, ERROR 2.
        """
        now_s = self._clock()
        if level >= self._level or now_s - self._since_s >= CALM_S:
            self._level, self._words, self._since_s = level, words, now_s
        return self._level, self._words

"""A level of trouble that rises at once and falls only after a while of calm."""

from collections.abc import Callable
from time import monotonic

from seg_ros.pipeline.camera_health import Level, Verdict

CALM_S = 3.0


class LevelHysteresis:
    """
    What to report of one part: trouble that comes and goes is reported throughout.

    :param clock: seconds of any beginning.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._reported = Verdict(Level.OK, '')
        self._since_s = 0.0

    def update(self, verdict: Verdict) -> Verdict:
        """Return what to report, after what holds right now."""
        now_s = self._clock()
        if verdict.level >= self._reported.level or now_s - self._since_s >= CALM_S:
            self._reported, self._since_s = verdict, now_s
        return self._reported

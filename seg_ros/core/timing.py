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

"""Recent durations, with medians and tails over a rolling window, and counts and rates."""

from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from time import monotonic, perf_counter

import numpy as np

WINDOW = 512
RATE_SPAN_S = 5.0
SILENT_S = 60.0     # a longer pause is silence, however slow the rate was


class Timing:
    """
    Durations by stage, and numbers and rates of events by name; thread-safe.

    Durations are kept for the last `WINDOW` frames, counts since the start.
    """

    def __init__(self) -> None:
        self._samples: dict[str, deque[tuple[float, float]]] = {}   # time (s) and duration (ms)
        self._counts: Counter[str] = Counter()
        self._ticks: dict[str, deque[float]] = {}
        self._lock = Lock()     # over all three

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Measure the duration of the context."""
        start = perf_counter()
        yield
        self.add(name, 1e3 * (perf_counter() - start))

    def add(self, name: str, milliseconds: float) -> None:
        """Add one duration."""
        with self._lock:
            samples = self._samples.setdefault(name, deque(maxlen=WINDOW))
            samples.append((monotonic(), milliseconds))

    def tick(self, name: str) -> None:
        """Count an event at the current time, for rates."""
        with self._lock:
            self._counts[name] += 1
            self._ticks.setdefault(name, deque(maxlen=WINDOW)).append(monotonic())

    def rate_hz(self, name: str, span_s: float = RATE_SPAN_S) -> float:
        """Return the rate of ticks over the last `span_s` seconds."""
        recent = self._recent(name, span_s)
        if len(recent) < 2:
            return 0.0
        return (len(recent) - 1) / (recent[-1] - recent[0])

    def recent_count(self, name: str, span_s: float = RATE_SPAN_S) -> int:
        """Return the number of ticks in the last `span_s` seconds, at most `WINDOW`."""
        return len(self._recent(name, span_s))

    def since_s(self, name: str) -> float | None:
        """Return the seconds since the last tick, or None before the first."""
        with self._lock:
            ticks = self._ticks.get(name)
            return monotonic() - ticks[-1] if ticks else None

    def silent(self, name: str) -> bool:
        """
        Return whether a tick is overdue, by `RATE_SPAN_S` and by the rate of the last ticks.

        A camera that sends an image every ten seconds is not silent between them.
        """
        with self._lock:
            last = list(self._ticks.get(name, ()))[-8:]
        if not last:
            return True
        usual_s = float(np.median(np.diff(last))) if len(last) > 1 else 0.0
        return monotonic() - last[-1] > min(max(RATE_SPAN_S, 3 * usual_s), SILENT_S)

    def heard_s(self, name: str, span_s: float = RATE_SPAN_S) -> float:
        """Return the seconds between the first and the last tick of the last `span_s` seconds."""
        recent = self._recent(name, span_s)
        return recent[-1] - recent[0] if recent else 0.0

    def _recent(self, name: str, span_s: float) -> list[float]:
        since = monotonic() - span_s
        with self._lock:
            return [moment for moment in self._ticks.get(name, ()) if moment > since]

    def counts(self) -> dict[str, int]:
        """Return the number of all events since the start, by name."""
        with self._lock:
            return dict(self._counts)

    def quantiles(
        self, name: str, span_s: float = float('inf')
    ) -> tuple[float, float, float] | None:
        """
        Return median, 99th percentile and maximum in milliseconds, or None without samples.

        :param span_s: maximum age of the samples; there are at most `WINDOW`.
        """
        since = monotonic() - span_s
        with self._lock:
            noted = self._samples.get(name, ())
            samples = [milliseconds for moment, milliseconds in noted if moment > since]
        if not samples:
            return None
        median, tail = np.percentile(samples, (50, 99))
        return float(median), float(tail), max(samples)

    def clear_durations(self) -> None:
        """Clear all durations; counts and rates continue."""
        with self._lock:
            self._samples.clear()

    def stages(self) -> list[str]:
        """Return the names of all stages, in the order of their first frame."""
        with self._lock:
            return list(self._samples)

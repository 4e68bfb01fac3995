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

"""Progress of a TensorRT build: nested phases as one fraction that never decreases."""

from dataclasses import dataclass
from threading import Lock

from seg_ros.core.progress import Report


@dataclass
class _Phase:
    parent: str | None
    steps: int
    done: int = 0


class Phases:
    """
    Receiver of the calls of `trt.IProgressMonitor`, which may come from TensorRT's own threads.

    :param report: called with the phase directly below the outermost one, and the fraction of the
        build that is done.
    """

    def __init__(self, report: Report) -> None:
        self._report = report
        self._open: dict[str, _Phase] = {}
        self._lock = Lock()
        self._reported: tuple[str, float] = ('', 0.0)

    def start(self, name: str, parent: str | None, steps: int) -> None:
        """Begin a phase of `steps` steps within the current step of its parent."""
        with self._lock:
            self._open[name] = _Phase(parent, max(steps, 1))
            self._report_from(name)

    def step(self, name: str, step: int) -> None:
        """Finish one step, counted from 0."""
        with self._lock:
            if name in self._open:
                self._open[name].done = step + 1
                self._report_from(name)

    def finish(self, name: str) -> None:
        """End a phase, however many of its steps were reported."""
        with self._lock:
            if name in self._open:
                self._open[name].done = self._open[name].steps
                self._report_from(name)
                del self._open[name]

    def _report_from(self, name: str) -> None:
        """Report phase and fraction of the build, if either changed, the fraction by a percent."""
        share, words = 0.0, self._reported[0] or name
        inner: str | None = name
        while inner is not None and (phase := self._open.get(inner)):
            share = min((phase.done + share) / phase.steps, 1.0)
            words = inner if phase.parent in self._open else words
            inner = phase.parent
        share = max(round(share, 2), self._reported[1])
        if (words, share) != self._reported:
            self._reported = (words, share)
            self._report(words, share)

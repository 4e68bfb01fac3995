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

"""Progress of opening a model: in the log and, while no timer can run, in diagnostics."""

from collections.abc import Callable
from time import monotonic

LINE_SHARE = 0.1
PERIOD_S = 1.0


class BuildProgress:
    """
    The `Report` callback of a node, called by the thread that waits for the build.

    :param log: called with a line at the start of each phase and at each tenth of it.
    :param publish: called with the same text, at most once a second. While a transition waits for
        a model, the executor is blocked and no timer can publish diagnostics.
    """

    def __init__(self, log: Callable[[str], object], publish: Callable[[str], object]) -> None:
        self._log = log
        self._publish = publish
        self._phase = ''
        self._logged = 0.0
        self._published_s = float('-inf')
        self.words = ''

    def __call__(self, phase: str, share: float) -> None:
        """Report progress; see `core.progress.Report`."""
        self.words = f'{phase} ({share:.0%})'
        if phase != self._phase or share >= self._logged + LINE_SHARE:
            self._phase, self._logged = phase, share
            self._log(self.words)
        self.repeat()

    def repeat(self) -> None:
        """Publish the last progress again, at most once a second."""
        if monotonic() >= self._published_s + PERIOD_S:
            self._published_s = monotonic()
            self._publish(self.words)

    def end(self) -> None:
        """Clear the progress when a build has ended."""
        self.words = self._phase = ''

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

"""The health of a camera, judged by its published masks rather than by its received images."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Literal, TypeAlias

from seg_ros.core.errors import described
from seg_ros.core.timing import Timing

Cause: TypeAlias = Literal[
    'newer', 'age', 'rate', 'bad', 'failed', 'no_engine', 'stalled', 'late', 'unread'
]
# Causes of dropped frames, by their names in diagnostics.
CAUSES: Mapping[Cause, str] = {
    'newer': 'a newer image arrived before the engine was free',
    'age': 'the images are older than max_age_ms before the network',
    'rate': 'max_rate_hz is exceeded',
    'bad': 'the images cannot be read',
    'failed': 'the engine fails on the images',
    'no_engine': 'no model serves',
    'stalled': 'the engine does not answer',
    'late': 'the stamps go backward',
    'unread': 'the masks have no subscriber',
}
FAULTS: frozenset[Cause] = frozenset({'bad', 'failed', 'no_engine', 'stalled'})
UNTIMELY: frozenset[Cause] = frozenset({'age', 'late'})
FAULTY_SHARE, UNTIMELY_SHARE = 0.1, 0.5     # of the images; smaller shares are not reported
# Due to what the user set or subscribes to.
_INTENDED: frozenset[Cause] = frozenset({'rate', 'unread'})


class Level(IntEnum):
    """The levels of diagnostic_msgs/DiagnosticStatus."""

    OK = 0
    WARN = 1
    ERROR = 2


@dataclass(frozen=True)
class Verdict:
    """A level and the message that explains it."""

    level: Level
    message: str


class CameraHealth:
    """
    Counts the published and the dropped frames of a camera.

    In `timing`, each received image is an `input`, and its published masks are an `output`.
    """

    def __init__(self) -> None:
        self.timing = Timing()
        self._errors: dict[Cause, str] = {}     # the last of each cause

    def drop(self, cause: Cause, error: Exception | None = None) -> None:
        """Count an image that is dropped."""
        self.timing.tick(cause)
        if error is not None:
            self._errors[cause] = described(error)

    def verdict(self) -> Verdict:
        """
        Compare the masks published in the last seconds with the images received.

        If there are no masks, it is an error with the most frequent cause, or a warning if the
        engine is only slow. It is a warning if `FAULTY_SHARE` of the images failed or
        `UNTIMELY_SHARE` were untimely. A camera without images, or with only `_INTENDED` drops,
        is OK.
        """
        lost = {cause: self.timing.recent_count(cause) for cause in CAUSES}
        published = self.timing.recent_count('output')
        judged = published + sum(count for cause, count in lost.items() if cause not in _INTENDED)
        if judged and not published:
            cause = max(lost.keys() - _INTENDED - {'newer'}, key=lost.__getitem__)
            if not lost[cause]:
                return Verdict(Level.WARN, 'no masks: the engine takes seconds for an image')
            return Verdict(Level.ERROR, f'no masks: {self.explained(cause)}')
        for causes, share in ((FAULTS, FAULTY_SHARE), (UNTIMELY, UNTIMELY_SHARE)):
            count = sum(lost[cause] for cause in causes)
            if count and count >= share * judged:
                cause = max(causes, key=lost.__getitem__)
                words = f'{count} of {judged} images give no mask: {self.explained(cause)}'
                return Verdict(Level.WARN, words)
        return Verdict(Level.OK, '')

    def explained(self, cause: Cause) -> str:
        """Return the description of a cause, with its last error."""
        error = self._errors.get(cause)
        return f'{CAUSES[cause]}: {error}' if error else CAUSES[cause]

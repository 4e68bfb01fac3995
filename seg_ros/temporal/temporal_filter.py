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

"""Tracking and smoothing of one camera's images."""

from seg_ros.core.card import ModelCard
from seg_ros.core.segmentation import Part, Segmentation
from seg_ros.core.settings import Settings
from seg_ros.core.timing import Timing
from seg_ros.temporal.prompt_memory import PromptMemory
from seg_ros.temporal.smoothing import Smoother
from seg_ros.temporal.tracking import LOST_S, Tracker

_PARTS_WITH_IDS: frozenset[Part] = frozenset({'instances', 'segments'})


class TemporalFilter:
    """
    Filters one camera's masks, image by image; not thread-safe.

    A new sequence starts with another model, another image size, a stamp that is not later than
    the previous one, or a pause of more than `LOST_S`. Ids continue; they do not restart at 1.

    `prompts` are the prompts for the images; a new sequence does not change them.
    """

    def __init__(self) -> None:
        self.prompts = PromptMemory()
        self._tracker = Tracker()
        self._smoother = Smoother()
        self._kind: tuple[ModelCard, tuple[int, int]] | None = None
        self._stamp_ns = 0

    def update(
        self, segmentation: Segmentation, stamp_ns: int, card: ModelCard, settings: Settings,
        parts: frozenset[Part], timing: Timing,
    ) -> Segmentation:
        """
        Return the next image's masks, tracked and smoothed according to the settings.

        :param parts: the requested parts of the result; others are not processed.
        """
        kind, pause_ns = (card, segmentation.size_hw), stamp_ns - self._stamp_ns
        if kind != self._kind or not 0 < pause_ns <= LOST_S * 1e9:
            self.reset()
        self._kind, self._stamp_ns = kind, stamp_ns
        if settings.tracking and parts & _PARTS_WITH_IDS:
            with timing.stage('track'):
                segmentation = self._tracker.track(segmentation, stamp_ns)
        if settings.smoothing and 'classes' in parts:
            with timing.stage('smooth'):
                min_confidence = round(255 * settings.min_confidence)
                return self._smoother.smooth(segmentation, settings.smoothing, min_confidence)
        self._smoother.reset()
        return segmentation

    def reset(self) -> None:
        """Begin a new sequence."""
        self._tracker.reset()
        self._smoother.reset()

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

"""What a camera's earlier images say about the next: lasting ids, and classes that hold."""

from seg_ros.core.card import ModelCard
from seg_ros.core.segmentation import Segmentation
from seg_ros.core.settings import Settings
from seg_ros.core.timing import Timing
from seg_ros.temporal.prompt_memory import PromptMemory
from seg_ros.temporal.smoothing import Smoother
from seg_ros.temporal.tracking import LOST_S, Tracker

SHOWN_IDS = frozenset({'instances', 'segments'})


class TemporalFilter:
    """
    The images of one camera, one after the other; not safe for several threads.

    Another model, another size of the images, a stamp that is not later than the last and a
    pause of more than `LOST_S` begin a new sequence. Ids are not given anew from 1: they go on.

    `prompts` holds what is asked of the images; it does not change with the sequence.
    """

    def __init__(self) -> None:
        self.prompts = PromptMemory()
        self._tracker = Tracker()
        self._smoother = Smoother()
        self._kind: tuple[ModelCard, tuple[int, int]] | None = None
        self._stamp_ns = 0

    def update(
        self, masks: Segmentation, stamp_ns: int, card: ModelCard, settings: Settings,
        shown: frozenset[str], timing: Timing,
    ) -> Segmentation:
        """
        Take the next image's masks and return them as `tracking` and `smoothing` want them.

        :param shown: the parts that somebody reads; what nobody reads is not worked on.
        """
        kind, pause_ns = (card, masks.size_hw), stamp_ns - self._stamp_ns
        if kind != self._kind or not 0 < pause_ns <= LOST_S * 1e9:
            self.forget()
        self._kind, self._stamp_ns = kind, stamp_ns
        if settings.tracking and shown & SHOWN_IDS:
            with timing.stage('track'):
                masks = self._tracker.track(masks, stamp_ns)
        if settings.smoothing and 'classes' in shown:
            with timing.stage('smooth'):
                least = round(255 * settings.min_confidence)
                return self._smoother.smooth(masks, settings.smoothing, least)
        self._smoother.forget()
        return masks

    def forget(self) -> None:
        """Begin a new sequence."""
        self._tracker.forget()
        self._smoother.forget()

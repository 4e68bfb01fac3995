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

"""An engine with the thresholds that its masks are cut by."""

from seg_ros.core.card import ModelCard
from seg_ros.core.engine import Engine
from seg_ros.core.settings import Settings
from seg_ros.core.thresholds import thresholds_from_settings
from seg_ros.core.timing import Timing

_MOST_FRAMES = 64   # in a call of an engine that sets no limit


class ServingModel:
    """
    What serves: an opened engine, the settings that act on its masks, and its timing.

    :param engine: owned by the segmenter, which closes it.
    :raises SettingError: if a threshold does not suit the model.
    """

    def __init__(self, engine: Engine, settings: Settings, timing: Timing | None = None) -> None:
        self.engine = engine
        self.card: ModelCard = engine.card
        self.batch_limit = engine.signature.max_batch or _MOST_FRAMES   # frames in one call
        self.timing = timing or Timing()
        self.change(settings)

    def change(self, settings: Settings) -> None:
        """
        Let later frames be cut by other thresholds.

        :raises SettingError: if a threshold does not suit the model; the old ones stay.
        """
        self.thresholds = thresholds_from_settings(
            settings, self.engine.card, self.engine.signature
        )
        self.settings = settings

    def close(self) -> None:
        """Release the engine's memory."""
        self.engine.close()

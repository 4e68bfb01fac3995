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

"""The model that serves: an engine with its thresholds and prompts."""

from seg_ros.core.card import ModelCard
from seg_ros.core.compiled_file import read_compiled
from seg_ros.core.engine import Engine
from seg_ros.core.errors import SegError, SettingError
from seg_ros.core.progress import Cancelled, never, Report, silent
from seg_ros.core.prompts import prompts_from_texts
from seg_ros.core.settings import Settings
from seg_ros.core.signature import ModelSignature
from seg_ros.core.thresholds import Thresholds, thresholds_from_settings
from seg_ros.core.timing import Timing
from seg_ros.depth.targets import check_target
from seg_ros.engines import model_file, open_engine
from seg_ros.pipeline.prompts import answerable

# Settings that depend on the model.
MODEL_BOUND = (
    'score_threshold', 'mask_threshold', 'min_confidence', 'classes', 'prompts', 'target'
)
_MAX_FRAMES = 64    # per call, if the engine sets no limit


def suited_thresholds(
    settings: Settings, card: ModelCard, signature: ModelSignature
) -> Thresholds:
    """
    Check the settings that depend on the model, and return its thresholds.

    :raises SettingError: if a threshold, the target or a prompt does not suit the model.
    :raises CardError: if the model lacks a class that `classes` names.
    """
    check_target(settings.target, card)
    thresholds = thresholds_from_settings(settings, card, signature)
    _, words = answerable(prompts_from_texts(settings.prompts), signature, card, thresholds)
    if words:
        raise SettingError(f'prompts: {words}')
    return thresholds


def check_model(settings: Settings) -> None:
    """
    Read a model's file and metadata, without opening an engine.

    :raises SegError: if the name, the file or the metadata cannot be used, or thresholds, the
        target or prompts do not suit the model.
    """
    path = model_file(settings)
    if path is not None:
        compiled = read_compiled(path)
        suited_thresholds(settings, compiled.card, compiled.signature)


class ServingModel:
    """
    An open engine, the settings for its masks, and its timing.

    `prompts` are those of the settings, which apply to every image.

    :param engine: an open engine, which is closed with the model.
    :raises SettingError: if a threshold or the target does not suit the model.
    :raises CardError: if the model lacks a class that `classes` names.
    """

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self.engine = engine
        self.card: ModelCard = engine.card
        self.promptable = engine.signature.promptable
        self.batch_limit = engine.signature.max_batch or _MAX_FRAMES    # frames per call
        self.timing = Timing()
        self.change(settings)

    def change(self, settings: Settings) -> None:
        """
        Change thresholds and prompts for later frames.

        :raises SegError: if something does not suit the model; the old settings stay.
        """
        self.thresholds = suited_thresholds(settings, self.engine.card, self.engine.signature)
        self.prompts = prompts_from_texts(settings.prompts)
        self.settings = settings

    def close(self) -> None:
        """Release the engine's memory."""
        self.engine.close()


def open_serving_model(
    settings: Settings, report: Report = silent, cancelled: Cancelled = never
) -> ServingModel:
    """
    Open the engine and model of the settings; on failure the engine is closed again.

    :param report: called with the progress of a build.
    :param cancelled: polled during a build; returns whether to cancel it.
    :raises SegError: as `open_engine` and `ServingModel` do.
    """
    engine = open_engine(settings, report, cancelled)
    try:
        return ServingModel(engine, settings)
    except SegError:
        engine.close()
        raise

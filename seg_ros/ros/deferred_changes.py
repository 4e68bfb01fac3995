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

"""Check parameter requests against the model that serves or is being loaded."""

from collections.abc import Collection, Iterable

from seg_ros.core.errors import SegError, SettingError
from seg_ros.core.settings import Settings
from seg_ros.pipeline.model_manager import ModelManager
from seg_ros.pipeline.serving_model import (
    check_model,
    MODEL_BOUND,
    ServingModel,
    suited_thresholds,
)
from seg_ros.ros.parameters import FIELDS


def deferred_changes(
    settings: Settings, changes: Collection[str], models: ModelManager | None
) -> str:
    """
    Check changed settings against the model that they apply to.

    :param settings: the settings with the changes applied.
    :param changes: the names of the changed settings.
    :param models: None while the node is not configured.
    :returns: which changes are not effective at once, as text; empty if all are.
    :raises SegError: if the model cannot be used, or does not suit the thresholds.
    """
    serving = models.holder.current if models else None
    later = ''
    if 'model' in changes and not (models and models.state.active == settings.model):
        check_model(settings)
        later = f'{settings.model} is loaded in the background'
    elif 'model' not in changes and models and models.state.loads_another:
        later = _checked_while_loading(settings, changes, serving)
    elif serving is not None:
        suited_thresholds(settings, serving.card, serving.engine.signature)
    return '; '.join(filter(None, (later, _deferred(changes)))) if models else ''


def _checked_while_loading(
    settings: Settings, changes: Collection[str], serving: ServingModel | None
) -> str:
    """Check settings against the model that is being loaded; return which have to wait for it."""
    bound = [name for name in MODEL_BOUND if name in changes]
    if not bound:
        return ''
    try:
        check_model(settings)
    except SegError as error:
        raise SettingError(f'{settings.model} is being loaded: {error}') from error
    if serving is not None and _suits(settings, serving):
        return ''
    return f'{", ".join(bound)}: effective once {settings.model} serves'


def _suits(settings: Settings, serving: ServingModel) -> bool:
    try:
        suited_thresholds(settings, serving.card, serving.engine.signature)
    except SegError:
        return False
    return True


def _deferred(changes: Iterable[str]) -> str:
    """Return which changes have to wait for the next configure, as text; empty if none has."""
    waiting = [name for name in changes if FIELDS[name].metadata['when'] == 'configure']
    return f'{", ".join(waiting)}: effective at the next configure' if waiting else ''

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

"""The states of the model manager, and what others see of them."""

from dataclasses import dataclass, field
from threading import Event
from typing import Literal, TypeAlias

from seg_ros.core.errors import described
from seg_ros.core.settings import Settings

Status: TypeAlias = Literal['none', 'loading', 'serving', 'failed']


@dataclass(frozen=True)
class ModelState:
    """
    Which model serves, is being loaded or failed, at one moment.

    :param status: `none` before the first load and after closing; `loading` during a load, whether
        or not another model serves; `failed` after a load that failed, until the next load or,
        where another model serves, until `take_failure`.
    :param active: the model that serves; empty where none does.
    :param pending: the model that is being loaded; empty where none is.
    :param failed: the model that could not be loaded, with `error`, where `status` is `failed`.
    """

    status: Status = 'none'
    active: str = ''
    pending: str = ''
    failed: str = ''
    error: Exception | None = None

    @property
    def reason(self) -> str:
        """Return why the model could not be loaded."""
        return described(self.error) if self.error else ''

    @property
    def loads_another(self) -> bool:
        """Return whether another model than the one that serves, if any, is being loaded."""
        return self.pending not in ('', self.active)

    @property
    def requested(self) -> str:
        """Return the model that was requested last; empty where none was."""
        return self.pending or self.failed or self.active


@dataclass(frozen=True)
class Empty:
    """No model was requested yet, or the manager is closed."""


@dataclass(frozen=True, eq=False)
class Loading:
    """
    One request for a model, which a thread carries out.

    :param cancelled: set once another request or `close` has replaced this one; from then on the
        thread must not change the manager.
    """

    settings: Settings
    cancelled: Event = field(default_factory=Event)


@dataclass(frozen=True)
class Serving:
    """The model that was requested last serves."""


@dataclass(frozen=True)
class Failed:
    """
    The model that was requested last could not be loaded; an earlier one may serve.

    :param reported: whether `take_failure` has returned it.
    """

    model: str
    error: Exception
    reported: bool = False


State: TypeAlias = Empty | Loading | Serving | Failed


def model_state(state: State, active: str) -> ModelState:
    """
    Describe a state for others.

    :param active: the model that serves; empty where none does.
    """
    match state:
        case Loading(settings=settings):
            return ModelState('loading', active, pending=settings.model)
        case Serving():
            return ModelState('serving', active)
        case Failed(model=model, error=error):
            return ModelState('failed', active, failed=model, error=error)
        case Empty():
            return ModelState()

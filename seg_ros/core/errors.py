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

"""
The one error tree.

Every error says what was seen, what was expected and what to do:

    SegError
    ├── SettingError        a parameter or a command-line option
    ├── ImageError          an image or an image message that cannot be read
    ├── PromptError         a prompt that cannot be used
    ├── ModelError          a model file: missing, truncated, not compiled
    │   ├── CardError       a model card that contradicts itself or its network
    │   └── FamilyError     a network that fits none of the known families
    ├── PluginError         a part that another package adds and that is broken
    └── EngineError         a runtime that is missing or that failed
        ├── ContractError   an engine returned other tensors than it promised
        ├── PlanError       a TensorRT plan of another version or GPU, or one that was altered
        ├── NoEngineError   nothing serves at the moment
        ├── GpuMemoryError  no room on the GPU
        └── ContextLostError    the GPU gave up on everything that this process had there

Vendor exceptions are turned into these at the backend's edge, with ``raise … from``. They are
caught in two places only: at a lifecycle transition and once per frame in the worker.
"""


class SegError(Exception):
    """
    Root of all errors that seg_ros raises on purpose.

    :param seen: what was found, as a clause without a full stop.
    :param expected: what would have been right; may be left empty.
    :param do: what the user can do about it; may be left empty.
    """

    def __init__(self, seen: str, expected: str = '', do: str = '') -> None:
        self.seen = seen
        self.expected = expected
        self.do = do
        expectation = f'expected {expected}' if expected else ''
        super().__init__('; '.join(part for part in (seen, expectation, do) if part))


class SettingError(SegError):
    """A parameter or a command-line option has a value that cannot be used."""


class ImageError(SegError):
    """An image or an image message cannot be read."""


class PromptError(SegError):
    """A prompt cannot be read, or not with this model."""


class ModelError(SegError):
    """A model file is missing, truncated or not what it should be."""


class CardError(ModelError):
    """A model card contradicts itself or the network that it describes."""


class FamilyError(ModelError):
    """A network's outputs fit none of the known families."""


class PluginError(SegError):
    """A part that another package adds is missing or broken."""


class EngineError(SegError):
    """A runtime is missing, refuses the model, or failed while it ran."""


class ContractError(EngineError):
    """An engine returned other tensors than its contract promises."""


class PlanError(EngineError):
    """A TensorRT plan is of another version or GPU, or was altered."""


class NoEngineError(EngineError):
    """Nothing serves at the moment; the message says why."""


class GpuMemoryError(EngineError):
    """The GPU has no room for what was asked of it."""


class ContextLostError(EngineError):
    """The GPU gave up on everything that this process had there."""


def described(error: BaseException) -> str:
    """Return what an error says, and of one that nobody raised on purpose its type too."""
    if isinstance(error, SegError):
        return str(error)
    return f'{type(error).__name__}: {error}'.rstrip(': ')

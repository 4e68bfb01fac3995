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
The error hierarchy.

Every error states what was seen, what was expected and what to do:

    SegError
    ├── SettingError        a parameter or a command-line option
    ├── ImageError          an image or an image message that cannot be read
    ├── PromptError         a prompt that cannot be used
    ├── ModelError          a model file: missing, truncated, not compiled
    │   ├── CardError       a model card that is inconsistent, or does not fit its network
    │   └── FamilyError     a network that fits none of the known families
    ├── PluginError         a plug-in of another package that is missing or broken
    └── EngineError         a runtime that is missing or failed
        ├── ContractError   tensors that differ from the engine's contract
        ├── PlanError       a TensorRT plan of another version or GPU, or a modified one
        ├── NoEngineError   no engine is available at the moment
        ├── GpuMemoryError  not enough GPU memory
        └── ContextLostError    the GPU has lost this process's context

Vendor exceptions are converted to these in the backends, with ``raise … from``. They become a log
line, a diagnostic or an answer where the node or a command meets its user.
"""


class SegError(Exception):
    """
    Root of all errors that seg_ros raises on purpose.

    :param seen: what was found, as a clause without a full stop.
    :param expected: what would be valid; may be empty.
    :param do: what the user can do about it; may be empty.
    """

    def __init__(self, seen: str, expected: str = '', do: str = '') -> None:
        self.seen = seen
        self.expected = expected
        self.do = do
        expectation = f'expected {expected}' if expected else ''
        super().__init__('; '.join(part for part in (seen, expectation, do) if part))


class SettingError(SegError):
    """A parameter or a command-line option has an invalid value."""


class ImageError(SegError):
    """An image or an image message cannot be read."""


class PromptError(SegError):
    """A prompt is invalid, or this model does not support it."""


class ModelError(SegError):
    """A model file is missing, truncated or not of the expected kind."""


class CardError(ModelError):
    """A model card is inconsistent, or does not fit the network that it describes."""


class FamilyError(ModelError):
    """A network's outputs fit none of the known families."""


class PluginError(SegError):
    """A plug-in of another package is missing or broken."""


class EngineError(SegError):
    """A runtime is missing, refuses the model, or failed during inference."""


class ContractError(EngineError):
    """Tensors or masks differ from what the contract specifies."""


class PlanError(EngineError):
    """A TensorRT plan is for another version or GPU, or was modified."""


class NoEngineError(EngineError):
    """No engine is available at the moment; the message gives the reason."""


class GpuMemoryError(EngineError):
    """The GPU does not have enough memory."""


class ContextLostError(EngineError):
    """The GPU has lost this process's context, with all memory and work in it."""


def described(error: BaseException) -> str:
    """Return an error's message, preceded by its type if it is not a SegError."""
    if isinstance(error, SegError):
        return str(error)
    return f'{type(error).__name__}: {error}'.rstrip(': ')

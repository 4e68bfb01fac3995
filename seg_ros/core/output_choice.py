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

"""Which of a file's outputs an engine asks for: `compile` writes what there is to choose from."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from seg_ros.core.errors import SettingError
from seg_ros.core.settings import Settings
from seg_ros.core.signature import ModelSignature, NETWORK_SIZE, sized, UpsampleMode
from seg_ros.core.tensors import TENSORS

# What detections are chosen from and masks are mixed from, where the host does both.
CANDIDATES = (
    'candidate_boxes', 'candidate_scores', 'candidate_classes', 'candidate_coefficients',
    'prototypes',
)
_IN_GRAPH = ('boxes', 'scores', 'classes', 'masks')
_LABELS = ('labels', 'confidence')


@dataclass(frozen=True)
class OutputChoice:
    """
    The outputs that an engine gives.

    :param names: of the file's outputs, each with the tensor that it is for the engine's user.
    :param signature: the file's, with the one image size that the labels are good for.
    :param upsample: the way that was chosen.
    :param notes: which of the settings have no effect with this file, and why.
    """

    names: Mapping[str, str]
    signature: ModelSignature
    upsample: UpsampleMode
    notes: tuple[str, ...] = ()

    @property
    def on_host(self) -> bool:
        """Return whether the engine has to choose detections and mix masks itself."""
        return CANDIDATES[0] in self.names


def choose_outputs(
    signature: ModelSignature, settings: Settings, auto: UpsampleMode, on_host: bool = False
) -> OutputChoice:
    """
    Choose by the settings, with no more outputs than are looked at.

    :param auto: what `upsample: auto` is on this engine.
    :param on_host: whether the engine would rather have candidates than masks.
    :raises SettingError: if the file has no labels of `source_size`.
    """
    upsample = auto if settings.upsample == 'auto' else settings.upsample
    present = signature.tensors
    names = {name: name for name in present if name in TENSORS}
    source_hw = None
    if 'logits' in present and upsample != 'edges':
        del names['logits']
        if upsample == 'graph':
            source_hw = _source_size(signature, settings)
            names = _renamed(names, present, source_hw or NETWORK_SIZE)
    if on_host and set(CANDIDATES) <= set(present):
        names = {name: to for name, to in names.items() if to not in _IN_GRAPH}
        names.update({name: name for name in CANDIDATES})
    notes = _idle_source_size(settings, upsample) if source_hw != settings.source_hw else ()
    return OutputChoice(names, replace(signature, source_hw=source_hw), upsample, notes)


def _idle_source_size(settings: Settings, upsample: UpsampleMode) -> tuple[str, ...]:
    cause = (
        f'upsample is {upsample}, not graph' if upsample != 'graph'
        else 'the model has no class scores to enlarge'
    )
    return (f'source_size: {settings.source_size} has no effect: {cause}',)


def _source_size(signature: ModelSignature, settings: Settings) -> tuple[int, int] | None:
    wanted = settings.source_hw
    if wanted is not None and wanted not in signature.source_sizes:
        there = ', '.join(f'{width}x{height}' for height, width in signature.source_sizes)
        raise SettingError(
            f'source_size: {settings.source_size}, whose labels are not in the model file',
            there or 'none, as the file is',
            f'compile it with --source-size {settings.source_size}',
        )
    return wanted


def _renamed(
    names: Mapping[str, str], present: Iterable[str], size: str | tuple[int, int]
) -> dict[str, str]:
    """Put the labels of a size in the place of those that the scores' own size has."""
    others = {sized(name, size): name for name in _LABELS if sized(name, size) in present}
    kept = {name: to for name, to in names.items() if to not in others.values()}
    return {**kept, **others}

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

"""Choice of the outputs that an engine computes, among those of the compiled file."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from seg_ros.core.errors import SettingError
from seg_ros.core.settings import Settings
from seg_ros.core.signature import ModelSignature, NETWORK_SIZE, sized, UpsampleMode
from seg_ros.core.tensors import TENSORS

# Outputs from which the host selects detections and computes masks.
CANDIDATES = (
    'candidate_boxes', 'candidate_scores', 'candidate_classes', 'candidate_coefficients',
    'prototypes',
)
_IN_GRAPH = ('boxes', 'scores', 'classes', 'masks')
_LABELS = ('labels', 'confidence')


@dataclass(frozen=True)
class OutputChoice:
    """
    The outputs that an engine computes.

    :param names: tensor names of `Outputs` by the names of the file's outputs.
    :param signature: the file's signature, with `source_hw` set to the chosen image size.
    :param upsample: the chosen mode.
    :param notes: settings without effect for this file, and the reasons.
    """

    names: Mapping[str, str]
    signature: ModelSignature
    upsample: UpsampleMode
    notes: tuple[str, ...] = ()

    @property
    def on_host(self) -> bool:
        """Return whether the host must select detections and compute masks."""
        return CANDIDATES[0] in self.names


def choose_outputs(
    signature: ModelSignature, settings: Settings, auto: UpsampleMode, on_host: bool = False
) -> OutputChoice:
    """
    Choose outputs by the settings, only those that are used.

    :param auto: mode of this engine for `upsample: auto`.
    :param on_host: whether the engine prefers candidates to masks.
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
    notes = _unused_source_size(settings, upsample) if source_hw != settings.source_hw else ()
    return OutputChoice(names, replace(signature, source_hw=source_hw), upsample, notes)


def _unused_source_size(settings: Settings, upsample: UpsampleMode) -> tuple[str, ...]:
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
            there or 'an empty source_size, as the file has no such labels',
            f'compile it with --source-size {settings.source_size}',
        )
    return wanted


def _renamed(
    names: Mapping[str, str], present: Iterable[str], size: str | tuple[int, int]
) -> dict[str, str]:
    """Replace the labels at the scores' own size by those of another size."""
    others = {sized(name, size): name for name in _LABELS if sized(name, size) in present}
    kept = {name: to for name, to in names.items() if to not in others.values()}
    return {**kept, **others}

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

"""The families of networks that can be compiled, in the order in which they are tried."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from seg_ros.compile.families import promptable
from seg_ros.compile.families.box_masks import read_box_masks
from seg_ros.compile.families.derived_outputs import sources_first
from seg_ros.compile.families.image_masks import read_image_masks
from seg_ros.compile.families.logits import read_logits
from seg_ros.compile.families.output_interpretation import OutputInterpretation
from seg_ros.compile.families.panoptic_centers import read_panoptic_centers
from seg_ros.compile.families.promptable import read_promptable
from seg_ros.compile.families.query_masks import read_query_masks
from seg_ros.compile.families.selection_errors import (
    ambiguity_error,
    mismatch_error,
    no_family_error,
)
from seg_ros.compile.families.yolo_seg import read_yolo_seg
from seg_ros.compile.network import Network
from seg_ros.core import plugins
from seg_ros.core.card import ModelCard, Task
from seg_ros.core.errors import FamilyError
from seg_ros.core.plugins import load_plugins

Family: TypeAlias = Callable[[Network], 'list[OutputInterpretation] | str']

# A family lists possible interpretations of a network's outputs, or the reason for having none.
FAMILIES: Mapping[str, Family] = {
    'promptable': read_promptable,
    'yolo_seg': read_yolo_seg,
    'panoptic_centers': read_panoptic_centers,
    'box_masks': read_box_masks,
    'image_masks': read_image_masks,
    'query_masks': read_query_masks,
    'logits': read_logits,
}

# Tasks of the families that do not give all of them.
_TASKS: Mapping[str, Sequence[Task]] = {
    'promptable': ['promptable'],
    'yolo_seg': ['instance'],
    'panoptic_centers': ['panoptic'],
    'box_masks': ['instance'],
    'image_masks': ['instance'],
    'logits': ['semantic'],
}


def interpretations(
    network: Network, family: str = '', task: Task | None = None
) -> tuple[list[OutputInterpretation], list[str]]:
    """
    List the interpretations that families have for a network, those of other packages first.

    :param family: the only family to try; empty tries all.
    :param task: the task for which a family's reasons matter; None if all do.
    :returns: all interpretations, likeliest first, and one reason for each family without any.
    :raises FamilyError: if the family is unknown.
    """
    added, skipped = load_plugins(plugins.FAMILIES, taken=FAMILIES)
    families = {**added, **FAMILIES}
    if family and family not in families:
        raise FamilyError(
            f'family {family!r} in the card', f'one of {", ".join(families)}', '; '.join(skipped)
        )
    found, reasons = [], [] if family else list(skipped)
    # A network with prompt inputs gives no masks without prompts.
    likely = ['promptable'] if network.prompts else list(families)
    for name in [family] if family else likely:
        answer = families[name](network)
        if not isinstance(answer, str):
            found += answer
        elif name == family or task is None or task in _TASKS.get(name, [task]):
            reasons.append(f'{name}: {answer}')
    return found, reasons


def select_family(
    network: Network, card: ModelCard
) -> tuple[OutputInterpretation, list[OutputInterpretation]]:
    """
    Select the interpretation that matches the card's task and number of classes.

    If several outputs match, that of `sources_first` is taken: of outputs that are computed from
    one another the one with the most information, and of several heads the one with the most
    layers, as heads that only helped in training have fewer.

    :returns: the interpretation, and those of other outputs that match the card too.
    :raises FamilyError: if no family can interpret the network, or two interpretations match.
    :raises CardError: if the network can be interpreted, but not as the card describes.
    """
    by_task = promptable.NAME if card.task == 'promptable' else ''
    found, reasons = interpretations(network, card.family or by_task, card.task)
    if not found:
        raise no_family_error(network, card, reasons)
    fits = sources_first(network, [item for item in found if _fits(item, card)])
    if not fits:
        raise mismatch_error(network, card, found, reasons)
    candidates = [item for item in fits if item.tensor_infos == fits[0].tensor_infos]
    if len(candidates) > 1:
        raise ambiguity_error(candidates)
    others = {
        item.sources: item for item in reversed(fits)
        if not set(item.sources) <= set(fits[0].sources)
    }
    return fits[0], list(others.values())[::-1]


def _fits(item: OutputInterpretation, card: ModelCard) -> bool:
    """Return whether an interpretation has the card's task and number of classes."""
    count = len(card.classes)
    return (
        item.task == card.task and item.class_count in (0, count) and item.least_classes <= count
    )

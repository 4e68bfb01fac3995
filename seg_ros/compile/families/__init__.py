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
from seg_ros.compile.families.yolo_seg import read_yolo_seg
from seg_ros.compile.network import Network
from seg_ros.core import plugins
from seg_ros.core.card import ModelCard, Task
from seg_ros.core.errors import CardError, FamilyError
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

# What to export of a network that no family reads as it is.
_EXPORTS: Mapping[Task, str] = {
    'semantic': 'class scores [N, C, h, w] or labels [N, h, w]',
    'instance': "what the network's own post-processing selects, a fixed number K of scores "
                '[N, K], labels [N, K] and masks over the image [N, K, h, w]',
    'panoptic': 'class scores [N, Q, C] and masks [N, Q, h, w] of queries, or class scores, '
                'centres and offsets',
    'promptable': 'image, prompts and masks in one network',
}

_MAX_LISTED = 3     # interpretations in a message


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
        elif name == family or task in (None, *_TASKS.get(name, [task])):
            reasons.append(f'{name}: {answer}')
    return found, reasons


def select_family(
    network: Network, card: ModelCard
) -> tuple[OutputInterpretation, list[OutputInterpretation]]:
    """
    Select the interpretation that matches the card's task and number of classes.

    If several outputs match, the one with the most layers is taken, as auxiliary outputs of
    training have fewer, and of outputs that are computed from one another the one with the most
    information.

    :returns: the interpretation, and those of other outputs that match the card too.
    :raises FamilyError: if no family can interpret the network, or two interpretations match.
    :raises CardError: if the network can be interpreted, but not as the card describes.
    """
    by_task = promptable.NAME if card.task == 'promptable' else ''
    found, reasons = interpretations(network, card.family or by_task, card.task)
    advice = '; '.join([f'export {_EXPORTS[card.task]}', *reasons])
    if not found:
        raise FamilyError(
            f'outputs {", ".join(map(str, network.outputs))} fit no family', do=advice
        )
    fits = sources_first(network, [item for item in found if _fits(item, card)])
    if not fits:
        raise _unfit(network, card, found, advice if reasons else '')
    candidates = [item for item in fits if item.tensor_infos == fits[0].tensor_infos]
    if len(candidates) > 1:
        raise FamilyError(
            f'the network reads in {len(candidates)} ways: {_listed(candidates)}',
            'one that fits the card', _distinction(candidates),
        )
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


def _unfit(
    network: Network, card: ModelCard, found: Sequence[OutputInterpretation], advice: str
) -> CardError:
    """Return the error for a card whose task or classes no interpretation has."""
    expected = f'what the network gives, {_few(found, card)}'
    if any(item.task == card.task for item in found) or not advice:
        do = 'correct task and classes of the card' + _of_labels(found, card)
        return CardError(_asked(card), expected, do)
    return CardError(
        f'{_asked(card)}, and outputs {", ".join(map(str, network.outputs))} give no such masks',
        expected, f"correct the card's task, or {advice}",
    )


def _asked(card: ModelCard) -> str:
    """Describe the masks that a card asks for."""
    count = len(card.classes)
    return f'card {card.name} has task {card.task} and {count} class{"es" if count > 1 else ""}'


def _of_labels(found: Sequence[OutputInterpretation], card: ModelCard) -> str:
    """Return advice on the background if there are labels for which the card has no class."""
    if not any(item.least_classes > len(card.classes) for item in found):
        return ''
    return (
        ': labels number the classes from 0, so a background among them is the first class'
    )


def _few(found: Sequence[OutputInterpretation], card: ModelCard) -> str:
    """Describe the likeliest interpretations, those of the card's task first."""
    nearest = sorted(found, key=lambda item: item.task != card.task)
    more = (
        f', and {len(found) - _MAX_LISTED} more, which seg_ros inspect lists'
        if len(found) > _MAX_LISTED else ''
    )
    return ' or '.join(map(str, nearest[:_MAX_LISTED])) + more


def _listed(candidates: Sequence[OutputInterpretation]) -> str:
    """Describe interpretations, with the outputs that they come from if these differ."""
    if len({item.sources for item in candidates}) == 1:
        return ' or '.join(map(str, candidates))
    return ' or '.join(f'{item}, from {", ".join(item.sources)}' for item in candidates)


def _distinction(candidates: Sequence[OutputInterpretation]) -> str:
    """Return advice on how to choose among interpretations of the same tensors."""
    families = dict.fromkeys(item.family for item in candidates)
    if len(families) == len(candidates):
        return f'set {" or ".join(f"family: {name}" for name in families)} in the card'
    outputs = dict.fromkeys(', '.join(item.sources) for item in candidates)
    if len(outputs) == len(candidates):
        return f'set {" or ".join(f"outputs: [{names}]" for names in outputs)} in the card'
    return 'export it in another layout or at another size'

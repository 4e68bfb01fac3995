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

"""Errors of networks that no family, or more than one, can read as the card describes."""

from collections.abc import Mapping, Sequence

from seg_ros.compile.families.output_interpretation import OutputInterpretation
from seg_ros.compile.network import Network
from seg_ros.core.card import ModelCard, Task
from seg_ros.core.errors import CardError, FamilyError

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


def no_family_error(network: Network, card: ModelCard, reasons: Sequence[str]) -> FamilyError:
    """
    Return the error for a network that no family can interpret.

    :param reasons: one for each family.
    """
    return FamilyError(f'outputs {_outputs(network)} fit no family', do=_advice(card, reasons))


def mismatch_error(
    network: Network, card: ModelCard, found: Sequence[OutputInterpretation],
    reasons: Sequence[str],
) -> CardError:
    """
    Return the error for a card whose task or classes no interpretation has.

    :param reasons: one for each family without an interpretation.
    """
    expected = f'what the network gives, {_likeliest(found, card)}'
    if any(item.task == card.task for item in found) or not reasons:
        do = 'correct task and classes of the card' + _background_advice(found, card)
        return CardError(_request(card), expected, do)
    return CardError(
        f'{_request(card)}, and outputs {_outputs(network)} give no such masks',
        expected, f"correct the card's task, or {_advice(card, reasons)}",
    )


def ambiguity_error(candidates: Sequence[OutputInterpretation]) -> FamilyError:
    """Return the error for several interpretations of the same tensors that match the card."""
    return FamilyError(
        f'the network reads in {len(candidates)} ways: {_listed(candidates)}',
        'one that fits the card', _distinction(candidates),
    )


def _outputs(network: Network) -> str:
    return ', '.join(map(str, network.outputs))


def _advice(card: ModelCard, reasons: Sequence[str]) -> str:
    """Return what to export for the card's task, and why each family rejects what there is."""
    return '; '.join([f'export {_EXPORTS[card.task]}', *reasons])


def _request(card: ModelCard) -> str:
    """Describe the masks that a card asks for."""
    count = len(card.classes)
    return f'card {card.name} has task {card.task} and {count} class{"es" if count > 1 else ""}'


def _background_advice(found: Sequence[OutputInterpretation], card: ModelCard) -> str:
    """Return advice on the background if there are labels for which the card has no class."""
    if not any(item.least_classes > len(card.classes) for item in found):
        return ''
    return ': labels number the classes from 0, so a background among them is the first class'


def _likeliest(found: Sequence[OutputInterpretation], card: ModelCard) -> str:
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

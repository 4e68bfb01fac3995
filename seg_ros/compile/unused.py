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

"""Warns of options and card entries that have no effect on a network."""

from seg_ros.compile.export_options import ExportOptions
from seg_ros.compile.families import logits, panoptic_centers, query_masks
from seg_ros.compile.families.score_meaning import unread_scores
from seg_ros.compile.network import Network
from seg_ros.core.card import CardThresholds, InputSpec, ModelCard
from seg_ros.core.signature import ModelSignature

# Options that the signature records if the graph uses them.
_RECORDED = ('score_floor', 'iou', 'top_k', 'max_instances')
_CENTER_OPTIONS = ('prominence', 'small_segment')
# Families that use the card's `scores`; they warn themselves if it has no effect.
_SCORES_USED = (logits.NAME, panoptic_centers.NAME, query_masks.NAME)


def unused_notes(
    network: Network, card: ModelCard, options: ExportOptions, signature: ModelSignature
) -> list[str]:
    """
    Return warnings about options and card keys without effect.

    :param card: card with the selected family.
    """
    used = [
        name for name in _RECORDED
        if getattr(signature, name) or getattr(options, name) == getattr(signature, name)
    ]
    if card.family == panoptic_centers.NAME:
        used += _CENTER_OPTIONS
    notes = [
        f'warning: {name} {getattr(options, name):g} has no effect on {card.family}'
        for name in (*_RECORDED, *_CENTER_OPTIONS)
        if name not in used and getattr(options, name) != getattr(ExportOptions, name)
    ]
    if card.family not in _SCORES_USED:
        notes += unread_scores(card, f'{card.family} reads probabilities')
    notes += [*_of_thresholds(card, signature), *_of_input(card)]
    if card.thresholds.iou and not signature.iou:
        notes.append(
            f"warning: the card's thresholds.iou {card.thresholds.iou:g} has no effect: the graph "
            'suppresses no boxes of its own'
        )
    if card.snap != signature.snap:
        notes.append(
            f"warning: the card's snap: {card.snap} has no effect: masks do not lie over boxes"
        )
    return [*notes, *_of_prompts(network, options)]


def _of_thresholds(card: ModelCard, signature: ModelSignature) -> list[str]:
    """Return warnings about thresholds for outputs that the file does not have."""
    given = {*signature.tensors}
    soft = bool(given & {'masks', 'rivals'})
    rest = 'scores' in given and bool(given & {'labels', 'rivals'})
    acting = {
        'score': ('scores' in given, 'the network finds no instances'),
        'mask': (soft, 'there are no soft masks'),
        'visible': (soft, 'no masks overlap'),
        'stuff': (rest, 'there are only instances'),
    }
    return [
        f"warning: the card's thresholds.{name} {getattr(card.thresholds, name):g} has no effect: "
        f'{reason}'
        for name, (acts, reason) in acting.items()
        if not acts and getattr(card.thresholds, name) != getattr(CardThresholds, name)
    ]


def _of_input(card: ModelCard) -> list[str]:
    """Return warnings about alignment and padding that the fit does not use."""
    spec, idle = card.input, []
    if spec.fit == 'stretch' and spec.align != InputSpec.align:
        idle.append(f'align: {spec.align}')
    if spec.fit != 'letterbox' and spec.pad != InputSpec.pad:
        idle.append(f'pad: {spec.pad}')
    return [
        f"warning: the card's input.{words} has no effect with fit: {spec.fit}" for words in idle
    ]


def _of_prompts(network: Network, options: ExportOptions) -> list[str]:
    count = network.prompts[0].shape[1] if network.prompts else 0
    if options.max_prompts in (ExportOptions.max_prompts, count):
        return []
    fixed = f'the network was exported for {count}' if count else 'the network takes no prompts'
    return [f'warning: max_prompts {options.max_prompts} has no effect: {fixed}']

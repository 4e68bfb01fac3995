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

"""The user's thresholds, resolved against a card and a signature."""

from dataclasses import dataclass

from seg_ros.core.card import ModelCard
from seg_ros.core.errors import SettingError
from seg_ros.core.settings import Settings
from seg_ros.core.signature import ModelSignature


@dataclass(frozen=True)
class Thresholds:
    """
    Thresholds for the masks of one frame.

    :param score: minimum score of a detection, 0 to 1.
    :param mask_level: pixels of `masks` above it are in the mask (`ModelSignature.mask_level`).
    :param visible: minimum fraction of a segment that is not covered by better ones.
    :param confidence: minimum confidence of a class, 0 to 255.
    :param channels: channel indexes to keep.
    :param stuff: minimum fraction of the image that a class without instances covers.
    """

    score: float
    mask_level: float
    visible: float
    confidence: int
    channels: frozenset[int]
    stuff: float = 0.0


def thresholds_from_settings(
    settings: Settings, card: ModelCard, signature: ModelSignature
) -> Thresholds:
    """
    Resolve the user's settings; -1 stands for the card's value, an empty class name for all.

    :raises SettingError: if the score is below the floor that the model was compiled with, or
        `min_confidence` is set for a model without confidence.
    :raises CardError: if a class name is not in the card.
    """
    chosen = settings.score_threshold
    if 0 <= chosen < signature.score_floor:
        raise SettingError(
            f'score_threshold {chosen:g} lies below the floor {signature.score_floor:g} that is '
            'compiled into the model',
            f'{signature.score_floor:g} or more',
            'compile the model with a lower --score-floor',
        )
    given = signature.tensors
    if settings.min_confidence and 'labels' in given and 'confidence' not in given:
        raise SettingError(
            f'min_confidence {settings.min_confidence:g} with {card.name}, whose labels have no '
            'confidence', '0',
        )
    score = chosen if chosen >= 0 else max(card.thresholds.score, signature.score_floor)
    mask = settings.mask_threshold if settings.mask_threshold >= 0 else card.thresholds.mask
    names = [name for name in settings.classes if name]
    channels = card.channels_named(names) if names else frozenset(range(len(card.classes)))
    return Thresholds(
        score,
        signature.mask_level(mask),
        card.thresholds.visible,
        round(255 * settings.min_confidence),
        channels,
        card.thresholds.stuff,
    )

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

"""Thresholds are those of the settings and, where these are not set, those of the card."""

import pytest
from seg_ros.core.card import CardThresholds, ClassInfo, ModelCard
from seg_ros.core.errors import CardError, SettingError
from seg_ros.core.settings import Settings
from seg_ros.core.signature import ModelSignature
from seg_ros.core.thresholds import thresholds_from_settings

CLASSES = tuple(
    ClassInfo(10 * index, name, (index + 1, 0, 0))
    for index, name in enumerate(('road', 'car', 'sky'))
)
CARD = ModelCard(
    'town', 'instance', CLASSES,
    thresholds=CardThresholds(score=0.3, mask=0.4, visible=0.6, stuff=0.01),
)
CONTRACT = ModelSignature((8, 8), ('scores',), score_floor=0.05)


def test_without_a_choice_the_card_decides():
    thresholds = thresholds_from_settings(Settings(), CARD, CONTRACT)
    assert (thresholds.score, thresholds.visible, thresholds.confidence) == (0.3, 0.6, 0)
    assert thresholds.mask_level == CONTRACT.mask_level(0.4)
    assert (thresholds.channels, thresholds.stuff) == ({0, 1, 2}, 0.01)


def test_what_the_user_chose_wins_over_the_card():
    chosen = Settings(
        score_threshold=0.7, mask_threshold=0.2, min_confidence=0.5, classes=('sky', 'road')
    )
    thresholds = thresholds_from_settings(chosen, CARD, CONTRACT)
    assert thresholds.score == 0.7
    assert thresholds.mask_level == CONTRACT.mask_level(0.2)
    assert thresholds.confidence in (127, 128)
    assert thresholds.channels == {0, 2}


def test_zero_is_a_choice():
    bare = ModelSignature((8, 8), ('scores',))
    thresholds = thresholds_from_settings(
        Settings(score_threshold=0.0, mask_threshold=0.0), CARD, bare
    )
    assert (thresholds.score, thresholds.mask_level) == (0.0, 0.0)


def test_a_score_below_the_floor_of_the_model_is_refused_and_the_floor_named():
    with pytest.raises(SettingError, match=r'score_threshold 0.02.*floor 0.05'):
        thresholds_from_settings(Settings(score_threshold=0.02), CARD, CONTRACT)
    assert thresholds_from_settings(Settings(score_threshold=0.05), CARD, CONTRACT).score == 0.05


@pytest.mark.parametrize(('tensors', 'refused'), [
    (('labels',), True), (('labels', 'scores', 'classes', 'masks'), True),
    (('labels', 'confidence'), False), (('scores', 'classes', 'masks'), False),
])
def test_a_confidence_is_not_asked_of_labels_that_have_none(tensors, refused):
    signature = ModelSignature((8, 8), tensors)
    assert thresholds_from_settings(Settings(), CARD, signature).confidence == 0
    settings = Settings(min_confidence=0.5)
    if refused:
        with pytest.raises(SettingError, match=f'min_confidence 0.5 with {CARD.name}.*expected 0'):
            thresholds_from_settings(settings, CARD, signature)
    else:
        assert thresholds_from_settings(settings, CARD, signature).confidence == 128


def test_a_card_below_the_floor_is_lifted_to_it():
    thresholds = thresholds_from_settings(
        Settings(), CARD, ModelSignature((8, 8), ('scores',), score_floor=0.5)
    )
    assert thresholds.score == 0.5


def test_an_unknown_class_is_refused_by_its_name():
    with pytest.raises(CardError, match=r'truck.*road, car, sky'):
        thresholds_from_settings(Settings(classes=('car', 'truck')), CARD, CONTRACT)


def test_an_empty_name_beside_others_keeps_only_the_others():
    assert thresholds_from_settings(Settings(classes=('', 'car')), CARD, CONTRACT).channels == {1}

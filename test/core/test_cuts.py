"""Thresholds are the user's where he chose, the card's where he did not."""

import pytest
from seg_ros.core.card import ClassInfo, ModelCard, Thresholds
from seg_ros.core.contract import Contract
from seg_ros.core.cuts import cuts_from_settings
from seg_ros.core.errors import CardError, SettingError
from seg_ros.core.settings import Settings

CLASSES = tuple(
    ClassInfo(10 * index, name, (index + 1, 0, 0))
    for index, name in enumerate(('road', 'car', 'sky'))
)
CARD = ModelCard(
    'town', 'instance', CLASSES, thresholds=Thresholds(score=0.3, mask=0.4, visible=0.6)
)
CONTRACT = Contract((8, 8), ('scores',), score_floor=0.05)


def test_without_a_choice_the_card_decides():
    cuts = cuts_from_settings(Settings(), CARD, CONTRACT)
    assert (cuts.score, cuts.visible, cuts.confidence) == (0.3, 0.6, 0)
    assert cuts.mask_level == CONTRACT.mask_level(0.4)
    assert cuts.channels == {0, 1, 2}


def test_what_the_user_chose_wins_over_the_card():
    chosen = Settings(
        score_threshold=0.7, mask_threshold=0.2, min_confidence=0.5, classes=('sky', 'road')
    )
    cuts = cuts_from_settings(chosen, CARD, CONTRACT)
    assert cuts.score == 0.7
    assert cuts.mask_level == CONTRACT.mask_level(0.2)
    assert cuts.confidence in (127, 128)
    assert cuts.channels == {0, 2}


def test_zero_is_a_choice():
    bare = Contract((8, 8), ('scores',))
    cuts = cuts_from_settings(Settings(score_threshold=0.0, mask_threshold=0.0), CARD, bare)
    assert (cuts.score, cuts.mask_level) == (0.0, 0.0)


def test_a_score_below_the_floor_of_the_model_is_refused_and_the_floor_named():
    with pytest.raises(SettingError, match=r'score_threshold 0.02.*floor 0.05'):
        cuts_from_settings(Settings(score_threshold=0.02), CARD, CONTRACT)
    assert cuts_from_settings(Settings(score_threshold=0.05), CARD, CONTRACT).score == 0.05


def test_a_card_below_the_floor_is_lifted_to_it():
    cuts = cuts_from_settings(Settings(), CARD, Contract((8, 8), ('scores',), score_floor=0.5))
    assert cuts.score == 0.5


def test_an_unknown_class_is_refused_by_its_name():
    with pytest.raises(CardError, match=r'truck.*road, car, sky'):
        cuts_from_settings(Settings(classes=('car', 'truck')), CARD, CONTRACT)


def test_an_empty_name_beside_others_keeps_only_the_others():
    assert cuts_from_settings(Settings(classes=('', 'car')), CARD, CONTRACT).channels == {1}

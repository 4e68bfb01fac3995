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

"""Which prompts a model answers, and the reasons for refusing others."""

from dataclasses import replace
import re

from fakes.promptable_network import CARD
import numpy as np
import pytest
from seg_ros.core.card import ClassInfo, InputSpec, ModelCard
from seg_ros.core.errors import SettingError
from seg_ros.core.prompts import Prompt
from seg_ros.core.settings import Settings
from seg_ros.core.signature import ModelSignature
from seg_ros.core.tensors import Outputs
from seg_ros.core.thresholds import Thresholds
from seg_ros.image.fit import Fit, fit_for
from seg_ros.masks.panoptic import panoptic_segmentation
from seg_ros.masks.postprocess_context import PostprocessContext
from seg_ros.pipeline.prompts import (
    answerable,
    nothing_asked,
    tensor_from_prompts,
    with_prompts,
)
from seg_ros.pipeline.serving_model import suited_thresholds

SIGNATURE = ModelSignature((48, 64), ('masks',), max_prompts=2)
BOX = (1, 2, 3, 4)
FIT = Fit((48, 64), (48, 64), (48, 64), (0, 0))
CARD_OF_THREE = replace(CARD, classes=(*CARD.classes, ClassInfo(9, 'tool', (1, 2, 3), True)))
TWO_OF_THREE = Thresholds(0.5, 128.0, 0.5, 0, frozenset({0, 1}))


@pytest.mark.parametrize(('prompts', 'kept', 'words'), [
    ([], [], ''),
    ([Prompt(4, BOX), Prompt(9, BOX, 'cup')], [4, 9], ''),
    ([Prompt(4, BOX), Prompt(4, BOX), Prompt(5, BOX)], [4, 5], 'two with the id 4'),
    ([Prompt(4, BOX, 'plate'), Prompt(5, BOX)], [5], 'no class plate; expected some of object'),
    ([Prompt(4, BOX, 'tool'), Prompt(5, BOX)], [5], 'tool, the class of prompt 4, is not among'),
    ([Prompt(4, (64, 9, 70, 20)), Prompt(5, BOX)], [5], 'prompt 4 lies outside .* 64x48'),
    ([Prompt(4, BOX), Prompt(5, BOX), Prompt(6, BOX)], [4, 5], 'more than 2, the limit'),
])
def test_what_cannot_be_answered_is_left_out_and_said(prompts, kept, words):
    found, said = answerable(prompts, SIGNATURE, CARD_OF_THREE, TWO_OF_THREE, FIT)
    assert [item.id for item in found] == kept
    assert bool(said) == bool(words)
    assert re.search(words, said)


def test_several_reasons_are_said_together_and_thousands_in_a_line():
    prompts = [Prompt(1, BOX, 'plate'), Prompt(2, BOX), Prompt(2, BOX)]
    _, said = answerable(prompts, SIGNATURE, CARD_OF_THREE, TWO_OF_THREE, FIT)
    assert 'no class plate' in said
    assert 'two with the id 2' in said
    outside = [Prompt(number, (99, 99, 100, 100)) for number in range(1, 3000)]
    _, said = answerable(outside, SIGNATURE, CARD_OF_THREE, TWO_OF_THREE, FIT)
    assert len(said) < 300


@pytest.mark.parametrize(('xyxy', 'seen'), [
    ((0, 0, 0, 0), True), ((63.9, 47.9, 63.9, 47.9), True), ((64, 5, 64, 5), False),
    ((-9, -9, 0, 0), False), ((-9, -9, 0.1, 0.1), True), ((63, -99, 99, 99), True),
    ((-99, -99, 999, 999), True), ((5, 48, 6, 50), False), ((-1, 5, -1, 5), False),
])
def test_a_prompt_is_seen_where_it_shares_anything_with_the_image(xyxy, seen):
    found, _ = answerable([Prompt(1, xyxy)], SIGNATURE, CARD_OF_THREE, TWO_OF_THREE, FIT)
    assert bool(found) is seen


def test_what_the_fit_crops_is_not_seen():
    fit = fit_for((48, 96), (48, 64), InputSpec((48, 64), fit='shortest_side'))
    prompts = [Prompt(1, (0, 0, 15, 15)), Prompt(2, (0, 0, 20, 15))]
    found, said = answerable(prompts, SIGNATURE, CARD_OF_THREE, TWO_OF_THREE, fit)
    assert [item.id for item in found] == [2]
    assert said.startswith('prompt 1 lies outside')
    assert tensor_from_prompts(found, fit, SIGNATURE)[0, 0].tolist() == [0, 0, 4, 15]


def test_boxes_larger_than_the_image_end_where_it_ends():
    fit = Fit((96, 128), (48, 64), (24, 32), (6, 8))
    tensor = tensor_from_prompts([Prompt(5, (-300, 20, 900, 900))], fit, SIGNATURE)
    assert tensor[0, 0].tolist() == [8, 11, 40, 30]


def test_a_model_without_prompts_refuses_the_setting_by_its_task():
    card = ModelCard('plain', 'semantic', (ClassInfo(1, 'road', (1, 1, 1)),))
    signature = ModelSignature((48, 64), ('labels',))
    with pytest.raises(SettingError, match=r'plain takes no prompts; expected.*promptable'):
        suited_thresholds(Settings(prompts=('1 2',)), card, signature)
    assert suited_thresholds(Settings(), card, signature)


def test_prompts_reach_the_network_in_its_own_pixels():
    fit = Fit((96, 128), (48, 64), (24, 32), (6, 8))
    tensor = tensor_from_prompts([Prompt(5, (40, 20, 80, 60))], fit, SIGNATURE)
    assert tensor.tolist() == [[[18, 11, 28, 21], [0, 0, 0, 0]]]


def test_slots_bear_the_ids_and_classes_of_their_prompts_and_the_others_are_empty():
    outputs = Outputs(scores=np.array([0.7, 0.8], np.float32))
    named = with_prompts(outputs, [Prompt(9, BOX, 'cup')], CARD)
    assert named.tensor('scores').tolist() == pytest.approx([0.7, 0])
    assert named.ids.tolist() == [9, 0]
    assert named.tensor('classes').tolist() == [1, 0]


def test_where_nothing_is_asked_there_are_no_segments():
    masks = panoptic_segmentation(
        with_prompts(nothing_asked().image(0), (), CARD),
        PostprocessContext(FIT, SIGNATURE, CARD, TWO_OF_THREE),
    )
    masks.verify()
    assert masks.segments == ()
    assert (masks.classes == CARD.unlabelled).all()

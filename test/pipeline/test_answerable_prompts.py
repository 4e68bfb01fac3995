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

"""Which prompts a model answers, and what is said of the others."""

import re

from fakes.promptable_network import CARD
import numpy as np
import pytest
from seg_ros.core.card import ClassInfo, ModelCard
from seg_ros.core.errors import SettingError
from seg_ros.core.prompts import Prompt
from seg_ros.core.settings import Settings
from seg_ros.core.signature import ModelSignature
from seg_ros.core.tensors import Outputs
from seg_ros.image.letterbox import Fit
from seg_ros.pipeline.prompts import (
    answerable,
    tensor_from_prompts,
    unanswerable,
    with_prompts,
)
from seg_ros.pipeline.serving_model import suited_thresholds

SIGNATURE = ModelSignature((48, 64), ('masks',), max_prompts=2)
BOX = (1, 2, 3, 4)


@pytest.mark.parametrize(('prompts', 'kept', 'words'), [
    ([], [], ''),
    ([Prompt(4, BOX), Prompt(9, BOX, 'cup')], [4, 9], ''),
    ([Prompt(4, BOX), Prompt(4, BOX), Prompt(5, BOX)], [4, 5], 'two with the id 4'),
    ([Prompt(4, BOX, 'plate'), Prompt(5, BOX)], [5], 'no class plate; expected some of object'),
    ([Prompt(4, BOX), Prompt(5, BOX), Prompt(6, BOX)], [4, 5], '3 of them, .* answers 2'),
])
def test_what_cannot_be_answered_is_left_out_and_said(prompts, kept, words):
    assert [item.id for item in answerable(prompts, SIGNATURE, CARD)] == kept
    found = unanswerable(prompts, SIGNATURE, CARD)
    assert bool(found) == bool(words)
    assert re.search(words, found)


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

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

"""Prompts follow objects that are found, stay otherwise, and are replaced by newer ones."""

import pytest
from seg_ros.core.prompts import Prompt
from seg_ros.core.segmentation import Segment, Segmentation
from seg_ros.temporal.prompt_memory import PromptMemory

SIZE_HW = (60, 80)
CUP, PLATE = Prompt(3, (10, 10, 20, 20), 'cup'), Prompt(8, (30, 30, 40, 40))


def masks(*found):
    segments = tuple(Segment(number, 0, 0.9, xyxy, 1) for number, xyxy in found)
    return Segmentation(SIZE_HW, segments=segments)


def test_the_box_of_an_object_is_the_next_prompt_and_its_name_stays():
    memory = PromptMemory()
    memory.ask([CUP, PLATE])
    memory.update(memory.asked(SIZE_HW), masks((3, (12, 11, 22, 21))))
    assert memory.asked(SIZE_HW) == (Prompt(3, (12, 11, 22, 21), 'cup'), PLATE)


def test_what_was_asked_meanwhile_is_not_moved_by_an_older_image():
    memory = PromptMemory()
    memory.ask([CUP])
    before = memory.asked(SIZE_HW)
    elsewhere = Prompt(3, (50, 50, 60, 60))
    memory.ask([elsewhere])
    memory.update(before, masks((3, (12, 11, 22, 21))))
    assert memory.asked(SIZE_HW) == (elsewhere,)


def test_asking_for_nothing_forgets_all():
    memory = PromptMemory()
    memory.ask([CUP])
    memory.ask([])
    memory.update([CUP], masks((3, (12, 11, 22, 21))))
    assert memory.asked(SIZE_HW) == ()


def test_prompts_change_their_size_with_the_images_and_go_on_following():
    memory = PromptMemory()
    memory.ask([CUP, Prompt(8, (5, 6, 5, 6))])
    memory.update(memory.asked(SIZE_HW), masks((3, (12, 11, 22, 21))))
    assert [item.xyxy for item in memory.asked((120, 240))] == [(36, 22, 66, 42), (15, 12, 15, 12)]
    memory.update([CUP], masks((3, (1, 1, 2, 2))))      # a late image of the old size
    assert [item.xyxy for item in memory.asked(SIZE_HW)] == [(12, 11, 22, 21), (5, 6, 5, 6)]


def test_prompts_that_are_set_anew_are_those_of_the_next_image_whatever_its_size():
    memory = PromptMemory()
    memory.ask([CUP])
    memory.asked(SIZE_HW)
    memory.ask([CUP])
    assert memory.asked((120, 160)) == (CUP,)


@pytest.mark.parametrize('side', [9000, -9000])
def test_what_lies_too_far_outside_is_not_moved_farther(side):
    memory = PromptMemory()
    far = Prompt(4, (side, side, side + 1, side + 1))
    memory.ask([far])
    memory.asked(SIZE_HW)
    assert memory.asked((600, 800)) == (far,)

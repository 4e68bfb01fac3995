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

"""Prompts move with what was found, stay where nothing was, and are replaced by newer ones."""

from seg_ros.core.prompts import Prompt
from seg_ros.core.segmentation import Segment, Segmentation
from seg_ros.temporal.prompt_memory import PromptMemory

CUP, PLATE = Prompt(3, (10, 10, 20, 20), 'cup'), Prompt(8, (30, 30, 40, 40))


def masks(*found):
    segments = tuple(Segment(number, 0, 0.9, xyxy, 1) for number, xyxy in found)
    return Segmentation((60, 80), segments=segments)


def test_the_box_of_an_object_is_the_next_prompt_and_its_name_stays():
    memory = PromptMemory()
    memory.ask([CUP, PLATE])
    memory.update(memory.asked(), masks((3, (12, 11, 22, 21))))
    assert memory.asked() == (Prompt(3, (12, 11, 22, 21), 'cup'), PLATE)


def test_what_was_asked_meanwhile_is_not_moved_by_an_older_image():
    memory = PromptMemory()
    memory.ask([CUP])
    before = memory.asked()
    elsewhere = Prompt(3, (50, 50, 60, 60))
    memory.ask([elsewhere])
    memory.update(before, masks((3, (12, 11, 22, 21))))
    assert memory.asked() == (elsewhere,)


def test_asking_for_nothing_forgets_all():
    memory = PromptMemory()
    memory.ask([CUP])
    memory.forget()
    memory.update([CUP], masks((3, (12, 11, 22, 21))))
    assert memory.asked() == ()

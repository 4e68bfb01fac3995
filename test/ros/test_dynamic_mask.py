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

"""The dynamic mask of a camera covers people until they have left, and its share is reported."""

from depth_scene import CARD, PERSON, scene
import numpy as np
import pytest
from seg_ros.core.settings import LiveSettings, Settings
from seg_ros.ros.dynamic_mask import DynamicMask

S = 10 ** 9


def update(mask, segmentation, stamp_ns, metres=None):
    return mask.update(segmentation, CARD, stamp_ns, metres)


def empty(segmentation):
    segmentation.classes[segmentation.classes == PERSON] = 0
    return segmentation


@pytest.fixture
def mask():
    mask = DynamicMask(LiveSettings(Settings(static_dilate_px=0, static_hold_s=0.5)))
    mask.follow(True)
    return mask


def test_people_are_dynamic_and_their_share_of_the_image_is_known_while_somebody_asks(mask):
    _, segmentation, _ = scene()
    person = segmentation.classes == PERSON
    np.testing.assert_array_equal(update(mask, segmentation, S), person)
    assert mask.share == pytest.approx(person.mean())
    mask.follow(True)
    assert mask.share > 0
    mask.follow(False)
    assert (mask.wanted, mask.share) == (False, 0)


def test_without_depth_they_are_held_for_a_while_and_a_reset_ends_that(mask):
    _, segmentation, _ = scene()
    person = segmentation.classes == PERSON
    update(mask, segmentation, S)
    np.testing.assert_array_equal(update(mask, empty(segmentation), S + S // 4), person)
    assert not update(mask, segmentation, 2 * S).any()
    update(mask, scene()[1], 3 * S)
    mask.reset()
    assert not update(mask, segmentation, 3 * S + 1).any()


def test_depth_behind_them_clears_them_at_once(mask):
    metres, segmentation, _ = scene()
    person = segmentation.classes == PERSON
    update(mask, segmentation, S, np.where(metres > 0, metres, np.nan))
    behind = np.where(person, 9, metres).astype(np.float32)
    held = update(mask, empty(segmentation), S + 1, behind)
    assert held.sum() < 0.3 * person.sum()

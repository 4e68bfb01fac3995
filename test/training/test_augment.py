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

"""Samples moved, hidden and pasted: image and maps stay together."""

import cv2
import numpy as np
from seg_ros.training.augment import color_jitter, random_crop, random_erasing, tint_surface
from seg_ros.training.paste import Cutouts, paste
from seg_ros.training.sample import TrainingSample, VOID

FLOOR, OBJECT, ROBOT = 0, 1, 2
THINGS = np.array([False, True, False])
NONE = np.zeros(3, bool)


def box_on_floor(size_hw=(360, 480)):
    """Return a white box at the middle of a black floor."""
    height, width = size_hw
    inside = np.zeros(size_hw, np.uint8)
    inside[height // 3:2 * height // 3, width // 3:2 * width // 3] = 1
    rgb = np.repeat(inside[..., None] * np.uint8(255), 3, axis=2)
    return TrainingSample(rgb, inside * np.uint8(OBJECT), inside, NONE)


def windows(sample, count=40, size_hw=(224, 288)):
    for seed in range(count):
        yield random_crop(sample, size_hw, (288, 384), np.random.default_rng(seed))


def eroded(mask, side=9):
    return cv2.erode(mask.astype(np.uint8), np.ones((side, side)), borderValue=0) > 0


def test_a_window_keeps_image_and_maps_together():
    for sample in windows(box_on_floor()):
        assert sample.rgb.shape == (224, 288, 3)
        inside = eroded(sample.instances > 0)
        floor = eroded(sample.classes == FLOOR)
        assert (sample.rgb[inside] > 200).all()
        assert (sample.rgb[floor] < 55).all()
        assert ((sample.instances > 0) == (sample.classes == OBJECT)).all()


def test_nothing_is_known_beside_the_image():
    beside = 0
    for sample in windows(box_on_floor()):
        void = sample.classes == VOID
        inner = eroded(void, 5)
        assert (np.abs(sample.rgb[inner].astype(int) - 114) <= 2).all()
        assert not sample.instances[void].any()
        beside += void.mean() > 0.05
    assert 8 < beside < 40


def test_scales_reach_from_a_third_to_twice():
    areas = [(sample.instances > 0).sum() for sample in windows(box_on_floor(), 300, (288, 384))]
    whole = 288 * 384 / 9
    assert min(areas) < 0.2 * whole
    assert max(areas) > 2 * whole


def test_colours_change_and_shapes_do_not():
    rgb = np.rint(box_on_floor().rgb * np.array([0.8, 0.6, 0.4])).astype(np.uint8)
    changed = 0
    for seed in range(30):
        other = color_jitter(rgb, np.random.default_rng(seed))
        assert other.shape == rgb.shape
        changed += not np.array_equal(other, rgb)
        assert other[150:210, 200:280].mean() > other[:60].mean() + 30
    assert changed > 20


def test_a_surface_is_tinted_and_what_lies_on_it_is_not():
    box = box_on_floor()
    sample = box._replace(rgb=np.where(box.rgb > 0, box.rgb, 160).astype(np.uint8))
    for seed in range(10):
        rgb = tint_surface(sample, THINGS, np.random.default_rng(seed)).rgb.astype(int)
        assert np.abs(rgb[:100] - 160).max() > 5
        assert (rgb[130:230, 170:310] == 255).all()


def test_what_is_hidden_is_not_asked_for():
    sample = box_on_floor()
    hidden = random_erasing(sample, np.random.default_rng(1))
    differs = (hidden.rgb != sample.rgb).any(axis=2)
    assert differs.any()
    assert (hidden.classes[differs] == VOID).all()
    assert (sample.classes != VOID).all()


def test_a_thing_that_is_pasted_hides_what_lies_behind_it():
    floor = TrainingSample(
        np.full((96, 128, 3), 100, np.uint8), *np.zeros((2, 96, 128), np.uint8), NONE
    )
    cutouts = Cutouts([([box_on_floor((96, 128))], [OBJECT])], THINGS)
    assert len(cutouts) == 1
    for seed in range(20):
        pasted = paste(floor, cutouts, np.random.default_rng(seed))
        inner = eroded(pasted.instances > 0, 5)
        assert ((pasted.instances > 0) == (pasted.classes == OBJECT)).all()
        assert (pasted.rgb[inner] > 130).all()
        untouched = cv2.dilate((pasted.instances > 0).astype(np.uint8), np.ones((5, 5))) == 0
        assert (pasted.rgb[untouched] == 100).all()
        assert 1 <= len(np.unique(pasted.instances)) - 1 <= 3
    assert not floor.instances.any()


def test_a_thing_cut_by_the_border_is_pasted_at_that_border():
    left = box_on_floor((96, 128))
    left = TrainingSample(*(np.roll(array, -(128 // 3), axis=1) for array in left[:3]), NONE)
    floor = TrainingSample(
        np.full((96, 128, 3), 100, np.uint8), *np.zeros((2, 96, 128), np.uint8), NONE
    )
    cutouts = Cutouts([([left], [OBJECT])], THINGS)
    for seed in range(20):
        instances = paste(floor, cutouts, np.random.default_rng(seed)).instances
        # What was pasted first may be hidden in part by what was pasted last.
        columns = np.flatnonzero((instances == instances.max()).any(axis=0))
        assert columns[0] == 0 or columns[-1] == 127


def test_stuff_is_pasted_without_a_number_and_other_classes_are_not_cut_out():
    sample = box_on_floor((96, 128))
    robot = TrainingSample(
        sample.rgb, sample.classes * np.uint8(ROBOT), sample.instances * 0, NONE
    )
    cutouts = Cutouts([([robot, sample], [ROBOT])], THINGS)
    assert len(cutouts) == 1
    pasted = paste(sample, cutouts, np.random.default_rng(0))
    assert (pasted.classes == ROBOT).any()
    assert not pasted.instances[pasted.classes == ROBOT].any()

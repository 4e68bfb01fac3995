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

"""What is black and white of 16-bit samples is found as each kind of sensor has them."""

import numpy as np
import pytest
from seg_ros.core.errors import SettingError
from seg_ros.image.brightness_range import BrightnessRange, LEARNING_FRAMES

SCENE = np.random.default_rng(7).integers(0, 256, (60, 80)).astype(np.uint16)


def centikelvin(scene, low=29315, high=31815):
    return (low + scene / 255 * (high - low)).astype(np.uint16)


@pytest.mark.parametrize(('bits', 'white'), [
    (8, 255), (9, 1023), (10, 1023), (11, 4095), (12, 4095), (13, 16383), (14, 16383),
    (15, 65535), (16, 65535),
])
def test_the_smallest_usual_depth_that_holds_all_samples_is_white(bits, white):
    samples = (SCENE << 8) >> (16 - bits)
    assert BrightnessRange().limits(samples) == (0, white)


def test_a_brighter_frame_widens_the_range_at_once_and_a_darker_one_leaves_it():
    brightness = BrightnessRange()
    assert brightness.limits(SCENE) == (0, 255)
    assert brightness.limits(SCENE * 2) == (0, 1023)
    assert brightness.limits(SCENE) == (0, 1023)


def test_another_pixel_format_is_noticed_at_once():
    brightness = BrightnessRange()
    for samples, limits in (
        (SCENE * 257, (0, 65535)), (SCENE << 6, (0, 16383)), (SCENE << 4, (0, 4095)),
        (SCENE << 2, (0, 1023)), (SCENE << 8, (0, 65535)),
    ):
        assert brightness.limits(samples) == brightness.limits(samples) == limits
    assert brightness.limits(centikelvin(SCENE))[0] == 0        # brighter, but no jump
    assert brightness.limits(SCENE)[0] == 0
    assert brightness.limits(centikelvin(SCENE))[0] > 28000


def test_a_range_is_reported_once_and_another_one_not_at_every_frame():
    words = []
    brightness = BrightnessRange(report=words.append)
    for samples in (SCENE << 4, SCENE << 4, SCENE, SCENE << 4):
        brightness.limits(samples)
    assert len(words) == 1
    assert '12 bits' in words[0]


def test_another_range_is_reported_after_a_while_and_the_same_one_never_again(monkeypatch):
    now_s, words = [100.0], []
    monkeypatch.setattr('seg_ros.image.brightness_range.monotonic', lambda: now_s[0])
    brightness = BrightnessRange(report=words.append)
    for after_s, samples, count in (
        (0, SCENE << 4, 1), (20, SCENE << 4, 1), (1, SCENE, 2), (9, SCENE << 8, 2),
        (2, SCENE << 8, 3),
    ):
        now_s[0] += after_s
        brightness.limits(samples)
        assert len(words) == count
    assert ['12 bits' in words[0], '8 bits' in words[1], '16 bits' in words[2]] == [True] * 3


def test_temperatures_span_from_black_to_white():
    low, high = BrightnessRange().limits(centikelvin(SCENE))
    assert 29315 - 300 < low <= 29315
    assert 31815 <= high < 31815 + 300


def test_a_hotter_object_widens_the_range_of_temperatures():
    brightness = BrightnessRange()
    brightness.limits(centikelvin(SCENE))
    low, high = brightness.limits(centikelvin(SCENE, 29315, 37315))
    assert 29315 - 500 < low <= 29315
    assert 37315 <= high < 37315 + 500


def test_dead_pixels_do_not_stretch_the_range_of_temperatures():
    samples = centikelvin(SCENE)
    samples[3, 4], samples[20, 30] = 0, 65535
    low, high = BrightnessRange().limits(samples)
    assert low > 28000
    assert high < 33000


@pytest.mark.parametrize('glitch', [np.zeros_like(SCENE), SCENE << 8])
def test_one_odd_frame_does_not_decide_what_the_camera_is(glitch):
    brightness = BrightnessRange()
    for samples in (glitch, centikelvin(SCENE), centikelvin(SCENE), glitch):
        brightness.limits(samples)
    assert brightness.limits(centikelvin(SCENE))[0] > 28000


def test_a_camera_that_began_before_a_wall_gets_the_range_of_brightness_back():
    brightness = BrightnessRange()
    wall = (3000 + SCENE).astype(np.uint16)
    assert brightness.limits(wall)[0] > 0
    for _ in range(2 * LEARNING_FRAMES):
        brightness.limits(SCENE << 4)
    assert brightness.limits(SCENE << 4) == (0, 4095)


def test_a_range_of_temperatures_outlasts_all_but_many_broad_frames_in_a_row():
    brightness = BrightnessRange()
    wall, broad = (3000 + SCENE).astype(np.uint16), SCENE * 24
    for _ in range(LEARNING_FRAMES):
        brightness.limits(wall)
    for _ in range(2):
        for _ in range(LEARNING_FRAMES - 1):
            assert brightness.limits(broad)[0] > 0
        assert brightness.limits(wall)[0] > 0
    for _ in range(LEARNING_FRAMES):
        brightness.limits(broad)
    assert brightness.limits(broad) == (0, 16383)


def test_frames_without_light_teach_nothing():
    words = []
    brightness = BrightnessRange(report=words.append)
    for _ in range(3 * LEARNING_FRAMES):
        brightness.limits(np.zeros_like(SCENE))
    assert brightness.limits(centikelvin(SCENE))[0] > 28000


@pytest.mark.parametrize(('setting', 'limits'), [
    ('full', (0, 65535)), ('0..65535', (0, 65535)), ('0..4095', (0, 4095)),
    ('29315..31815', (29315, 31815)),
])
def test_a_range_that_was_given_stays(setting, limits):
    words = []
    brightness = BrightnessRange(setting, words.append)
    assert brightness.limits(SCENE) == brightness.limits(SCENE << 8) == limits
    assert words == []


@pytest.mark.parametrize('setting', ['', 'Auto', '4095', '4095..0', '7..7', '0..65536', '-1..9'])
def test_a_range_that_cannot_be_is_refused(setting):
    with pytest.raises(SettingError, match='brightness_range'):
        BrightnessRange(setting)

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

"""Every parameter says what it means and refuses what it cannot use."""

from dataclasses import fields

import pytest
from seg_ros.core.errors import SettingError
from seg_ros.core.settings import CONFIGURE, LIVE, Settings, UNCONFIGURED

NAMES = {
    'model', 'engine', 'device', 'threads', 'inference_precision', 'workers', 'max_batch',
    'cameras', 'image_transport', 'brightness_range', 'input_reliability', 'score_threshold',
    'mask_threshold', 'min_confidence', 'classes', 'upsample', 'output_scale', 'max_age_ms',
    'max_rate_hz', 'tracking', 'smoothing', 'watchdog_s', 'overlay_alpha', 'rectified', 'lazy',
    'source_size', 'depth', 'depth_tolerance_ms', 'max_depth_m', 'cloud_stride',
    'edge_erosion_px', 'static_hold_s', 'static_dilate_px', 'ground', 'base_frame',
    'camera_height_m', 'camera_pitch_deg', 'target', 'prompts',
    'workspace_mib', 'optimization_level', 'dla_core', 'hardware_compatibility', 'cache_dir',
}
ITEMS = {item.name: item for item in fields(Settings)}
RANGED = [name for name, item in ITEMS.items() if item.metadata['low'] is not None]
CHOSEN = [name for name, item in ITEMS.items() if item.metadata['choices']]


def test_the_parameters_are_those_that_are_documented():
    assert set(ITEMS) == NAMES


@pytest.mark.parametrize('name', ITEMS)
def test_every_parameter_says_what_it_means_and_when_it_acts(name):
    facts = ITEMS[name].metadata
    assert len(facts['meaning'].split()) > 3
    assert facts['meaning'].endswith('.')
    assert facts['when'] in (LIVE, CONFIGURE, UNCONFIGURED)
    assert not (facts['choices'] and facts['low'] is not None)
    assert (facts['low'] is None) == (facts['high'] is None)


@pytest.mark.parametrize('name', [
    'model', 'score_threshold', 'mask_threshold', 'min_confidence', 'classes', 'max_rate_hz',
    'prompts', 'overlay_alpha', 'tracking', 'smoothing',
])
def test_what_may_change_while_it_runs_is_live(name):
    assert ITEMS[name].metadata['when'] == LIVE


@pytest.mark.parametrize('name', ['cameras', 'engine', 'cache_dir'])
def test_what_may_change_only_while_unconfigured_says_so(name):
    assert ITEMS[name].metadata['when'] == UNCONFIGURED


@pytest.mark.parametrize('name', RANGED)
def test_both_ends_of_a_range_are_taken_and_nothing_beyond(name):
    low, high = ITEMS[name].metadata['low'], ITEMS[name].metadata['high']
    for value in (low, high):
        assert getattr(Settings(**{name: value}), name) == value
    for value in (low - 1, high + 1):
        with pytest.raises(SettingError, match=f'^{name}: .*; expected {low} to {high}$'):
            Settings(**{name: value})


@pytest.mark.parametrize('name', CHOSEN)
def test_every_choice_is_taken_and_no_other_word(name):
    for value in ITEMS[name].metadata['choices']:
        assert getattr(Settings(**{name: value}), name) == value
    for value in ('Auto', '', None, 3):
        with pytest.raises(SettingError, match=f'^{name}: .*; expected one of'):
            Settings(**{name: value})


@pytest.mark.parametrize(('name', 'value', 'expected'), [
    ('score_threshold', float('nan'), '-1.0 to 1.0'),
    ('score_threshold', '0.5', 'a number'),
    ('score_threshold', True, 'a number'),
    ('threads', 2.0, 'a whole number'),
    ('threads', True, 'a whole number'),
    ('threads', None, 'a whole number'),
    ('lazy', 'no', 'true or false'),
    ('lazy', 0, 'true or false'),
    ('model', 7, 'text'),
    ('cameras', None, 'a list of names'),
    ('cameras', ('left', 3), 'a list of names'),
    ('classes', 'car', 'a list of names'),
])
def test_a_value_of_another_type_is_refused(name, value, expected):
    with pytest.raises(SettingError, match=f'^{name}: .*; expected {expected}$'):
        Settings(**{name: value})


@pytest.mark.parametrize(('cameras', 'expected'), [
    ((), 'different names'), (('left', 'left'), 'different names'), (('',), 'a ROS name'),
    (('1st',), 'a ROS name'), (('left', 'front/left'), 'a ROS name'),
    (('left', 'engine'), 'another name'),
])
def test_cameras_need_names_that_topics_and_diagnostics_can_have(cameras, expected):
    with pytest.raises(SettingError, match=f'^cameras: .*; expected {expected}'):
        Settings(cameras=cameras)
    assert Settings(cameras=('left', 'Right_2')).cameras == ('left', 'Right_2')


def test_a_whole_number_is_a_number():
    assert Settings(max_rate_hz=30).max_rate_hz == 30


@pytest.mark.parametrize('words', [
    '1280', '1280x', '0x720', '1280 x 720', '1280X720', '-1x5', '9' * 5000 + 'x1',
])
def test_an_image_size_is_width_times_height(words):
    assert Settings(source_size='1280x720').source_hw == (720, 1280)
    assert Settings().source_hw is None
    with pytest.raises(SettingError, match='WIDTHxHEIGHT'):
        Settings(source_size=words)

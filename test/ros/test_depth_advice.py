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

"""What is reported of depth and its outputs names the right cause."""

from dataclasses import replace

from depth_scene import CARD, depth_view, MOUNTED
import numpy as np
import pytest
from seg_ros.core.card import ClassInfo
from seg_ros.core.settings import Settings
from seg_ros.ros.depth_advice import why_empty, why_unpaired


@pytest.mark.parametrize(('offset_ms', 'words', 'culprit'), [
    (-83.0, 'no depth within 50 ms of the image: offset -83 ms', 'synchronise'),
    (-1000.0, 'offset -1000 ms', 'or depth comes more than 1 s after the masks'),
    (700.0, 'offset 700 ms', 'or masks take longer than the 2 s for which depth is kept'),
    (-900_000.0, 'offset -900 s', 'their clocks differ'),
])
def test_words_name_what_was_seen_and_where_to_look(offset_ms, words, culprit):
    said = why_unpaired(offset_ms, 50.0)
    assert words in said
    assert culprit in said


@pytest.mark.parametrize(('settings', 'transform_of', 'words'), [
    (Settings(camera_pitch_deg=-20.0), None,
     'the floor found is 60 degrees off level, 46 are allowed, by camera_pitch_deg (-20): set '
     'camera_pitch_deg, or provide TF to base_link'),
    (Settings(), lambda header: MOUNTED @ np.diag([1.0, -1, -1, 1]),
     'the floor found is 180 degrees off level, 46 are allowed, by TF: see that the camera is '
     'mounted in base_link as TF says'),
])
def test_a_floor_that_is_not_level_is_not_mistaken_for_too_little_of_it(
    settings, transform_of, words
):
    view = depth_view(settings, transform_of=transform_of)
    assert why_empty(view, {'scan'}, '') == f'no scan, as no ground is found: {words}'


@pytest.mark.parametrize(('high_m', 'words'), [
    (0.0, ''), (0.05, ''), (0.11, '0.11 m below z = 0 of base_link'),
    (-0.2, '0.20 m above z = 0 of base_link'),
])
def test_a_base_frame_off_the_floor_is_reported_where_it_counts_as_the_ground(high_m, words):
    base = MOUNTED.copy()
    base[2, 3] -= high_m
    view = depth_view(Settings(ground='tf'), transform_of=lambda header: base)
    found = why_empty(view, {'free_space'}, '')
    assert words in found
    assert bool(words) == ('base_footprint' in found)
    assert why_empty(view, set(), '') == ''
    assert why_empty(
        depth_view(transform_of=lambda header: base), {'free_space'}, ''
    ) == ''


def test_a_mask_whose_ids_exceed_the_bytes_that_nav2_reads_is_reported():
    view = depth_view()
    card = replace(CARD, classes=(ClassInfo(300, 'floor', (9, 9, 9)),))
    large = replace(view.image_view, card=card)
    assert why_empty(replace(view, image_view=large), {'points'}, '') == ''
    words = why_empty(replace(view, image_view=large), {'nav2/mask'}, '')
    assert 'no nav2/mask' in words
    assert 'ids above 254' in words
    assert why_empty(view, {'nav2/mask'}, '') == ''

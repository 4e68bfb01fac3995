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

"""The recording that ships plays forth and back and agrees with its own truth."""

import json
import shutil

import numpy as np
import pytest
from seg_ros.core.errors import ImageError
from seg_ros.sim.classes import OBJECT, ROBOT
from seg_ros.sim.playback import Playback, RATE_HZ, SEQUENCE


def test_every_segment_of_the_table_is_in_the_maps():
    playback = Playback()
    table = json.loads((SEQUENCE / 'panoptic.json').read_text(encoding='utf-8'))
    assert len(table['annotations']) == len(playback) >= 40
    _, truth = playback.render()
    truth.verify()
    for info in table['annotations'][0]['segments_info']:
        is_thing = info['category_id'] == OBJECT
        mask = truth.instances == info['id'] if is_thing else truth.classes == info['category_id']
        rows, columns = np.nonzero(mask)
        assert len(rows) == info['area']
        extent = columns.min(), rows.min(), np.ptp(columns) + 1, np.ptp(rows) + 1
        assert extent == tuple(info['bbox'])
    assert {OBJECT, ROBOT} <= set(np.unique(truth.classes).tolist())


def test_it_plays_forth_and_back_and_begins_anew():
    playback, seen = Playback(), []
    for _ in range(3 * len(playback)):
        seen.append(playback.render()[0])
        playback.advance(1 / RATE_HZ + 1e-6)
    last = len(playback) - 1
    assert len(set(map(id, seen[:last + 1]))) == len(playback)
    assert seen[last:2 * last + 1] == seen[last::-1]
    assert seen[2 * last:3 * last] == seen[:last]


def test_a_recording_with_a_missing_image_is_refused(tmp_path):
    folder = tmp_path / 'sequence'
    shutil.copytree(SEQUENCE, folder)
    next((folder / 'images').iterdir()).unlink()
    with pytest.raises(ImageError, match='no image or no mask'):
        Playback(folder)
    with pytest.raises(ImageError, match='cannot be played'):
        Playback(tmp_path)

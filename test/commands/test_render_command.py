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

"""`seg_ros render`: files that agree with each other."""

import argparse
from importlib.util import find_spec
import json
import sys

import cv2
import numpy as np
import pytest
from seg_ros.cli import main
from seg_ros.commands import render

needs_pybullet = pytest.mark.skipif(
    find_spec('pybullet') is None, reason='simulated worlds need PyBullet, the extra [sim]'
)


def options(*words):
    parser = argparse.ArgumentParser()
    render.add_arguments(parser)
    return parser.parse_args(words)


@needs_pybullet
def test_images_masks_and_table_agree(tmp_path, capsys):
    words = '--seed', '3', '--count', '3', '--size', '96', '128', '--depth', '--workers', '1'
    assert render.run(options(*words, '-o', str(tmp_path), '--json')) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])['images'] == 3
    table = json.loads((tmp_path / 'panoptic.json').read_text())
    things = {item['id'] for item in table['categories'] if item['isthing']}
    assert len(table['images']) == 3
    for image, annotation in zip(table['images'], table['annotations'], strict=True):
        assert cv2.imread(str(tmp_path / 'images' / image['file_name'])).shape == (96, 128, 3)
        blue = cv2.imread(str(tmp_path / 'panoptic' / annotation['file_name'])).astype(int)
        ids = blue[..., 2] + 256 * blue[..., 1] + 65536 * blue[..., 0]
        rows = annotation['segments_info']
        assert {row['id']: row['area'] for row in rows} == {
            number: int((ids == number).sum()) for number in np.unique(ids[ids > 0]).tolist()
        }
        for row in rows:
            assert (row['id'] < 65536) == (row['category_id'] in things)
        depth = cv2.imread(str(tmp_path / 'depth' / annotation['file_name']), -1)
        assert depth.dtype == np.uint16
        assert depth.shape == ids.shape


@needs_pybullet
def test_a_recording_of_a_heap_can_be_played(tmp_path):
    from seg_ros.sim.playback import Playback

    words = '--seed', '5', '--count', '2', '--size', '96', '128', '--orbit'
    assert render.run(options(*words, '-o', str(tmp_path))) == 0
    playback = Playback(tmp_path)
    assert len(playback) == 2
    rendered, truth = playback.render()
    truth.verify()
    assert rendered.rgb.shape == (96, 128, 3)
    assert truth.segments


@needs_pybullet
def test_a_size_at_which_nothing_shows_is_refused(tmp_path, capsys):
    words = ['--size', '1', '1', '--count', '1', '--workers', '1', '-o', str(tmp_path / 'out')]
    assert main(['render', *words]) == 1
    assert '--size 1 1, at which no view shows anything' in capsys.readouterr().err


@pytest.mark.parametrize('form', [[], ['--orbit']])
def test_without_pybullet_rendering_names_the_extra(form, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, 'seg_ros.sim.dataset', None)
    assert main(['render', '-o', str(tmp_path / 'out'), *form]) == 1
    assert 'expected PyBullet; pip install "seg_ros[sim]"' in capsys.readouterr().err
    assert not (tmp_path / 'out').exists()

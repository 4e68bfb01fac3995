"""The recording that ships plays forth and back and agrees with its own truth."""

import json
import shutil

import numpy as np
import pytest
from seg_ros.core.errors import ImageError
from seg_ros.quality.scores import LiveScores
from seg_ros.sim.classes import CARD, OBJECT, ROBOT
from seg_ros.sim.playback import Playback, RATE_HZ, SEQUENCE


@pytest.fixture(scope='module')
def playback():
    return Playback()


def test_every_segment_of_the_table_is_in_the_maps(playback):
    table = json.loads((SEQUENCE / 'panoptic.json').read_text(encoding='utf-8'))
    assert len(table['annotations']) == len(playback) >= 40
    _, truth = Playback().shoot()
    for info in table['annotations'][0]['segments_info']:
        is_thing = info['category_id'] == OBJECT
        mask = truth.instances == info['id'] if is_thing else truth.classes == info['category_id']
        assert mask.sum() == info['area']
    assert {OBJECT, ROBOT} <= set(np.unique(truth.classes).tolist())


def test_it_plays_forth_and_back_without_a_jump():
    playback = Playback()
    numbers = {id(playback._shots[index]): index for index in range(len(playback))}
    seen = []
    for _ in range(3 * len(playback)):
        seen.append(numbers[id(playback.shoot())])
        playback.advance(1 / RATE_HZ + 1e-6)
    assert max(seen) == len(playback) - 1
    assert seen[0] == 0
    assert set(np.abs(np.diff(seen)).tolist()) <= {0, 1}


def test_the_truth_scores_one_against_itself(playback):
    scores = LiveScores(CARD)
    _, truth = playback.shoot()
    scores.add(truth, truth)
    assert scores.figures()['miou'] == scores.figures()['pq'] == 1


def test_a_recording_with_a_missing_picture_is_refused(tmp_path):
    folder = tmp_path / 'sequence'
    shutil.copytree(SEQUENCE, folder)
    next((folder / 'images').iterdir()).unlink()
    with pytest.raises(ImageError, match='no picture or no mask'):
        Playback(folder)
    with pytest.raises(ImageError, match='cannot be played'):
        Playback(tmp_path)

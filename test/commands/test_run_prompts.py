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

"""`seg_ros run --prompts`: one object of each image, or one that is followed through a video."""

import cv2
from fakes.promptable_network import image_of, saved_promptable
import numpy as np
import pytest
from seg_ros.cli import main

START = (10, 10, 20, 20)


@pytest.fixture(scope='module')
def model(tmp_path_factory):
    return str(saved_promptable(tmp_path_factory.mktemp('promptable')))


def run(model, folder, *inputs, prompts='10 10 20 20'):
    return main([
        'run', *map(str, inputs), '--model', model, '--engine', 'onnxruntime', '--out',
        str(folder), '--prompts', prompts,
    ])


def boxes(folder):
    """Return the box of the segment 1 in each instance map, by the order of names."""
    maps = [cv2.imread(str(file), -1) for file in sorted((folder / 'instance').glob('*.png'))]
    return [cv2.boundingRect((each == 1).astype(np.uint8)) for each in maps]


def test_images_are_each_asked_for_the_same_place(model, tmp_path):
    folder = tmp_path / 'images'
    folder.mkdir()
    for number, box in enumerate([START, (15, 10, 25, 20), (45, 10, 55, 20), START]):
        cv2.imwrite(str(folder / f'{number}.png'), image_of(box))
    assert run(model, tmp_path / 'out', folder) == 0
    assert boxes(tmp_path / 'out') == [
        (10, 10, 10, 10), (15, 10, 10, 10), (0, 0, 0, 0), (10, 10, 10, 10),
    ]


def test_an_object_is_followed_through_a_video(model, tmp_path):
    path = tmp_path / 'moving.avi'
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'MJPG'), 10, (64, 48))
    if not writer.isOpened():
        pytest.skip('this OpenCV writes no videos')
    for step in range(8):
        writer.write(image_of((10 + 5 * step, 10, 20 + 5 * step, 20)))
    writer.release()
    assert run(model, tmp_path / 'out', path) == 0
    lefts = [x for x, *_ in boxes(tmp_path / 'out')]
    np.testing.assert_allclose(lefts, 10 + 5 * np.arange(8), atol=2)


@pytest.mark.parametrize(('prompts', 'words'), [
    ('cup', 'expected [NAME] X0 Y0 X1 Y1'),
    ('plate 1 2 3 4', 'no class plate'),
    ('1 1,2 2,3 3,4 4,5 5', 'more than 4'), ('', "such as --prompts '40 60 200 180'"),
])
def test_prompts_that_get_no_answer_end_the_command_with_a_line(
    prompts, words, model, tmp_path, capsys
):
    cv2.imwrite(str(tmp_path / 'image.png'), image_of(START))
    assert run(model, tmp_path / 'out', tmp_path / 'image.png', prompts=prompts) != 0
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert words in line


def test_prompts_outside_of_an_image_are_reported(model, tmp_path, capsys):
    cv2.imwrite(str(tmp_path / 'image.png'), image_of(START))
    assert run(model, tmp_path / 'out', tmp_path / 'image.png', prompts='90 90,9 9 20 20') == 0
    assert 'image.png: prompts: prompt 1 lies outside' in capsys.readouterr().err


def test_scoring_a_model_that_needs_prompts_is_refused(model, tmp_path, capsys):
    assert main(['eval', model, '--data', str(tmp_path)]) != 0
    assert ', a promptable model; ' in capsys.readouterr().err

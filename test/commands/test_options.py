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

import argparse
from dataclasses import fields, replace
import sys

import cv2
from fakes.rerun import FakeBlueprint, FakeRerun
import numpy as np
import pytest
from seg_ros.cli import main
from seg_ros.commands.options import add_settings, settings_from_args
from seg_ros.core.errors import SettingError
from seg_ros.core.settings import Settings

NAMES = ('model', 'engine', 'threads', 'score_threshold', 'classes', 'overlay_alpha')


def parser():
    made = argparse.ArgumentParser('test', allow_abbrev=False)
    add_settings(made, NAMES)
    return made


def settings(*words):
    return settings_from_args(parser().parse_args(words), NAMES)


def test_without_options_the_settings_are_their_defaults():
    assert settings() == Settings()


def test_options_become_settings_of_the_same_name():
    assert settings(
        '--engine', 'openvino', '--threads', '2', '--score-threshold', '0.4',
        '--classes', 'traffic light,car', '--overlay-alpha', '1',
    ) == replace(
        Settings(), engine='openvino', threads=2, score_threshold=0.4,
        classes=('traffic light', 'car'), overlay_alpha=1.0,
    )


def test_names_may_come_one_by_one_and_hold_commas():
    assert settings('--classes', 'car', '--classes', 'bus,van').classes == ('car', 'bus', 'van')
    assert settings('--classes', r'cup\, mug,car').classes == ('cup, mug', 'car')
    assert settings('--classes', '').classes == ('',)


def test_the_help_of_an_option_is_what_its_setting_means():
    text = ' '.join(parser().format_help().split())
    for item in fields(Settings):
        assert (item.metadata['meaning'] in text) == (item.name in NAMES)


@pytest.mark.parametrize('words', [
    ('--engine', 'magic'), ('--threads', 'two'), ('--overlay-alpha',), ('--score', '0.5'),
])
def test_words_that_do_not_fit_are_refused_by_argparse(words):
    with pytest.raises(SystemExit, match='2'):
        settings(*words)


def test_a_value_out_of_its_range_is_refused_by_the_settings():
    with pytest.raises(SettingError, match='overlay_alpha'):
        settings('--overlay-alpha', '1.5')


def test_a_model_may_lie_relative_to_the_working_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'plain').write_text('a file without a suffix')
    assert settings('--model', 'm.onnx').model == str(tmp_path / 'm.onnx')
    assert settings('--model', 'plain').model == str(tmp_path / 'plain')


@pytest.mark.parametrize('model', [
    'default', 'otsu', '/models/m.onnx', 'package://robot/models/m.onnx',
])
def test_other_models_are_passed_on_as_they_are(model):
    assert settings('--model', model).model == model


def test_a_model_in_the_home_folder_is_found(monkeypatch):
    monkeypatch.setenv('HOME', '/home/robot')
    assert settings('--model', '~/m.onnx').model == '/home/robot/m.onnx'


@pytest.mark.parametrize(('words', 'seen'), [
    ('run {image} --out {out} --topic /camera', '--topic without a recording'),
    ('run {folder} --out {out} --tracking', '--tracking with single images'),
    ('run {folder} --out {out} --smoothing 0.5', '--smoothing with single images'),
    ('view --model otsu --topic /camera', '--topic, --model without files'),
    ('view {image} --node /other', '--node with files'),
    ('eval otsu --data {data} --list test', '--list without'),
    ('eval otsu --data {data} --rows 3 --show random', '--show, --rows without --out'),
    ('eval otsu --data {data} --table {image}x', '--table without'),
    ('eval otsu --data {data} --masks {folder}', '--masks without'),
    ('eval otsu --data {indexed} --images {folder}', '--images with'),
    ('eval otsu --data {panoptic} --labels {folder}', '--labels with'),
    ('compile {image} -o {out} --keep a --force', '--keep, --force with fp32'),
    ('build --list --max-batch 2', '--max-batch with --list or --prune'),
    ('build otsu --for sm86 -o {out} --device cuda:1', '--device with --for'),
    ('render --orbit --scene bin -o {out}', '--scene with --orbit'),
    ('export --table {folder} --size 64 64', '--size with --table'),
    ('demo --live --frames 3', '--frames with --live'),
])
def test_an_option_that_nothing_would_read_is_refused(words, seen, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, 'rerun', FakeRerun())
    monkeypatch.setitem(sys.modules, 'rerun.blueprint', FakeBlueprint())
    places = {name: tmp_path / name for name in ('folder', 'data', 'indexed', 'panoptic', 'out')}
    for folder in ('folder', 'data/labels', 'data/images', 'indexed', 'panoptic'):
        (tmp_path / folder).mkdir(parents=True)
    image = places['folder'] / 'a.png'
    cv2.imwrite(str(image), np.zeros((20, 30, 3), np.uint8))
    (places['indexed'] / 'index.json').write_text('[]')
    (places['panoptic'] / 'panoptic.json').write_text('{}')
    assert main(words.format(image=image, **places).split()) != 0
    assert f': {seen}' in capsys.readouterr().err
    assert not places['out'].exists()

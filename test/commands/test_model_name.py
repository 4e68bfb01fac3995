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

"""Commands that work on a model's file find it by every name that the node's parameter takes."""

import json

import cv2
import numpy as np
import pytest
from seg_ros.cli import main
from seg_ros.commands.model_name import path_from_name
from seg_ros.core.errors import SettingError
from seg_ros.engines.model_path import DEFAULT_NETWORK


def test_default_is_the_network_of_the_package_and_a_path_stays_as_it_is(tmp_path, monkeypatch):
    assert path_from_name('default') == DEFAULT_NETWORK
    assert str(path_from_name('models/m.onnx')) == 'models/m.onnx'
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'default').touch()
    assert str(path_from_name('default')) == 'default'


def test_a_classical_method_is_refused_as_what_it_is():
    with pytest.raises(SettingError, match='otsu, a classical method, which has no file'):
        path_from_name('otsu')


def test_the_default_model_is_inspected(capsys):
    assert main(['inspect', 'default', '--json']) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures['file'] == str(DEFAULT_NETWORK)
    assert figures['kind'] == 'compiled model'


@pytest.mark.parametrize('words', [
    'inspect otsu', 'selftest otsu', 'build otsu', 'bench engine --model default watershed',
    'bench stages --model kmeans',
])
def test_no_command_takes_a_method_for_a_missing_file(words, capsys):
    assert main(words.split()) == 1
    assert 'a classical method, which has no file' in capsys.readouterr().err


@pytest.mark.parametrize(('words', 'said'), [
    ('bench depth --model default', '--model with depth; expected it with engine, stages, loops'),
    ('bench node --rounds 5', '--rounds with node; expected it with engine'),
    ('bench loops --model default default', '2 models with loops; expected one'),
])
def test_a_bench_refuses_options_that_it_does_not_read(words, said, capsys):
    assert main(words.split()) == 1
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(('words', 'meant'), [
    ('eval deault --data .', 'default'), ('run {} --out {}/out --model otso', 'otsu'),
    ('eval nosuch --data .', ''),
])
def test_a_mistyped_name_is_answered_with_the_names_that_there_are(words, meant, tmp_path, capsys):
    image = tmp_path / 'a.png'
    cv2.imwrite(str(image), np.zeros((20, 30, 3), np.uint8))
    assert main(words.format(image, tmp_path).split()) == 1
    said = capsys.readouterr().err
    assert 'no model is called' in said
    assert 'expected default, a classical method (otsu, adaptive, edges' in said
    assert "or a file's path" in said
    assert said.endswith(f'did you mean {meant}?\n' if meant else 'package://PKG/PATH\n')


@pytest.mark.parametrize('words', [
    'inspect deault', 'build deault', 'bench engine --model deault',
])
def test_where_a_file_is_needed_a_mistyped_name_is_answered_too(words, capsys):
    assert main(words.split()) == 1
    assert capsys.readouterr().err.endswith(
        'deault is neither default nor a file here; expected a model file or default; did '
        'you mean default?\n'
    )

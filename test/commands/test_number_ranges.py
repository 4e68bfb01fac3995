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

"""Every number among the options of every command has a range, which refuses what cannot be."""

import argparse
from dataclasses import fields
from importlib import import_module
from itertools import chain

import pytest
from seg_ros.cli import COMMANDS, main
from seg_ros.compile.export_options import limits
from seg_ros.core.settings import Settings

# Their dataclasses know the ranges.
CHECKED = {item.name for item in chain(fields(Settings), limits())}


@pytest.mark.parametrize('name', COMMANDS)
def test_no_option_is_any_number(name):
    parser = argparse.ArgumentParser()
    import_module(f'seg_ros.commands.{name}').add_arguments(parser)
    free = [
        action.dest for action in parser._actions
        if action.type in (int, float) and action.dest not in CHECKED
    ]
    assert free == []


@pytest.mark.parametrize('words', [
    'bench engine --rounds 0', 'bench depth --rounds -1', 'bench workers --rounds 0',
    'bench stages --rounds 0 --model default', 'bench node --seconds nan', 'bench loops --seeds 0',
    'selftest --frames -5', 'demo --rate 0', 'demo --frames 0', 'render --seed -1 -o out',
    'render --size 0 640 -o out', 'export unet --size 0 64 -o out.onnx',
    'eval default --data data --rows 0', 'train --data data -o out --batch 0',
    'inspect m.onnx --first-card --size 0 64',
])
def test_a_number_that_cannot_be_is_refused_by_the_name_of_its_option(words, capsys):
    command, *rest = words.split()
    with pytest.raises(SystemExit) as ended:
        main([command, *rest])
    assert ended.value.code == 2
    assert '; expected a ' in capsys.readouterr().err


@pytest.mark.parametrize(('words', 'said'), [
    ('export unet --classes 0 -o out.onnx', '--classes 0; expected at least 1'),
    ('export unet --classes 99999999999 -o out.onnx', 'at most 65535'),
    ('export unet --option width=-1 -o out.onnx', '--option width=-1; expected NAME=NUMBER'),
    ('export unet --option width=inf -o out.onnx', '--option width=inf; expected NAME=NUMBER'),
    ('run a.jpg --out out --score-threshold nan', 'score_threshold: nan; expected -1.0 to 1.0'),
])
def test_a_number_within_words_is_refused_too(words, said, capsys):
    assert main(words.split()) == 1
    assert said in capsys.readouterr().err

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

"""`--classes` of export and train: a number, a file of names, or a card."""

import os

import pytest
from seg_ros.cli import main
from seg_ros.commands.architecture_options import read_classes
from seg_ros.core.errors import SettingError


@pytest.mark.parametrize(('name', 'text'), [
    ('names.txt', '\ufeffroad\r\n\r\ncar\r\n'), ('card.YAML', '- road\n- car\n'),
    ('card.txt', 'name: street\nclasses: [road, car]\n'),
])
def test_names_and_cards_are_recognised_whatever_wrote_the_file(name, text, tmp_path):
    (tmp_path / name).write_bytes(text.encode())
    assert [row['name'] for row in read_classes(str(tmp_path / name))] == ['road', 'car']


@pytest.mark.parametrize(('words', 'said'), [
    (('-o', 'net.yaml'), '-o net.yaml, where the card is written'),
    (('-o', 'street.onnx', '--classes', 'street.yaml'), 'is the input street.yaml'),
    (('-o', 'best.onnx', '--weights', 'best.onnx'), 'is the input best.onnx'),
])
def test_neither_an_input_nor_the_network_is_overwritten(
    words, said, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    for name in ('street.yaml', 'best.onnx'):
        (tmp_path / name).write_text('- road\n')
    assert main(['export', 'segnet', *words]) == 1
    assert said in capsys.readouterr().err
    assert sorted(path.read_text() for path in tmp_path.iterdir()) == ['- road\n'] * 2


def test_the_table_without_pytorch_is_refused_in_one_line(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr('seg_ros.commands.export.find_spec', lambda name: None)
    assert main(['export', 'segnet', '--table', str(tmp_path)]) == 1
    assert '--table without torch' in capsys.readouterr().err


def test_a_pipe_instead_of_a_file_of_names_is_refused(tmp_path):
    os.mkfifo(tmp_path / 'names.txt')
    with pytest.raises(SettingError, match='it is a device, a pipe or a socket'):
        read_classes(str(tmp_path / 'names.txt'))

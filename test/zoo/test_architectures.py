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

"""What the architectures promise, without PyTorch."""

import subprocess
import sys

import pytest
from seg_ros.cli import main
from seg_ros.core.card import CardThresholds
from seg_ros.core.errors import SettingError
from seg_ros.zoo.architectures import ARCHITECTURES, NetworkRequest
from seg_ros.zoo.export import make_card


def test_the_list_of_architectures_needs_no_pytorch():
    code = (
        'import sys; import seg_ros.commands.export; '
        'sys.exit(any(name in sys.modules for name in ("torch", "onnx", "transformers")))'
    )
    assert subprocess.run([sys.executable, '-c', code], check=False).returncode == 0


@pytest.mark.parametrize(('arguments', 'message'), [
    (('resnet', 3, (64, 64)), "architecture 'resnet'.*one of segnet"),
    (('unet', 3, (64, 65)), 'a size of 64 65 for unet.*multiples of 32'),
    (('unet', 0, (64, 64)), '0 classes'),
    (('segnet', 3, (64, 64), 'resnet34'), "encoder 'resnet34' for segnet.*only one"),
])
def test_a_network_that_cannot_be_is_refused(arguments, message):
    with pytest.raises(SettingError, match=message):
        NetworkRequest(*arguments)


def test_help_names_every_architecture(capsys):
    with pytest.raises(SystemExit):
        main(['export', '--help'])
    words = capsys.readouterr().out
    assert all(f'{name}:' in words for name in ARCHITECTURES)


def test_a_missing_file_of_classes_is_reported_in_one_line(tmp_path, capsys):
    output = str(tmp_path / 'raw.onnx')
    assert main(['export', 'unet', '--classes', 'nowhere.txt', '-o', output]) == 1
    assert '--classes nowhere.txt' in capsys.readouterr().err


def test_a_square_network_refuses_other_sizes():
    with pytest.raises(SettingError, match=r'a size of 96 128 for eomt.*a square'):
        NetworkRequest('eomt', 3, (96, 128))


@pytest.mark.parametrize('name', [
    name for name, item in ARCHITECTURES.items() if 'semantic' in item.tasks
])
def test_a_card_for_class_maps_alone_has_no_thresholds_of_instances(name):
    request = NetworkRequest(name, 2, (640, 640))
    classes = [{'id': 0, 'name': 'floor'}, {'id': 1, 'name': 'cup', 'thing': True}]
    assert make_card(request, classes, 'semantic').thresholds == CardThresholds()
    assert make_card(request, classes).thresholds != CardThresholds()

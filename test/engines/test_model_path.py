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

"""A model's name resolves to one file, or to an error with the reason."""

import os
from pathlib import Path
import sys
from types import ModuleType

import pytest
from seg_ros.core.errors import ModelError, SettingError
from seg_ros.engines.model_path import absolute_model, path_from_model


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv('HOME', str(tmp_path))
    (tmp_path / 'models').mkdir()
    (tmp_path / 'models' / 'net.onnx').write_bytes(b'onnx')
    return tmp_path


@pytest.fixture
def package(home, monkeypatch):
    """Install one fake ROS package, `town`, whose share folder is the home folder."""
    def find(name):
        if name != 'town':
            raise KeyError(name)
        return str(home)

    packages = ModuleType('ament_index_python.packages')
    packages.get_package_share_directory = find
    monkeypatch.setitem(sys.modules, 'ament_index_python', ModuleType('ament_index_python'))
    monkeypatch.setitem(sys.modules, 'ament_index_python.packages', packages)


def test_an_absolute_path_is_taken_as_it_is(home):
    path = home / 'models' / 'net.onnx'
    assert path_from_model(str(path)) == path


def test_a_tilde_is_the_home_folder(home):
    assert path_from_model('~/models/net.onnx') == home / 'models' / 'net.onnx'


@pytest.mark.usefixtures('package')
def test_a_package_is_found_through_ros(home):
    assert path_from_model('package://town/models/net.onnx') == home / 'models' / 'net.onnx'


@pytest.mark.usefixtures('package')
@pytest.mark.parametrize(('model', 'named'), [
    ('package://village/net.onnx', 'village'),
    ('package://town/net.onnx', 'net.onnx'),
    ('package://town', 'no model file'),
    ('package://', 'package'),
])
def test_a_package_or_its_file_that_is_missing_is_named(model, named):
    with pytest.raises(ModelError, match=named):
        path_from_model(model)


def test_without_ros_a_package_is_not_found(monkeypatch):
    monkeypatch.setitem(sys.modules, 'ament_index_python', None)
    monkeypatch.setitem(sys.modules, 'ament_index_python.packages', None)
    with pytest.raises(ModelError, match=r"'town'.*source the workspace"):
        path_from_model('package://town/net.onnx')


@pytest.mark.parametrize('model', [
    'net.onnx', './net.onnx', 'models/net.onnx', '~nobody-of-that-name/net.onnx',
])
def test_a_relative_path_is_refused_even_where_it_exists(home, monkeypatch, model):
    monkeypatch.chdir(home / 'models')
    with pytest.raises(SettingError, match='relative'):
        path_from_model(model)


@pytest.mark.parametrize('model', ['', 'net', 'Default'])
def test_a_word_that_is_no_name_is_refused_as_such_even_where_a_file_has_it(
    home, monkeypatch, model
):
    monkeypatch.chdir(home / 'models')
    Path('net').touch()
    with pytest.raises(SettingError, match='no model is called'):
        path_from_model(model)


@pytest.mark.parametrize(('model', 'why'), [
    ('/nowhere/net.onnx', 'No such file'), ('~/net.onnx', 'No such file'),
    (f'/{300 * "n"}.onnx', 'name too long'), ('/net\0.onnx', 'null byte'),
])
def test_a_file_that_is_missing_is_refused_with_the_systems_reason(home, model, why):
    assert Path.home() == home
    with pytest.raises(ModelError, match=f'no model file at .*{why}'):
        path_from_model(model)


def test_what_is_no_file_is_refused_with_what_it_is(home):
    with pytest.raises(ModelError, match=r'no model file.*it is a folder'):
        path_from_model(str(home / 'models'))
    os.mkfifo(home / 'pipe.onnx')
    with pytest.raises(ModelError, match=r'no model file.*a pipe'):
        path_from_model(str(home / 'pipe.onnx'))
    (home / 'round.onnx').symlink_to('round.onnx')
    with pytest.raises(ModelError, match=r'no model file.*symbolic links'):
        path_from_model(str(home / 'round.onnx'))


@pytest.mark.parametrize(('model', 'kind', 'words'), [
    ('m' * 300, SettingError, 'no model is called'),
    ('/' + 'm' * 300 + '/model.onnx', ModelError, 'name too long'),
])
def test_a_path_that_the_system_refuses_is_refused_as_a_model(model, kind, words):
    with pytest.raises(kind, match=words):
        path_from_model(absolute_model(model))


def test_the_default_network_lies_in_the_package():
    path = path_from_model('default')
    assert path.is_file()
    assert path.stat().st_size < 6e6

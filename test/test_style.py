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

"""The code is as ruff, mypy and the linters of ROS want it."""

from configparser import ConfigParser
from importlib.util import find_spec
from pathlib import Path
from shutil import which
import subprocess
import sys

import pytest

ROOT = Path(__file__).parents[1]
PYTHON = ('seg_ros', 'launch', 'test', 'setup.py')


def lint(module: str, *arguments: str) -> None:
    if not find_spec(module.split('.')[0]):
        pytest.skip(f'{module} is not installed')
    done = subprocess.run(
        [sys.executable, '-m', module, *arguments], cwd=ROOT, check=False, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )
    assert done.returncode == 0, done.stdout


def test_ruff_finds_nothing() -> None:
    lint('ruff', 'check', '.')


@pytest.mark.slow
def test_mypy_finds_nothing() -> None:
    lint('mypy')


def test_ament_flake8_finds_nothing() -> None:
    pytest.importorskip('flake8', reason='flake8 is not installed')
    lint('ament_flake8.main', '--config', '.flake8', *PYTHON)


def test_our_flake8_rules_are_those_of_ament_but_for_three() -> None:
    ament = pytest.importorskip('ament_flake8', reason='ament_flake8 is not installed')
    theirs, ours = (ConfigParser(), ConfigParser())
    theirs.read(Path(ament.__file__).parent / 'configuration' / 'ament_flake8.ini')
    ours.read(ROOT / '.flake8')
    ignored = [set(rules['flake8'].pop('extend-ignore').split(',')) for rules in (theirs, ours)]
    assert dict(ours['flake8']) == dict(theirs['flake8'])
    assert ignored[1] - ignored[0] == {'A003', 'A005', 'E402'}


def test_ament_pep257_finds_nothing() -> None:
    pytest.importorskip('pydocstyle', reason='pydocstyle is not installed')
    lint('ament_pep257.main', *PYTHON)


def test_ament_copyright_finds_nothing() -> None:
    lint('ament_copyright.main', *PYTHON)


@pytest.mark.slow
def test_ament_mypy_finds_nothing() -> None:
    lint('ament_mypy.main', '--config', 'mypy.ini', 'seg_ros')


def test_ament_xmllint_finds_nothing() -> None:
    if not which('xmllint'):
        pytest.skip('xmllint is not installed')
    lint('ament_xmllint.main', 'config')    # the schema of package.xml would come by network

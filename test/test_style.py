"""The code is as ruff, mypy and the linters of ROS want it."""

from configparser import ConfigParser
from importlib.util import find_spec
from pathlib import Path
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

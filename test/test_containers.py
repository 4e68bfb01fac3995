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

"""Containers and the public checks name what is there."""

from pathlib import Path
import re
import subprocess

import pytest
import yaml

ROOT = Path(__file__).parents[1]
DOCKERFILES = sorted((ROOT / 'docker').glob('Dockerfile*'))
SCRIPTS = sorted((ROOT / 'docker').glob('*.sh'))


def workflow() -> dict:
    return yaml.safe_load((ROOT / '.github' / 'workflows' / 'ci.yaml').read_text())


def commands(job: dict) -> str:
    return '\n'.join(step.get('run', '') for step in job['steps'])


@pytest.mark.parametrize('file', DOCKERFILES, ids=lambda file: file.name)
def test_a_dockerfile_copies_and_calls_what_exists(file: Path) -> None:
    text = file.read_text()
    copied = [name for line in re.findall('^COPY (.+) /', text, re.MULTILINE)
              for name in line.split()]
    called = re.findall(r'src/seg_ros/(\S+\.sh)', text)
    assert copied
    assert called
    for name in (*copied, *called):
        assert (ROOT / name).exists(), name


@pytest.mark.parametrize('file', SCRIPTS, ids=lambda file: file.name)
def test_a_script_can_be_read_and_run(file: Path) -> None:
    assert file.stat().st_mode & 0o111
    subprocess.run(['bash', '-n', str(file)], check=True)


def test_the_targets_of_pages_compose_file_and_workflow_exist() -> None:
    targets = set(re.findall(' AS (\\w+)', (ROOT / 'docker' / 'Dockerfile').read_text()))
    compose = (ROOT / 'docker' / 'compose.yaml').read_text()
    page = (ROOT / 'docs' / 'install.md').read_text()
    named = set(re.findall(r'--target (\w+)', page + commands(workflow()['jobs']['docker'])))
    named |= set(re.findall(r'target: \'?(?:\$\{TARGET:-)?(\w+)', compose))
    assert named == targets


def test_the_compose_file_gives_the_node_the_topic_of_the_camera() -> None:
    services = yaml.safe_load((ROOT / 'docker' / 'compose.yaml').read_text())['services']
    assert set(services) == {'camera', 'segmentation'}
    assert 'image:=/image_raw' in services['segmentation']['command']
    assert all(service['ipc'] == 'host' for service in services.values())


def test_the_workflow_calls_targets_that_make_has() -> None:
    makefile = (ROOT / 'Makefile').read_text()
    targets = set(re.findall(r'^(\w+):', makefile, re.MULTILINE))
    called = {
        name for job in workflow()['jobs'].values()
        for name in re.findall(r'\bmake (?:-C \S+ )?(\w+)', commands(job))
    }
    assert {'setup', 'test', 'lint', 'docs'} <= called <= targets


def test_the_workflow_tries_every_ros_and_python_that_is_named() -> None:
    jobs = workflow()['jobs']
    assert jobs['ros']['strategy']['matrix']['distro'] == ['humble', 'jazzy', 'kilted', 'lyrical']
    assert jobs['wheels']['strategy']['matrix']['python'] == ['3.10', '3.11', '3.12']
    assert set(jobs['release']['needs']) <= set(jobs)

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

"""Whose photographs the default network was made with."""

import argparse
import json

import pytest
from seg_ros.commands import credits as command
from seg_ros.core.errors import ModelError

OPEN = (
    'CC BY', 'Apache-2.0', 'BSD', 'MIT', 'CC0', 'no known copyright restrictions',
    'public domain',
)


def run(*words):
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return command.run(parser.parse_args(words))


def test_every_photograph_has_a_source_and_an_open_licence(capsys):
    assert run('--json') == 0
    found = json.loads(capsys.readouterr().out)
    sources = {item['name'] for item in found['sources']}
    assert len(found['photographs']) > 1000
    for item in found['photographs']:
        assert item['source'] in sources
        assert item['license'].startswith(OPEN)
        assert not {'NC', 'ND'} & set(item['license'].replace('-', ' ').split())
        assert item['use'] in ('weights', 'threshold')


def test_sources_are_listed_with_the_licences_of_their_photographs(capsys):
    run()
    text = capsys.readouterr().out
    assert text.startswith('coco_instances: COCO 2017')
    assert 'for the weights' in text
    assert 'CC BY-SA 2.0' in text


def test_photographs_are_listed_with_the_page_that_names_their_author(capsys):
    run('--photographs')
    lines = capsys.readouterr().out.splitlines()
    line = next(line for line in lines if 'coco_000000000030' in line)
    assert line.split()[-1] == 'https://www.flickr.com/photo.gne?id=3573516590'


def test_photographs_of_a_page_that_names_no_author_are_listed_with_theirs(capsys):
    run('--photographs')
    lines = capsys.readouterr().out.splitlines()
    assert any('CC BY 4.0' in line and line.endswith('J. Sturm et al.') for line in lines)


def test_broken_credits_are_refused(tmp_path):
    (tmp_path / 'credits.json').write_text('{}')
    with pytest.raises(ModelError, match='the credits of the default network'):
        command.read_credits(tmp_path / 'credits.json')

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

"""Arguments without effect are reported, with the most similar valid name."""

from pathlib import Path

import pytest
from seg_ros.ros.parameters import FIELDS
from seg_ros.ros.unused_arguments import unused_parameters, unused_words

NODE = '/robot/segmentation'


def said(*arguments: str) -> list[str]:
    known = {*FIELDS, 'autostart', 'use_sim_time'}
    return list(unused_parameters(['node', '--ros-args', *arguments], NODE, known.__contains__))


def said_of_file(path: Path, text: str) -> list[str]:
    path.write_text(text)
    return said('--params-file', str(path))


@pytest.mark.parametrize('argument', [
    'score_threshold:=0.4', 'autostart:=false', 'use_sim_time:=true',
    'qos_overrides./camera/image_raw.subscription.depth:=3', 'segmentation:model:=a',
    '/robot/segmentation:model:=a', 'other_node:score_treshold:=1',
])
def test_parameters_that_are_known_or_for_others_are_no_matter(argument: str) -> None:
    assert said('-p', argument) == []


@pytest.mark.parametrize(('name', 'meant'), [
    ('score_treshold', 'score_threshold'), ('camera', 'cameras'), ('modell', 'model'),
    ('segmentation:max_age', 'max_age_ms'), ('conf_threshold', 'score_threshold'),
])
@pytest.mark.parametrize('flag', ['-p', '--param'])
def test_a_misspelt_parameter_is_named_with_the_nearest(flag: str, name: str, meant: str) -> None:
    (words,) = said(flag, f'{name}:=1')
    assert f'parameter {name.rpartition(":")[2]} is ignored' in words
    assert 'did you mean ' in words
    if name != 'conf_threshold':
        assert f'did you mean {meant}?' in words


def test_a_parameter_that_is_like_none_is_named_alone() -> None:
    assert said('-p', 'zzzzz:=1') == ['parameter zzzzz is ignored: this node does not have it']


def test_a_file_for_another_node_is_named_with_the_right_section(tmp_path) -> None:
    path = tmp_path / 'p.yaml'
    text = '/robot/segmentation_node:\n  ros__parameters:\n    model: a\n'
    assert said_of_file(path, text) == [
        f'{path} sets parameters of /robot/segmentation_node, but none of {NODE}: name its '
        f'section {NODE} or /**'
    ]


def test_a_section_that_is_almost_this_node_is_named(tmp_path) -> None:
    (words,) = said_of_file(
        tmp_path / 'p.yaml',
        '/**:\n  ros__parameters: {use_sim_time: true}\n'
        '/robot/segmentaton:\n  ros__parameters: {model: a}\n',
    )
    assert '/robot/segmentaton, which is not this node' in words


def test_of_what_is_for_any_node_only_what_is_alike_is_named(tmp_path) -> None:
    (words,) = said_of_file(
        tmp_path / 'p.yaml',
        '/**:\n  ros__parameters: {robot_radius: 1.0, max_rate: 3.0, model: a, '
        'qos_overrides: {/x: {publisher: {depth: 1}}}}\n',
    )
    assert 'parameter max_rate is ignored' in words
    assert words.endswith('did you mean max_rate_hz?')


def test_in_the_nodes_own_section_all_unknown_names_are_named(tmp_path) -> None:
    text = f'{NODE}:\n  ros__parameters: {{robot_radius: 1.0, model: a}}\n'
    (words,) = said_of_file(tmp_path / 'p.yaml', text)
    assert 'robot_radius' in words


@pytest.mark.parametrize('arguments', [(), ('-p',), ('--params-file', '/none.yaml'), ('--',)])
def test_words_that_say_nothing_are_no_matter(arguments) -> None:
    assert said(*arguments) == []


def test_words_that_are_no_ros_arguments_are_found() -> None:
    ours = ['--ros-args', '-p', 'model:=a', '--params-file', 'p.yaml', '-r', 'a:=b']
    assert unused_words(['node', *ours]) == []
    assert unused_words(['node', '--model', 'a', *ours, '--', 'b']) == ['--model', 'a', 'b']

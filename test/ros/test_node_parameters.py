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

"""Parameters: which are effective at once or later, and which are refused and why."""

from dataclasses import fields
from threading import Event

from lifecycle_msgs.msg import Transition
import numpy as np
import pytest
from rcl_interfaces.srv import DescribeParameters, SetParametersAtomically
from rclpy.parameter import Parameter
from rclpy.qos import DurabilityPolicy
from robot import channel_network, PATIENCE_S
from seg_ros.core.settings import Settings
from sensor_msgs.msg import Image


def test_a_live_change_acts_on_the_next_frame(robot):
    each = robot()
    semantic = each.listen('/segmentation/camera/semantic', Image)
    assert set(np.unique(each.mask(semantic))) == {10, 20, 30}
    assert each.set_parameter('classes', ['green', 'blue']).successful
    assert set(np.unique(each.mask(semantic))) == {20, 30, 255}
    assert each.set_parameter('classes', ['']).successful
    assert set(np.unique(each.mask(semantic))) == {10, 20, 30}


@pytest.mark.parametrize(('name', 'value', 'words'), [
    ('output_scale', 0.5, 'output_scale: effective at the next configure'),
    ('workers', 2, 'workers: effective at the next configure'),
    ('max_rate_hz', 20.0, ''),
    ('overlay_alpha', 0.3, ''),
])
def test_the_answer_to_a_value_that_acts_later_says_so(robot, name, value, words):
    each = robot()
    each.wait(lambda: each.state() == 'active', 'autostart')
    answer = each.set_parameter(name, value)
    assert (answer.successful, answer.reason) == (True, words)
    together = SetParametersAtomically.Request(
        parameters=[Parameter('lazy', value=False).to_parameter_msg()]
    )
    result = each.call(SetParametersAtomically, 'set_parameters_atomically', together).result
    assert (result.successful, result.reason) == (True, 'lazy: effective at the next configure')


@pytest.fixture
def serving(robot, channel_model, tmp_path):
    """Start a node, wait for its first mask, and make a copy of its model."""
    other = tmp_path / 'other.model.onnx'
    other.write_bytes(channel_model.read_bytes())
    each = robot()
    semantic = each.listen('/segmentation/camera/semantic', Image)
    each.mask(semantic)
    return each, semantic, other


@pytest.mark.parametrize(
    ('name', 'value', 'words'),
    [
        ('score_threshold', 1.5, 'score_threshold'),
        ('classes', ['purple'], 'purple'),
        ('overlay_alpha', -0.1, 'overlay_alpha'),
        ('max_rate_hz', 'fast', 'max_rate_hz'),
        ('cameras', ['other'], 'clean the node up'),
        ('engine', 'onnxruntime', 'clean the node up'),
        ('model', '/nowhere/model.onnx', 'no model file'),
        ('model', 'relative.onnx', 'relative path'),
    ],
)
def test_a_bad_change_is_refused_with_a_reason_and_the_old_value_stays(
    robot, name, value, words
):
    each = robot()
    each.wait(lambda: each.state() == 'active', 'autostart')
    before = each.node.get_parameter(name).value
    answer = each.set_parameter(name, value)
    assert not answer.successful
    assert words in answer.reason
    assert each.node.get_parameter(name).value == before


@pytest.mark.parametrize(('value', 'words'), [
    (7.0, 'overlay_alpha: 7.0; expected 0.0 to 1.0'),
    ('thick', "overlay_alpha: 'thick'; expected a number"),
])
def test_a_start_value_out_of_range_fails_configuring_until_it_is_fixed(
    robot, capfd, value, words
):
    each = robot(autostart=False, overlay_alpha=value)
    assert not each.change_state(Transition.TRANSITION_CONFIGURE)
    assert f'on_configure: {words}\n' in capfd.readouterr().err
    assert each.set_parameter('overlay_alpha', 0.3).successful
    assert each.change_state(Transition.TRANSITION_CONFIGURE)


def test_all_start_values_that_cannot_be_are_named_at_once(robot, capfd):
    each = robot(autostart=False, workers=99, upsample='cubic', lazy='no')
    assert not each.change_state(Transition.TRANSITION_CONFIGURE)
    log = capfd.readouterr().err
    for words in ('workers: 99', "upsample: 'cubic'", "lazy: 'no'"):
        assert words in log


@pytest.mark.parametrize('cameras', [['two words'], ['same', 'same'], ['7up'], ['engine']])
def test_camera_names_that_cannot_be_fail_configuring(robot, capfd, cameras):
    each = robot(autostart=False, cameras=cameras)
    assert not each.change_state(Transition.TRANSITION_CONFIGURE)
    assert 'cameras' in capfd.readouterr().err


def test_an_integer_serves_where_a_float_is_meant(robot):
    each = robot(max_rate_hz=5)
    each.wait(lambda: each.state() == 'active', 'autostart')
    assert each.set_parameter('max_age_ms', 100).successful


@pytest.mark.parametrize(('name', 'given', 'meant'), [('depth', False, 'off'), ('target', 7, '7')])
def test_words_that_yaml_takes_for_something_else_are_read_as_they_are_meant(
    robot, name, given, meant
):
    each = robot(**{name: given})
    each.wait(lambda: each.state() == 'active', 'autostart')
    assert getattr(each.node._settings.now, name) == meant
    assert each.set_parameter(name, getattr(Settings(), name)).successful
    assert each.set_parameter(name, given).successful
    each.wait(lambda: getattr(each.node._settings.now, name) == meant, 'the change')


def test_a_truth_where_a_word_is_meant_is_refused(robot):
    refusal = robot().set_parameter('target', True)
    assert not refusal.successful
    assert 'text' in refusal.reason


def test_an_empty_list_keeps_all_classes(robot):
    each = robot(classes=[])
    semantic = each.listen('/segmentation/camera/semantic', Image)
    assert set(np.unique(each.mask(semantic))) == {10, 20, 30}


def test_a_live_model_is_exchanged_and_shown_in_diagnostics(serving):
    each, semantic, other = serving
    assert each.set_parameter('model', str(other)).successful
    each.wait(
        lambda: each.diagnostics.get('engine', {}).get('model_active') == str(other),
        'the new model',
    )
    assert set(np.unique(each.mask(semantic))) == {10, 20, 30}


def test_a_model_that_fails_to_load_leaves_the_old_one_and_sets_the_parameter_back(
    serving, channel_model, monkeypatch
):
    from seg_ros.core.errors import EngineError

    each, semantic, other = serving

    def refuse(*_):
        raise EngineError('refused as planted')

    monkeypatch.setattr('seg_ros.pipeline.serving_model.open_engine', refuse)
    assert each.set_parameter('model', str(other)).successful
    each.wait(
        lambda: each.node.get_parameter('model').value == str(channel_model),
        'the parameter to be set back',
    )
    assert set(np.unique(each.mask(semantic))) == {10, 20, 30}


def test_every_setting_is_declared_with_its_meaning_and_range(robot):
    each = robot(autostart=False)
    names = [item.name for item in fields(Settings)]
    answer = each.call(
        DescribeParameters, 'describe_parameters', DescribeParameters.Request(names=names)
    )
    for item, described in zip(fields(Settings), answer.descriptors, strict=True):
        assert described.name == item.name
        assert described.description == item.metadata['meaning']
        ranges = list(described.floating_point_range) + list(described.integer_range)
        assert bool(ranges) == (item.metadata['low'] is not None)


@pytest.fixture
def gate(monkeypatch):
    """Delay the opening of models until this event is set."""
    from seg_ros.pipeline import serving_model

    gate, real = Event(), serving_model.open_engine

    def slow(settings, *rest):
        gate.wait(PATIENCE_S)
        return real(settings, *rest)

    monkeypatch.setattr(serving_model, 'open_engine', slow)
    yield gate
    gate.set()


def test_a_threshold_that_changes_while_a_model_is_loaded_holds_for_the_new_one(serving, gate):
    each, semantic, other = serving
    assert each.set_parameter('model', str(other)).successful
    assert each.set_parameter('classes', ['blue']).successful
    gate.set()
    each.wait(
        lambda: each.node._models.state.active == str(other),
        'the new model',
    )
    each.wait(lambda: set(np.unique(each.mask(semantic))) == {30, 255}, 'blue alone')


def test_a_fault_while_a_model_is_loaded_leaves_the_old_one_and_is_reported_by_its_type(
    serving, channel_model, monkeypatch, capfd
):
    each, semantic, other = serving
    monkeypatch.setattr('seg_ros.pipeline.serving_model.open_engine', lambda *_: 1 / 0)
    assert each.set_parameter('model', str(other)).successful
    each.wait(
        lambda: each.node.get_parameter('model').value == str(channel_model),
        'the parameter to be set back',
    )
    assert each.node._models.state.pending == ''
    assert set(np.unique(each.mask(semantic))) == {10, 20, 30}
    assert each.node.faults == 1
    log = capfd.readouterr().err
    assert f'{channel_model} serves: ZeroDivisionError: division by zero' in log
    assert 'Traceback' in log


@pytest.mark.parametrize(('name', 'value', 'words'), [
    ('classes', ['unheard_of'], "classes ['unheard_of'] are not in the card"),
    ('target', 'unheard_of', "target: 'unheard_of'; expected a segment id, nearest"),
])
def test_what_does_not_suit_the_new_model_is_refused_with_it(
    robot, tmp_path, channel_model, name, value, words
):
    other = tmp_path / 'other.onnx'
    other.write_bytes(channel_model.read_bytes())
    each = robot()
    each.wait(lambda: each.state() == 'active', 'autostart')
    request = SetParametersAtomically.Request(parameters=[
        Parameter('model', value=str(other)).to_parameter_msg(),
        Parameter(name, value=value).to_parameter_msg(),
    ])
    result = each.call(SetParametersAtomically, 'set_parameters_atomically', request).result
    assert not result.successful
    assert words in result.reason


def test_a_target_that_the_model_lacks_fails_configuring(robot, capfd):
    each = robot(autostart=False, target='unheard_of')
    assert not each.change_state(Transition.TRANSITION_CONFIGURE)
    assert "target: 'unheard_of'" in capfd.readouterr().err


def test_a_model_that_serves_already_is_not_read_anew_and_the_answer_says_so(serving):
    each, _, other = serving
    each.set_parameter('model', str(other))
    each.wait(lambda: each.node._models.state.active == str(other), 'the new model')
    answer = each.set_parameter('model', str(other))
    assert answer.successful
    assert 'serves; to read its file anew set another model first' in answer.reason


def test_an_override_of_one_topic_leaves_the_others_alone(robot):
    name = 'qos_overrides./segmentation/camera/{}.publisher.depth'
    each = robot(autostart=False, **{name.format('semantic'): 7})
    assert each.change_state(Transition.TRANSITION_CONFIGURE)
    depths = {topic: each.node.get_parameter(name.format(topic)).value
              for topic in ('semantic', 'confidence', 'instance')}
    assert depths == {'semantic': 7, 'confidence': 1, 'instance': 1}


def test_a_published_topic_can_be_kept_for_readers_that_come_later(robot):
    topic = '/segmentation/camera/semantic'
    each = robot(**{f'qos_overrides.{topic}.publisher.durability': 'transient_local'})
    each.wait(lambda: each.node.get_publishers_info_by_topic(topic), 'the publisher')
    offered = each.node.get_publishers_info_by_topic(topic)[0].qos_profile
    assert offered.durability == DurabilityPolicy.TRANSIENT_LOCAL


def test_an_autostart_that_is_neither_true_nor_false_leaves_the_node_unconfigured(robot, capfd):
    each = robot(autostart='maybe')
    assert each.state() == 'unconfigured'
    assert "autostart: 'maybe'; expected true or false" in capfd.readouterr().err


@pytest.fixture
def loading(serving, gate, tmp_path):
    """Start loading a model with the classes of another card, which waits for a gate."""
    from seg_ros.compile.compile_model import compile_model
    from seg_ros.core.card_reading import card_from_dict

    each, semantic, other = serving
    card = card_from_dict({
        'name': 'ground', 'task': 'semantic', 'input': {'fit': 'stretch'},
        'classes': [
            {'id': 1, 'name': 'road'}, {'id': 2, 'name': 'grass'}, {'id': 3, 'name': 'sky'},
        ],
    })
    network = channel_network(tmp_path / 'other.onnx')
    other.write_bytes(compile_model(network, card).SerializeToString())
    assert each.set_parameter('model', str(other)).successful
    each.wait(lambda: each.node._models.state.pending == str(other), 'the load to begin')
    return each, semantic, other, gate


def test_a_class_of_the_model_that_is_loaded_is_accepted_and_acts_once_that_serves(
    loading, capfd
):
    each, semantic, other, gate = loading
    answer = each.set_parameter('classes', ['sky'])
    assert (answer.successful, answer.reason) == (True, f'classes: effective once {other} serves')
    assert each.set_parameter('overlay_alpha', 0.3).reason == ''
    assert set(np.unique(each.mask(semantic))) == {10, 20, 30}
    gate.set()
    each.wait(lambda: each.node._models.state.active == str(other), 'the new model')
    each.wait(lambda: set(np.unique(each.mask(semantic))) == {3, 255}, 'the sky alone')
    assert 'ERROR' not in capfd.readouterr().err


def test_a_class_that_the_model_that_is_loaded_lacks_is_refused_in_its_name(loading):
    each, semantic, other, gate = loading
    answer = each.set_parameter('classes', ['blue'])
    assert not answer.successful
    assert answer.reason.startswith(f"{other} is being loaded: classes ['blue'] are not in")
    gate.set()
    each.wait(lambda: each.node._models.state.active == str(other), 'the new model')
    assert set(np.unique(each.mask(semantic))) == {1, 2, 3}


def test_what_was_set_for_a_model_that_cannot_be_loaded_is_set_back_with_it(
    loading, channel_model, monkeypatch
):
    from seg_ros.pipeline.serving_model import ServingModel

    each, semantic, _, gate = loading
    assert each.set_parameter('min_confidence', 0.25).successful
    assert each.set_parameter('classes', ['sky']).successful
    assert each.set_parameter('target', '7').successful
    monkeypatch.setattr(ServingModel, '__init__', lambda *_: 1 / 0)
    gate.set()
    value = lambda name: each.node.get_parameter(name).value      # noqa: E731
    each.wait(lambda: value('model') == str(channel_model), 'the model to be set back')
    assert (value('classes'), value('target'), value('min_confidence')) == ([''], '', 0.25)
    assert each.set_parameter('classes', ['blue']).successful
    assert set(np.unique(each.mask(semantic))) == {30, 255}


def test_to_return_to_the_model_that_serves_its_classes_are_needed(loading):
    each, _, _, _ = loading
    assert each.set_parameter('classes', ['sky']).successful
    name = each.node._models.state.active
    answer = each.set_parameter('model', name)
    assert not answer.successful
    assert "classes ['sky'] are not in the card of channels" in answer.reason
    request = SetParametersAtomically.Request(parameters=[
        Parameter('model', value=name).to_parameter_msg(),
        Parameter('classes', value=['red']).to_parameter_msg(),
    ])
    result = each.call(SetParametersAtomically, 'set_parameters_atomically', request).result
    assert (result.successful, result.reason) == (True, '')


@pytest.mark.parametrize('name', [
    'autostart', 'qos_overrides./segmentation/camera/semantic.publisher.depth',
])
@pytest.mark.parametrize('value', [False, None])
def test_what_acts_at_the_start_alone_is_neither_set_nor_deleted_later(robot, name, value):
    each = robot()
    each.wait(lambda: each.state() == 'active', 'autostart')
    before = each.node.get_parameter(name).value
    answer = each.set_parameter(name, value)
    assert (answer.successful, answer.reason) == (
        False, f'{name} is read only at the start; restart the node with another value'
    )
    assert each.node.get_parameter(name).value == before


def test_the_time_that_the_node_goes_by_can_change_and_cannot_be_deleted(robot):
    each = robot()
    assert not each.set_parameter('use_sim_time', None).successful
    assert each.set_parameter('use_sim_time', True).successful
    assert each.node.get_clock().ros_time_is_active

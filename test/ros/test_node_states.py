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

"""Lifecycle states, and failures that must not end the node."""

from pathlib import Path
from threading import Event
from time import monotonic, sleep

from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
import pytest
from rclpy.lifecycle import LifecyclePublisher
from seg_ros.engines import open_engine
from sensor_msgs.msg import Image
from std_srvs.srv import SetBool


def test_the_node_starts_itself_and_becomes_active(robot):
    each = robot()
    each.wait(lambda: each.state() == 'active', 'autostart')


def test_the_node_starts_itself_before_simulated_time_begins(robot):
    each = robot(use_sim_time=True)
    each.wait(lambda: each.state() == 'active', 'autostart')
    each.wait(lambda: each.words.get('engine') == 'active', 'diagnostics')


def test_without_autostart_the_states_are_walked_by_request(robot):
    each = robot(autostart=False)
    walk = [
        (Transition.TRANSITION_CONFIGURE, 'inactive'),
        (Transition.TRANSITION_ACTIVATE, 'active'),
        (Transition.TRANSITION_DEACTIVATE, 'inactive'),
        (Transition.TRANSITION_CLEANUP, 'unconfigured'),
        (Transition.TRANSITION_CONFIGURE, 'inactive'),
        (Transition.TRANSITION_INACTIVE_SHUTDOWN, 'finalized'),
    ]
    assert each.state() == 'unconfigured'
    for transition, state in walk:
        assert each.change_state(transition)
        assert each.state() == state


def test_requests_that_are_sent_without_waiting_are_answered_in_their_order(robot):
    each = robot(autostart=False)
    client = each.tester.create_client(ChangeState, '/segmentation/change_state')
    assert client.wait_for_service(each.patience_s)
    asked = (
        Transition.TRANSITION_CONFIGURE, Transition.TRANSITION_ACTIVATE,
        Transition.TRANSITION_ACTIVATE,     # as it is already active
        Transition.TRANSITION_DEACTIVATE, Transition.TRANSITION_CLEANUP,
    )
    answers = [
        client.call_async(ChangeState.Request(transition=Transition(id=number)))
        for number in asked
    ]
    each.wait(lambda: all(answer.done() for answer in answers), 'all answers')
    assert [answer.result().success for answer in answers] == [True, True, False, True, True]
    assert each.state() == 'unconfigured'


@pytest.mark.parametrize('transition', [Transition.TRANSITION_ACTIVATE, 99])
def test_an_invalid_transition_is_refused_and_the_node_lives(robot, transition):
    each = robot(autostart=False)
    assert not each.change_state(transition)
    assert each.state() == 'unconfigured'
    assert each.change_state(Transition.TRANSITION_CONFIGURE)


def test_a_request_during_the_autostart_ends_it_before_the_next_step(robot, monkeypatch, capfd):
    loading, gate = Event(), Event()

    def wait_and_open(*arguments):
        loading.set()
        gate.wait()
        return open_engine(*arguments)

    monkeypatch.setattr('seg_ros.pipeline.serving_model.open_engine', wait_and_open)
    each = robot()
    client = each.tester.create_client(ChangeState, '/segmentation/change_state')
    try:
        each.wait(loading.is_set, 'autostart to configure')
        assert client.wait_for_service(each.patience_s)
        request = ChangeState.Request(transition=Transition(id=Transition.TRANSITION_CONFIGURE))
        answer = client.call_async(request)
        sleep(0.5)      # for the request to arrive
    finally:
        gate.set()
    each.wait(answer.done, 'the answer')
    assert not answer.result().success      # it is configured already
    sleep(0.5)
    assert each.state() == 'inactive'
    assert 'autostart is abandoned' in capfd.readouterr().err


def test_an_autostart_that_fails_is_not_repeated_and_the_log_says_what_to_do(robot, capfd):
    each = robot(model='/nowhere/model.onnx')
    each.wait(lambda: each.node._autostart is None, 'autostart to give up')
    assert '`ros2 lifecycle set /segmentation configure`' in capfd.readouterr().err
    assert each.state() == 'unconfigured'
    end = monotonic() + 0.3
    while monotonic() < end:
        assert each.state() == 'unconfigured'


@pytest.mark.parametrize(
    ('model', 'words'),
    [
        ('/nowhere/model.onnx', 'no model file at /nowhere/model.onnx'),
        ('models/relative.onnx', 'relative path'),
        ('package://no_such_package/model.onnx', "package 'no_such_package' is not found"),
    ],
)
def test_a_model_that_cannot_be_found_fails_the_transition_with_its_reason(
    robot, capfd, model, words
):
    each = robot(autostart=False, model=model)
    assert not each.change_state(Transition.TRANSITION_CONFIGURE)
    assert each.state() == 'unconfigured'
    assert words in capfd.readouterr().err


def test_a_truncated_model_fails_and_a_whole_one_configures(
    robot, capfd, tmp_path: Path, channel_model: Path
):
    broken = tmp_path / 'broken.onnx'
    broken.write_bytes(channel_model.read_bytes()[:200])
    each = robot(autostart=False, model=str(broken))
    assert not each.change_state(Transition.TRANSITION_CONFIGURE)
    assert 'broken.onnx' in capfd.readouterr().err
    assert each.set_parameter('model', str(channel_model)).successful
    assert each.change_state(Transition.TRANSITION_CONFIGURE)


def test_a_fault_of_our_own_leaves_a_traceback_and_an_unconfigured_node(
    robot, capfd, monkeypatch
):
    def explode(*_):
        raise ZeroDivisionError('planted')

    monkeypatch.setattr('seg_ros.ros.node.CameraPipeline', explode)
    each = robot(autostart=False)
    assert not each.change_state(Transition.TRANSITION_CONFIGURE)
    assert each.state() == 'unconfigured'
    log = capfd.readouterr().err
    assert 'Traceback' in log
    assert 'ZeroDivisionError: planted' in log


def test_enable_pauses_the_cameras_and_resumes_them(robot):
    each = robot(lazy=False)
    each.wait(lambda: each.state() == 'active', 'autostart')
    subscribed = each.node._pipeline.cameras['camera']
    each.wait(lambda: subscribed.subscribed, 'the subscription')
    assert each.call(SetBool, 'enable', SetBool.Request(data=False)).success
    assert not subscribed.subscribed
    assert each.call(SetBool, 'enable', SetBool.Request(data=True)).success
    each.wait(lambda: subscribed.subscribed, 'the subscription again')


def test_mask_topics_are_lifecycle_publishers_that_follow_the_node(robot):
    each = robot(autostart=False)
    assert each.change_state(Transition.TRANSITION_CONFIGURE)
    masks = [item for item in each.node.publishers if item.topic_name.endswith('/semantic')]
    assert len(masks) == 1
    assert isinstance(masks[0], LifecyclePublisher)
    assert not masks[0].is_activated
    assert each.change_state(Transition.TRANSITION_ACTIVATE)
    assert masks[0].is_activated
    assert each.change_state(Transition.TRANSITION_DEACTIVATE)
    assert not masks[0].is_activated
    assert each.change_state(Transition.TRANSITION_CLEANUP)
    assert masks[0] not in each.node.publishers


def test_nothing_is_published_through_a_mask_topic_of_an_inactive_node(robot):
    each = robot(autostart=False)
    assert each.change_state(Transition.TRANSITION_CONFIGURE)
    received = each.listen('/segmentation/camera/semantic', Image)
    [publisher] = [item for item in each.node.publishers if item.topic_name.endswith('/semantic')]
    each.wait(publisher.get_subscription_count, 'the subscription')
    publisher.publish(Image(width=1))
    assert each.change_state(Transition.TRANSITION_ACTIVATE)
    publisher.publish(Image(width=2))
    each.wait(lambda: received, 'a message')
    assert [message.width for message in received] == [2]

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

"""Diagnostics and log of a node in which something fails, and failures that must not end it."""

from threading import Event
from time import monotonic, sleep

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from lifecycle_msgs.msg import Transition
import pytest
from rcl_interfaces.srv import SetParametersAtomically
from rclpy.parameter import Parameter
from robot import channel_network, PATIENCE_S
from seg_ros.core.errors import EngineError
from seg_ros.pipeline import process
from sensor_msgs.msg import Image
from std_srvs.srv import SetBool

SEMANTIC = '/segmentation/camera/semantic'


def send_until(each, condition, what, stamp_ns=None):
    """Send images as a camera does until a condition holds."""
    publisher = each.publisher('/camera/image_raw', Image)

    def sent():
        publisher.publish(each.image(stamp_ns=stamp_ns))
        return condition()

    each.wait(sent, what)


def level_of(each, part):
    return lambda level: each.levels.get(part) == level


def test_stamps_that_say_nothing_are_a_warning_while_the_masks_go_on(robot):
    each = robot()
    semantic = each.listen(SEMANTIC, Image)
    camera = level_of(each, 'camera')
    for stamp_ns, words in ((0, 'have no stamp'), (10**18, 'all have the same stamp')):
        send_until(
            each,
            lambda words=words: camera(DiagnosticStatus.WARN) and words in each.words['camera'],
            'the warning', stamp_ns,
        )
        count = len(semantic)
        send_until(
            each, lambda count=count: len(semantic) > count, 'masks all the same', stamp_ns
        )
    send_until(each, lambda: camera(DiagnosticStatus.OK), 'all to be well again')


def test_a_camera_whose_frames_all_fail_is_an_error_until_they_no_longer_do(robot, monkeypatch):
    real = process.run_engine
    fails = [EngineError('by the engine'), ZeroDivisionError('by a fault')]

    def run_engine(*arguments):
        if fails:
            raise fails[0]
        return real(*arguments)

    each = robot()
    semantic = each.listen(SEMANTIC, Image)
    each.mask(semantic)
    monkeypatch.setattr(process, 'run_engine', run_engine)
    camera = level_of(each, 'camera')
    each.patience_s = 3 * PATIENCE_S
    while fails:
        send_until(
            each,
            lambda: camera(DiagnosticStatus.ERROR) and str(fails[0]) in each.words['camera'],
            'the error',
        )
        fails.pop(0)
    send_until(each, lambda: camera(DiagnosticStatus.OK), 'all to be well again')


def test_an_engine_that_fails_its_first_call_fails_configuring(robot, monkeypatch, capfd):
    def refuse(*_):
        raise EngineError('the first call failed as planted')

    monkeypatch.setattr('seg_ros.pipeline.serving_model.open_engine', refuse)
    each = robot(autostart=False)
    assert not each.change_state(Transition.TRANSITION_CONFIGURE)
    assert 'the first call failed as planted' in capfd.readouterr().err


def test_a_node_that_cannot_be_configured_says_so_until_it_is(robot, channel_model, capfd):
    each = robot(model='/nowhere.onnx')
    engine = level_of(each, 'engine')
    each.wait(lambda: engine(DiagnosticStatus.ERROR), 'the error')
    assert '/nowhere.onnx' in each.words['engine']
    assert each.state() == 'unconfigured'
    assert each.set_parameter('model', str(channel_model)).successful
    assert each.change_state(Transition.TRANSITION_CONFIGURE)
    each.wait(lambda: each.words['engine'] == 'inactive', 'the state')
    assert each.change_state(Transition.TRANSITION_CLEANUP)
    each.wait(lambda: each.words['engine'] == 'unconfigured', 'the state')
    assert engine(DiagnosticStatus.OK)


def test_start_values_that_cannot_be_used_are_shown_in_diagnostics(robot, capfd):
    each = robot(max_age_ms=-1.0)
    each.wait(lambda: level_of(each, 'engine')(DiagnosticStatus.ERROR), 'the error')
    assert 'max_age_ms' in each.words['engine']


def test_a_model_that_takes_long_to_open_is_reported_every_second(robot, monkeypatch):
    def hang(*_):
        sleep(2.5)
        raise EngineError('as planted')

    monkeypatch.setattr('seg_ros.pipeline.serving_model.open_engine', hang)
    each = robot(autostart=False)
    heard = each.listen('/diagnostics', DiagnosticArray)
    assert not each.change_state(Transition.TRANSITION_CONFIGURE)

    def reports():
        engines = [message.status[0] for message in heard]
        return [engine.level for engine in engines if 'loading' in engine.message]

    each.wait(lambda: len(reports()) >= 2, 'what was said meanwhile')
    assert set(reports()) == {DiagnosticStatus.WARN}


def test_a_timer_that_fails_does_not_end_the_node(robot, monkeypatch, capfd):
    each = robot()
    semantic = each.listen(SEMANTIC, Image)
    each.mask(semantic)
    monkeypatch.setattr('seg_ros.ros.node.diagnostics', lambda *_: 1 / 0)
    each.wait(lambda: each.node.faults, 'the fault')
    monkeypatch.undo()
    each.mask(semantic)
    assert 'ZeroDivisionError' in capfd.readouterr().err
    each.wait(lambda: level_of(each, 'engine')(DiagnosticStatus.ERROR), 'the fault to be shown')


def test_a_failed_activation_leaves_the_node_inactive(robot, monkeypatch):
    each = robot(autostart=False)
    assert each.change_state(Transition.TRANSITION_CONFIGURE)
    monkeypatch.setattr('seg_ros.ros.camera_pipeline.Workers', lambda *_: 1 / 0)
    assert not each.change_state(Transition.TRANSITION_ACTIVATE)
    assert each.state() == 'inactive'
    monkeypatch.undo()
    assert each.call(SetBool, 'enable', SetBool.Request(data=True)).success
    assert not each.node._pipeline.running


def test_masks_that_cannot_be_resumed_stay_paused(robot, monkeypatch):
    each = robot()
    each.wait(lambda: each.state() == 'active', 'autostart')
    assert each.call(SetBool, 'enable', SetBool.Request(data=False)).success
    monkeypatch.setattr('seg_ros.ros.camera_pipeline.Workers', lambda *_: 1 / 0)
    assert not each.call(SetBool, 'enable', SetBool.Request(data=True)).success
    each.words.clear()
    each.wait(lambda: each.words, 'diagnostics')
    assert each.words['camera'] == 'paused by ~/enable'


def test_a_hung_engine_is_reported_and_no_transition_waits_for_it(robot, monkeypatch):
    gate, hung = Event(), Event()

    def hang(*inputs):
        hung.set()
        gate.wait(3 * PATIENCE_S)
        raise EngineError('released')

    each = robot(watchdog_s=0.5)
    each.listen(SEMANTIC, Image)
    each.wait(lambda: each.state() == 'active', 'autostart')
    monkeypatch.setattr(process, 'run_engine', hang)
    try:
        send_until(each, hung.is_set, 'the engine to hang')
        camera = level_of(each, 'camera')
        send_until(each, lambda: camera(DiagnosticStatus.ERROR), 'the error')
        assert 'has not answered' in each.words['camera']
        counts = each.node._pipeline.cameras['camera'].health.timing.counts
        send_until(each, lambda: counts().get('stalled'), 'frames to be refused')
        begun = monotonic()
        assert each.change_state(Transition.TRANSITION_DEACTIVATE)
        assert each.change_state(Transition.TRANSITION_CLEANUP)
        assert monotonic() - begun < PATIENCE_S
        assert each.state() == 'unconfigured'
    finally:
        gate.set()


def test_a_clock_that_steps_back_costs_one_image(robot):
    each = robot()
    semantic = each.listen(SEMANTIC, Image)
    each.wait(lambda: each.state() == 'active', 'autostart')
    timing = each.node._pipeline.cameras['camera'].health.timing
    start_ns = each.tester.get_clock().now().nanoseconds
    stamps = [start_ns + index * 33_000_000 for index in range(4)]
    stamps += [stamp - 900_000_000 for stamp in stamps[1:]]
    for count, stamp_ns in enumerate(stamps, 1):
        each.send(each.image(stamp_ns=stamp_ns))
        each.wait(
            lambda count=count: len(semantic) + timing.counts().get('late', 0) == count,
            f'image {count}',
        )
    assert timing.counts()['late'] == 1


def test_images_without_simulated_time_are_no_silence_called_ok(robot, capfd):
    each = robot(use_sim_time=True, max_rate_hz=5.0)
    semantic = each.listen(SEMANTIC, Image)
    send_until(each, lambda: '/clock' in each.words.get('camera', ''), 'the clock to be named')
    assert each.levels['camera'] == DiagnosticStatus.WARN
    assert 'camera: use_sim_time is set, but nothing arrives on /clock' in capfd.readouterr().err
    assert len(semantic) <= 1


@pytest.fixture
def hangs(monkeypatch):
    """Return a function that makes the engine hang, and returns its events `hung` and `gate`."""
    real, hung, gate = process.run_engine, Event(), Event()

    def run_engine(*arguments):
        hung.set()
        gate.wait(3 * PATIENCE_S)
        return real(*arguments)

    def begin():
        monkeypatch.setattr(process, 'run_engine', run_engine)
        return hung, gate

    yield begin
    gate.set()


def hung_robot(robot, hangs, **parameters):
    each = robot(watchdog_s=0.5, **parameters)
    semantic = each.listen(SEMANTIC, Image)
    each.mask(semantic)
    hung, gate = hangs()
    send_until(each, hung.is_set, 'the engine to hang')
    return each, semantic, gate


def workers_of(each):
    return each.wait(lambda: each.node._pipeline._workers, 'workers')._threads


@pytest.mark.parametrize('cleanup', [False, True])
def test_an_engine_that_answers_after_it_was_abandoned_publishes_nothing(robot, hangs, cleanup):
    each, semantic, gate = hung_robot(robot, hangs)
    (worker,) = workers_of(each)
    count = len(semantic)
    assert each.change_state(Transition.TRANSITION_DEACTIVATE)
    if cleanup:
        assert each.change_state(Transition.TRANSITION_CLEANUP)
    gate.set()
    worker.join(PATIENCE_S)
    sleep(0.3)
    assert len(semantic) == count
    assert each.node.faults == 0


def test_the_newest_image_is_next_after_an_engine_that_hung(robot, hangs):
    each, semantic, gate = hung_robot(robot, hangs)
    counts = each.node._pipeline.cameras['camera'].health.timing.counts
    send_until(each, lambda: counts().get('stalled', 0) > 2, 'frames to be refused')
    last = each.image()
    arrived = counts()['stalled']
    each.send(last)
    each.wait(lambda: counts()['stalled'] > arrived, 'the last image')
    count = len(semantic)
    gate.set()
    each.wait(lambda: len(semantic) >= count + 2, 'two masks')
    assert semantic[count + 1].header.stamp == last.header.stamp


def test_a_start_that_fails_leaves_no_worker_behind(robot, monkeypatch):
    each = robot(autostart=False)
    assert each.change_state(Transition.TRANSITION_CONFIGURE)
    pipeline = each.node._pipeline
    monkeypatch.setattr(pipeline, 'follow_subscribers', lambda: 1 / 0)
    assert not each.change_state(Transition.TRANSITION_ACTIVATE)
    monkeypatch.undo()
    assert not pipeline.running


def test_cameras_that_wait_together_are_masked_by_a_model_that_takes_one_at_a_time(robot, hangs):
    each = robot(autostart=False, cameras=['camera', 'left'], max_batch=2)
    semantic = each.listen(SEMANTIC, Image)
    left = each.listen('/segmentation/left/semantic', Image)
    assert each.change_state(Transition.TRANSITION_CONFIGURE)
    models = each.node._models
    models.holder.current.batch_limit = 2       # of the earlier model, when the images are taken
    assert each.change_state(Transition.TRANSITION_ACTIVATE)
    hung, gate = hangs()
    each.send(each.image())
    assert hung.wait(PATIENCE_S)
    images = each.image(), each.image()
    each.send(images[0])
    each.send(images[1], '/left/image_raw')
    each.wait(lambda: len(each.node._pipeline._mailbox._slots) == 2, 'both images')
    models.holder.current.batch_limit = 1
    gate.set()
    each.wait(lambda: len(semantic) == 2 and left, 'both masks')


@pytest.mark.parametrize('failing', ['camera', 'left'])
def test_a_camera_whose_masks_cannot_be_published_takes_none_from_others_of_its_batch(
    robot, hangs, channel_model, tmp_path, failing
):
    from seg_ros.compile.compile_model import compile_model
    from seg_ros.core.compiled_file import read_compiled

    network = channel_network(tmp_path / 'batch.onnx', 'n')
    model = tmp_path / 'batch.model.onnx'
    compiled = compile_model(network, read_compiled(channel_model).card)
    model.write_bytes(compiled.SerializeToString())
    each = robot(model=str(model), autostart=False, cameras=['camera', 'left'], max_batch=2)
    masks = {
        name: each.listen(f'/segmentation/{name}/semantic', Image) for name in ('camera', 'left')
    }
    assert each.change_state(Transition.TRANSITION_CONFIGURE)
    assert each.change_state(Transition.TRANSITION_ACTIVATE)
    pipeline = each.node._pipeline
    assert pipeline._batch_limit() == 2
    hung, gate = hangs()
    each.send(each.image())
    assert hung.wait(PATIENCE_S)
    pipeline.cameras[failing].info_for = lambda _: 1 / 0
    each.send(each.image())
    each.send(each.image(), '/left/image_raw')
    each.wait(lambda: len(pipeline._mailbox._slots) == 2, 'both images')
    gate.set()
    counts = {name: camera.health.timing.counts for name, camera in pipeline.cameras.items()}
    each.wait(lambda: counts[failing]().get('failed'), 'the failure')
    (sound,) = {'camera', 'left'} - {failing}
    each.wait(lambda: len(masks[sound]) == 1 + (sound == 'camera'), 'the mask of the other')
    assert counts[sound]().get('failed', 0) == 0


def test_thresholds_that_do_not_suit_what_serves_in_the_end_are_no_fault(
    robot, monkeypatch, capfd, tmp_path, channel_model
):
    monkeypatch.setattr('seg_ros.ros.deferred_changes.check_model', lambda _: None)
    other = tmp_path / 'other.onnx'
    other.write_bytes(channel_model.read_bytes())
    each = robot()
    each.wait(lambda: each.state() == 'active', 'autostart')
    values = {'model': str(other), 'classes': ['unheard_of']}
    parameters = [Parameter(name, value=value) for name, value in values.items()]
    request = SetParametersAtomically.Request(
        parameters=[parameter.to_parameter_msg() for parameter in parameters]
    )
    assert each.call(
        SetParametersAtomically, 'set_parameters_atomically', request
    ).result.successful
    model = lambda: each.node.get_parameter('model').value      # noqa: E731
    each.wait(lambda: model() == str(channel_model), 'the model to be set back')
    each.wait(lambda: each.words.get('engine'), 'diagnostics')
    assert each.node.faults == 0
    assert 'channels keeps the thresholds it has' in capfd.readouterr().err

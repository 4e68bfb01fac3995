"""What the node says about itself when something goes wrong, and what cannot end it."""

from threading import Event
from time import monotonic

from diagnostic_msgs.msg import DiagnosticStatus
from lifecycle_msgs.msg import Transition
import pytest
from robot import PATIENCE_S
from seg_ros.core.errors import EngineError
from seg_ros.pipeline import process
from sensor_msgs.msg import Image
from std_srvs.srv import SetBool

SEMANTIC = '/segmentation/camera/semantic'


def send_until(each, condition, what):
    """Send images as a camera does until a condition holds."""
    publisher = each.publisher('/camera/image_raw', Image)

    def sent():
        publisher.publish(each.image())
        return condition()

    each.wait(sent, what)


def level_of(each, part):
    return lambda level: each.levels.get(part) == level


@pytest.mark.parametrize('error', [EngineError('as planted'), ZeroDivisionError('as planted')])
def test_a_camera_whose_frames_all_fail_is_an_error_until_they_no_longer_do(
    robot, monkeypatch, error
):
    real, fails = process.infer, [True]

    def infer(batch, segmenter):
        if fails:
            raise error
        return real(batch, segmenter)

    each = robot()
    semantic = each.listen(SEMANTIC, Image)
    each.mask(semantic)
    monkeypatch.setattr(process, 'infer', infer)
    camera = level_of(each, 'camera')
    each.patience_s = 3 * PATIENCE_S
    send_until(each, lambda: camera(DiagnosticStatus.ERROR), 'the error')
    assert 'as planted' in each.words['camera']
    fails.clear()
    send_until(each, lambda: camera(DiagnosticStatus.OK), 'all to be well again')


def test_an_engine_that_fails_its_first_call_fails_configuring(robot, monkeypatch, capfd):
    def refuse(*_):
        raise EngineError('the first call failed as planted')

    monkeypatch.setattr('seg_ros.pipeline.model_manager.open_engine', refuse)
    each = robot(autostart=False)
    assert not each.change_state(Transition.TRANSITION_CONFIGURE)
    assert 'the first call failed as planted' in capfd.readouterr().err


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


def test_a_hung_engine_is_reported_and_no_transition_waits_for_it(robot, monkeypatch):
    gate, hung = Event(), Event()

    def hang(batch, segmenter):
        hung.set()
        gate.wait(3 * PATIENCE_S)
        raise EngineError('released')

    each = robot(watchdog_s=0.5)
    each.listen(SEMANTIC, Image)
    each.wait(lambda: each.state() == 'active', 'autostart')
    monkeypatch.setattr(process, 'infer', hang)
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

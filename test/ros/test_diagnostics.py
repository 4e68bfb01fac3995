"""What the diagnostics make of the numbers."""

from dataclasses import replace
from types import SimpleNamespace

from diagnostic_msgs.msg import DiagnosticStatus
import pytest
from rclpy.time import Time
from seg_ros.core.engine import EngineFacts
from seg_ros.core.settings import Settings
from seg_ros.core.timing import Timing
from seg_ros.pipeline.level_hysteresis import LevelHysteresis
from seg_ros.ros.diagnostics import build_diagnostics, diagnostics, images_lost


def camera(images_hz, infos_hz, subscribed=True, age_limit_ms=0.0, heard_s=4.0):
    timing = Timing()
    timing.heard_s = lambda name, span_s=5.0: heard_s
    rates = {'input': images_hz, 'info': infos_hz}
    timing.rate_hz = lambda name, span_s=5.0: rates.get(name, 0.0)
    return SimpleNamespace(
        name='front', image_topic='/front/image_raw', timing=timing, subscribed=subscribed,
        alarm=LevelHysteresis(), age_limit_ms=age_limit_ms,
    )


def segmenter():
    facts = EngineFacts('openvino', 'CPU', 'bf16', 2, 'edges', '1.0')
    timing = Timing()
    for milliseconds in range(1, 101):
        timing.add('network', float(milliseconds))
    return SimpleNamespace(
        engine=SimpleNamespace(facts=facts), timing=timing, card=SimpleNamespace(name='net')
    )


@pytest.mark.parametrize(
    ('images_hz', 'infos_hz', 'lost'),
    [(30, 30, False), (24.1, 30, False), (23.9, 30, True), (5, 30, True), (0, 0, False)],
)
def test_images_are_lost_below_four_fifths_of_the_camera_info_rate(images_hz, infos_hz, lost):
    words = images_lost(camera(images_hz, infos_hz))
    assert bool(words) == lost
    if lost:
        assert '/front/image_raw' in words
        assert 'FASTRTPS_DEFAULT_PROFILES_FILE' in words


def test_a_camera_that_is_only_starting_loses_nothing():
    assert images_lost(camera(0, 100, heard_s=0.01)) == ''


def test_a_camera_that_is_not_listened_to_loses_nothing():
    assert images_lost(camera(0, 30, subscribed=False)) == ''


def test_stages_drops_engine_and_model_are_in_the_message():
    each = camera(30, 30)
    each.timing.count('newer')
    each.timing.count('newer')
    message = diagnostics(Time(), 'segmentation', 'active', segmenter(), [each], ('a', 'b'))
    engine, front = (
        {pair.key: pair.value for pair in status.values} for status in message.status
    )
    assert engine['network_ms_median'] == '50.50'
    assert engine['network_ms_p99'] == '99.01'
    assert engine['network_ms_max'] == '100.00'
    assert (engine['model_active'], engine['model_pending']) == ('a', 'b')
    assert (engine['engine'], engine['precision']) == ('openvino 1.0', 'bf16')
    assert front['dropped_newer'] == '2'
    assert front['dropped_bad'] == '0'


def test_a_silent_camera_and_a_fault_raise_the_level():
    broken = segmenter()
    broken.timing.count('fault')
    message = diagnostics(Time(), 'segmentation', 'active', broken, [camera(0, 0)], ('a', ''))
    engine, front = message.status
    assert engine.level == DiagnosticStatus.ERROR
    assert front.level == DiagnosticStatus.WARN
    assert front.message == 'no images arrive'


def test_an_engine_that_has_ended_is_an_error_in_its_own_words():
    lost = segmenter()
    lost.engine.facts = replace(lost.engine.facts, ended='the GPU context was lost')
    message = diagnostics(Time(), 'segmentation', 'active', lost, [], ('a', ''))
    assert message.status[0].level == DiagnosticStatus.ERROR
    assert message.status[0].message == 'the GPU context was lost'


@pytest.mark.parametrize(('limit_ms', 'level'), [
    (0.0, DiagnosticStatus.OK), (60.0, DiagnosticStatus.WARN), (120.0, DiagnosticStatus.OK),
])
def test_masks_older_than_the_limit_raise_the_level(limit_ms, level):
    each = camera(30, 30, age_limit_ms=limit_ms)
    each.timing.add('age', 100.0)
    message = diagnostics(Time(), 'segmentation', 'active', segmenter(), [each], ('a', ''))
    assert message.status[1].level == level


def test_the_process_tells_its_memory():
    message = diagnostics(Time(), 'segmentation', 'active', segmenter(), [], ('a', ''))
    values = {pair.key: pair.value for pair in message.status[0].values}
    assert float(values['memory_mib']) > 1


def test_a_build_that_configuring_waits_for_is_told():
    settings = Settings(model='/m.onnx', engine='tensorrt')
    (status,) = build_diagnostics(Time(), 'segmentation', settings, 'kernels (40%)').status
    values = {pair.key: pair.value for pair in status.values}
    assert status.level == DiagnosticStatus.WARN
    assert status.name == 'segmentation: engine'
    assert (values['model_pending'], values['build']) == ('/m.onnx', 'kernels (40%)')

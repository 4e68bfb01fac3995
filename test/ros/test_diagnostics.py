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

"""Levels, messages and values of the diagnostics."""

from dataclasses import replace
from types import SimpleNamespace

from diagnostic_msgs.msg import DiagnosticStatus
import pytest
from rclpy.time import Time
from seg_ros.core.engine import EngineFacts
from seg_ros.core.settings import Settings
from seg_ros.core.timing import Timing
from seg_ros.pipeline.camera_health import CameraHealth
from seg_ros.pipeline.level_hysteresis import LevelHysteresis
from seg_ros.pipeline.model_states import ModelState
from seg_ros.ros.diagnostics import diagnostics, input_problem, NodeFacts
from seg_ros.ros.topic_advice import images_lost
from seg_ros.temporal.arrival import CameraClock

SERVING = ModelState('serving', 'a')


def camera(
    images_hz, infos_hz, subscribed=True, age_limit_ms=0.0, heard_s=4.0, dynamic_share=0.0,
    depth_words='', problem='',
):
    health = CameraHealth()
    timing = health.timing
    timing.heard_s = lambda name, span_s=5.0: heard_s
    rates = {'input': images_hz, 'info': infos_hz}
    timing.rate_hz = lambda name, span_s=5.0: rates.get(name, 0.0)
    if images_hz:
        timing.tick('input')
    depth = SimpleNamespace(
        values=dict, problem=lambda: depth_words,
    )
    dynamic = SimpleNamespace(share=dynamic_share, wanted=False)
    prompts = SimpleNamespace(values=dict, problem=lambda serving: '')
    return SimpleNamespace(
        name='front', image_topic='/front/image_raw', info_topic='/front/camera_info',
        health=health, subscribed=subscribed, hysteresis=LevelHysteresis(), clock=CameraClock(),
        settings=Settings(max_age_ms=age_limit_ms), depth=depth, dynamic=dynamic,
        open_error='', deferred_replaced=7,
        problem=lambda: problem, prompts=prompts, why_no_info=lambda: '',
    )


def serving():
    facts = EngineFacts('openvino', 'CPU', 'bf16', 2, 'edges', '1.0')
    timing = Timing()
    for milliseconds in range(1, 101):
        timing.add('network', float(milliseconds))
    return SimpleNamespace(
        engine=SimpleNamespace(facts=facts), timing=timing, card=SimpleNamespace(name='net')
    )


def facts(**changes):
    known = NodeFacts(
        name='/robot/segmentation', state='active', enabled=True, model=SERVING, serving=serving()
    )
    return replace(known, **changes)


def statuses(node, *cameras):
    return diagnostics(
        Time(), node, [(each, input_problem(each, node)) for each in cameras]
    ).status


def values(status):
    return {pair.key: pair.value for pair in status.values}


@pytest.mark.parametrize(
    ('images_hz', 'infos_hz', 'lost'),
    [(30, 30, False), (24.1, 30, False), (23.9, 30, True), (5, 30, True), (0, 0, False)],
)
def test_large_images_may_be_lost_below_four_fifths_of_the_camera_info_rate(
    images_hz, infos_hz, lost
):
    timing = camera(images_hz, infos_hz).health.timing
    words = images_lost('/front/image_raw', timing, 900_000)
    assert bool(words) == lost
    if lost:
        assert '/front/image_raw' in words
        assert 'FASTRTPS_DEFAULT_PROFILES_FILE' in words
    assert images_lost('/front/image_raw', timing, 300_000) == ''


def test_a_camera_that_is_only_starting_loses_nothing():
    timing = camera(1, 100, heard_s=0.01).health.timing
    assert images_lost('/front/image_raw', timing, 900_000) == ''


def test_stages_drops_engine_and_model_are_in_the_message():
    each = camera(30, 30)
    each.health.drop('newer')
    each.health.drop('newer')
    engine, front = map(values, statuses(facts(model=ModelState('loading', 'a', 'b')), each))
    assert engine['network_ms_median'] == '50.50'
    assert engine['network_ms_p99'] == '99.01'
    assert engine['network_ms_max'] == '100.00'
    assert (engine['model_active'], engine['model_pending']) == ('a', 'b')
    assert (engine['engine'], engine['precision']) == ('openvino 1.0', 'bf16')
    assert front['dropped_newer'] == '2'
    assert front['dropped_bad'] == '0'
    assert front['last_mask_s'] == 'n/a'


def test_names_carry_the_full_name_of_the_node():
    engine, front = statuses(facts(), camera(30, 30))
    assert engine.name == '/robot/segmentation: engine'
    assert front.name == '/robot/segmentation: front'


def test_a_silent_camera_is_a_warning_and_a_fault_is_an_error():
    engine, front = statuses(facts(faults=1, faulty=True), camera(0, 0))
    assert engine.level == DiagnosticStatus.ERROR
    assert front.level == DiagnosticStatus.WARN
    assert front.message == 'no images arrive on /front/image_raw'


def test_a_fault_of_long_ago_is_counted_and_no_error():
    (engine,) = statuses(facts(faults=1))
    assert engine.level == DiagnosticStatus.OK
    assert values(engine)['faults'] == '1'


def test_an_engine_that_has_ended_is_an_error_in_its_own_words():
    lost = serving()
    lost.engine.facts = replace(lost.engine.facts, ended='the GPU context was lost')
    (engine,) = statuses(facts(serving=lost))
    assert engine.level == DiagnosticStatus.ERROR
    assert engine.message == 'the GPU context was lost'


def test_a_camera_whose_frames_all_fail_is_an_error():
    each = camera(30, 30)
    for _ in range(30):
        each.health.drop('failed', ValueError('out of order'))
    _, front = statuses(facts(), each)
    assert front.level == DiagnosticStatus.ERROR
    assert 'out of order' in front.message


def test_a_clock_that_stands_still_is_a_warning_where_images_arrive():
    _, front, rear = statuses(facts(clock_problem='no time'), camera(30, 30), camera(0, 0))
    assert (front.level, front.message) == (DiagnosticStatus.WARN, 'no time')
    assert 'no images' in rear.message


def test_of_images_without_simulated_time_the_clock_is_accused_before_the_camera():
    each = camera(30, 30, problem='the images have no stamp')
    assert statuses(facts(clock_problem='no time'), each)[1].message == 'no time'


def test_an_engine_that_does_not_answer_is_an_error_everywhere():
    for status in statuses(facts(stalled_s=12.0), camera(30, 30)):
        assert status.level == DiagnosticStatus.ERROR
        assert '12 s' in status.message


def test_without_an_engine_the_reason_is_in_every_status():
    nothing = facts(serving=None, unserved='the GPU is full', model=ModelState('failed'))
    for status in statuses(nothing, camera(30, 30)):
        assert status.level == DiagnosticStatus.ERROR
        assert 'the GPU is full' in status.message


def test_a_model_that_is_on_its_way_while_nothing_serves_is_a_warning():
    (engine,) = statuses(facts(serving=None, model=ModelState('loading', '', 'b')))
    assert engine.level == DiagnosticStatus.WARN
    assert engine.message == 'loading b'


@pytest.mark.parametrize(('changes', 'message'), [
    ({'enabled': False}, 'paused by ~/enable'), ({'state': 'inactive'}, 'inactive'),
])
def test_a_camera_that_is_not_wanted_is_well(changes, message):
    _, front = statuses(facts(**changes), camera(30, 30))
    assert (front.level, front.message) == (DiagnosticStatus.OK, message)


@pytest.mark.parametrize(('limit_ms', 'level'), [
    (0.0, DiagnosticStatus.OK), (60.0, DiagnosticStatus.WARN), (120.0, DiagnosticStatus.OK),
])
def test_masks_older_than_the_limit_raise_the_level(limit_ms, level):
    each = camera(30, 30, age_limit_ms=limit_ms)
    each.health.timing.add('age', 100.0)
    assert statuses(facts(), each)[1].level == level


def test_one_mask_in_a_hundred_may_be_older_than_the_limit():
    each = camera(30, 30, age_limit_ms=60.0)
    for age_ms in (100.0, *[50.0] * 199):
        each.health.timing.add('age', age_ms)
    assert statuses(facts(), each)[1].level == DiagnosticStatus.OK


def test_the_process_reports_its_memory():
    (engine,) = statuses(facts())
    assert float(values(engine)['memory_mib']) > 1


@pytest.mark.parametrize(('changes', 'words'), [
    ({'dynamic_share': 0.61}, '61 % of the image is dynamic'),
    ({'depth_words': 'no depth arrives on /d'}, 'no depth arrives on /d'),
])
def test_what_depth_waits_for_and_too_many_people_are_warnings(changes, words):
    each = camera(30, 30, **changes)
    for _ in range(3):
        each.health.timing.tick('output')
        status = statuses(facts(), each)[1]
    assert words in status.message
    assert status.level == DiagnosticStatus.WARN
    assert float(values(status)['dynamic_share']) == changes.get('dynamic_share', 0)

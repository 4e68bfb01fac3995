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

"""A camera is judged by its published masks."""

import pytest
from seg_ros.core.errors import EngineError
from seg_ros.pipeline.camera_health import CameraHealth, CAUSES, FAULTS, Level


def health_of(published=0, **dropped):
    health = CameraHealth()
    for _ in range(published):
        health.timing.tick('output')
    for cause, count in dropped.items():
        for _ in range(count):
            health.drop(cause, EngineError(f'{cause} as planted'))
    return health


def test_nothing_is_judged_before_the_first_image():
    assert health_of().verdict().level == Level.OK


@pytest.mark.parametrize('cause', [*sorted(FAULTS), 'age', 'late'])
def test_a_camera_without_masks_is_an_error_that_names_the_cause(cause):
    verdict = health_of(**{cause: 20}).verdict()
    assert verdict.level == Level.ERROR
    assert CAUSES[cause] in verdict.message
    assert f'{cause} as planted' in verdict.message


def test_dropped_frames_are_counted_by_their_cause():
    assert health_of(published=2, bad=3, newer=1).timing.counts() == {
        'output': 2, 'bad': 3, 'newer': 1,
    }


def test_the_most_frequent_cause_is_the_one_that_is_named():
    assert CAUSES['bad'] in health_of(bad=5, age=3, newer=30).verdict().message


def test_an_engine_that_takes_seconds_is_not_well():
    verdict = health_of(newer=20).verdict()
    assert verdict.level == Level.WARN
    assert 'seconds' in verdict.message


@pytest.mark.parametrize('dropped', [{'newer': 200}, {'rate': 200}, {'unread': 50}, {'age': 5}])
def test_frames_that_make_way_for_newer_ones_are_no_fault(dropped):
    assert health_of(published=20, **dropped).verdict().level == Level.OK


@pytest.mark.parametrize('cause', ['age', 'late'])
def test_half_of_the_images_that_come_too_late_is_a_warning(cause):
    assert health_of(published=60, **{cause: 40}).verdict().level == Level.OK
    verdict = health_of(published=40, **{cause: 41}).verdict()
    assert verdict.level == Level.WARN
    assert f'41 of 81 images give no mask: {CAUSES[cause]}' in verdict.message


@pytest.mark.parametrize('cause', ['rate', 'unread'])
def test_frames_that_nobody_wants_leave_nothing_to_complain_of(cause):
    assert health_of(**{cause: 50}).verdict().level == Level.OK


@pytest.mark.parametrize(('published', 'failed', 'level'), [
    (95, 5, Level.OK), (90, 10, Level.WARN), (1, 99, Level.WARN), (0, 1, Level.ERROR),
])
def test_a_share_of_failures_is_a_warning(published, failed, level):
    assert health_of(published, failed=failed).verdict().level == level

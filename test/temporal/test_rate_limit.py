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

"""Frames are admitted at an even rate, and a new rate applies at once."""

import pytest
from seg_ros.temporal.arrival import RateLimit


def passed(times_s, limit_hz):
    limit = RateLimit()
    return sum(limit.admit(time_s, limit_hz) for time_s in times_s)


@pytest.mark.parametrize(('limit_hz', 'most'), [(0.0, 300), (10.0, 100), (30.0, 300), (1.0, 10)])
def test_ten_seconds_at_thirty_frames_pass_the_limit(limit_hz, most):
    count = passed([index / 30 for index in range(300)], limit_hz)
    assert most * 0.95 - 1 <= count <= most + 1


def test_jitter_costs_a_camera_at_the_very_rate_next_to_nothing():
    times_s = [index / 10 + (0.02 if index % 2 else 0) for index in range(50)]
    assert passed(times_s, 10.0) >= 49


def test_a_higher_limit_holds_at_once():
    limit = RateLimit()
    assert limit.admit(0.0, 0.05)
    assert not limit.admit(1.0, 0.05)
    assert limit.admit(1.1, 10.0)


def test_of_two_images_at_one_time_the_second_comes_too_soon():
    limit = RateLimit()
    assert limit.admit(1.0, 5.0)
    assert not limit.admit(1.0, 5.0)


def test_a_clock_that_is_set_back_does_not_stop_the_frames():
    limit = RateLimit()
    assert limit.admit(1000.0, 5.0)
    assert limit.admit(10.0, 5.0)
    assert not limit.admit(10.05, 5.0)
    assert limit.admit(10.25, 5.0)

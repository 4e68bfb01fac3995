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

"""A clock that stands still is reported, whether or not it ever ran."""

from types import SimpleNamespace

import pytest
from seg_ros.ros import clock_watch
from seg_ros.ros.clock_watch import ClockWatch


@pytest.fixture
def watch(monkeypatch):
    """Return a fake clock, and a function that advances steady time and returns the problem."""
    clock, steady = SimpleNamespace(ros_time_is_active=True, now_ns=0), [100.0]
    clock.now = lambda: SimpleNamespace(nanoseconds=clock.now_ns)
    monkeypatch.setattr(clock_watch, 'monotonic', lambda: steady[0])
    watched = ClockWatch(clock)

    def problem(after_s):
        steady[0] += after_s
        return watched.problem()

    return clock, problem


def test_no_time_at_all_is_reported_after_three_seconds(watch):
    _, problem = watch
    assert not problem(0)
    assert not problem(2.9)
    assert 'use_sim_time is set, but nothing arrives' in problem(0.2)


def test_a_clock_that_stops_is_reported_until_it_goes_on(watch):
    clock, problem = watch
    for _ in range(5):
        clock.now_ns += 1
        assert not problem(1)
    assert 'stood still for 5 s' in problem(5)
    clock.now_ns += 1
    assert not problem(1)


def test_the_time_of_the_computer_is_left_alone(watch):
    clock, problem = watch
    clock.ros_time_is_active = False
    assert not problem(0)
    assert not problem(60)

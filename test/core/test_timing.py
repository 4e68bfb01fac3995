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

"""Durations, counts and rates are those that plain numpy gives."""

from threading import Thread

import numpy as np
import pytest
from seg_ros.core import timing as timing_module
from seg_ros.core.timing import Timing, WINDOW


@pytest.mark.parametrize('count', [1, 2, 99, WINDOW])
def test_quantiles_are_those_of_the_samples(count):
    samples = np.random.default_rng(count).gamma(2, 10, count)
    timing = Timing()
    for sample in samples:
        timing.add('network', float(sample))
    expected = (np.median(samples), np.percentile(samples, 99), samples.max())
    assert timing.quantiles('network') == pytest.approx(expected)


def test_only_the_last_window_counts():
    timing = Timing()
    for sample in range(3 * WINDOW):
        timing.add('fit', float(sample))
    median, _, most = timing.quantiles('fit')
    assert median == np.median(np.arange(2 * WINDOW, 3 * WINDOW))
    assert most == 3 * WINDOW - 1


def test_what_is_long_ago_counts_only_where_no_span_is_asked_for(monkeypatch):
    moment = [100.0]
    monkeypatch.setattr(timing_module, 'monotonic', lambda: moment[0])
    timing = Timing()
    for passed_s, sample in ((0.0, 3000.0), (4.0, 20.0), (2.0, 30.0)):
        moment[0] += passed_s
        timing.add('age', sample)
    assert timing.quantiles('age')[2] == 3000.0
    assert timing.quantiles('age', 5.0)[::2] == (25.0, 30.0)
    moment[0] += 60.0
    assert timing.quantiles('age', 5.0) is None


@pytest.mark.parametrize(('pace_s', 'awaited_s'), [(0.03, 5.0), (10.0, 30.0), (300.0, 60.0)])
def test_silence_begins_when_ticks_of_their_pace_are_overdue(monkeypatch, pace_s, awaited_s):
    moment = [1000.0]
    monkeypatch.setattr(timing_module, 'monotonic', lambda: moment[0])
    timing = Timing()
    assert timing.silent('input')
    for _ in range(4):
        moment[0] += pace_s
        timing.tick('input')
    moment[0] += awaited_s - 0.1
    assert not timing.silent('input')
    moment[0] += 0.2
    assert timing.silent('input')


def test_a_stage_without_samples_has_no_quantiles():
    assert Timing().quantiles('fit') is None
    assert Timing().stages() == []


def test_a_stage_takes_what_the_clock_says(monkeypatch):
    clock = iter([10.0, 10.025, 20.0, 20.001])
    monkeypatch.setattr(timing_module, 'perf_counter', lambda: next(clock))
    timing = Timing()
    for _ in range(2):
        with timing.stage('paint'):
            pass
    assert timing.quantiles('paint')[2] == pytest.approx(25)
    assert timing.quantiles('paint')[0] == pytest.approx(13)


def test_a_stage_that_fails_is_no_sample():
    timing = Timing()
    with pytest.raises(KeyError), timing.stage('paint'):
        raise KeyError
    assert timing.quantiles('paint') is None


def test_stages_are_listed_in_the_order_of_their_first_frame():
    timing = Timing()
    for name in ('fit', 'network', 'paint', 'fit'):
        timing.add(name, 1.0)
    assert timing.stages() == ['fit', 'network', 'paint']


def test_events_are_counted_by_name_from_many_threads():
    timing = Timing()

    def note():
        for _ in range(2000):
            timing.tick('old')
            timing.add('fit', 1.0)
        timing.tick('fault')

    threads = [Thread(target=note) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert timing.counts() == {'old': 8000, 'fault': 4}


def test_counts_that_were_handed_out_do_not_change():
    timing = Timing()
    timing.tick('old')
    counts = timing.counts()
    timing.tick('old')
    assert counts == {'old': 1}


def test_a_rate_is_that_of_the_last_seconds(monkeypatch):
    now = 0.0
    monkeypatch.setattr(timing_module, 'monotonic', lambda: now)
    timing = Timing()
    for moment in [*np.arange(0, 10, 1.0), *np.arange(10, 15, 0.1)]:
        now = float(moment)
        timing.tick('out')
    assert timing.rate_hz('out', 4.0) == pytest.approx(10)
    assert timing.heard_s('out', 4.0) == pytest.approx(4, abs=0.11)
    assert timing.rate_hz('out', 100.0) == pytest.approx(59 / 14.9)
    now = 100.0
    assert timing.rate_hz('out') == 0
    assert timing.rate_hz('in') == timing.heard_s('in') == 0

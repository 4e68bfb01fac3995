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

import pytest
from seg_ros.bench import node
from seg_ros.bench.arrivals import age_growth_ms, counted, per_frame, status_figures
from seg_ros.bench.histogram import bars, BINS
from seg_ros.bench.node import idle_overhead_ms, limit_ms
from seg_ros.bench.processes import cpu_ticks, minor_faults
from seg_ros.bench.report import flattened, sample_sets
from seg_ros.bench.samples import difference, interleaved, summary
from seg_ros.bench.workers import shares
from seg_ros.core.errors import EngineError


def test_a_summary_of_one_to_a_hundred():
    found = summary([float(value) for value in range(100, 0, -1)])
    assert (found.median, found.most, found.count) == (50.5, 100.0, 100)
    assert found.p99 == pytest.approx(99.01)


def test_every_work_has_its_turn_in_every_round_and_warm_rounds_are_not_kept():
    calls = []
    taken = interleaved({'a': lambda: calls.append('a'), 'b': lambda: calls.append('b')}, 4, 2)
    assert [len(samples) for samples in taken.values()] == [4, 4]
    assert [sorted(calls[start:start + 2]) for start in range(0, 12, 2)] == [['a', 'b']] * 6


def test_a_difference_is_taken_within_each_round():
    # A disturbance of 50 ms in the second round hits both works alike.
    assert difference([10, 62, 13], [4, 54, 6]) == 7


def test_rate_missed_frames_and_steps_backward_are_counted_per_camera():
    front = [(1, 10.0), (2, 20.0), (3, 30.0), (4, 40.0)]
    rear = [(1, 50.0), (3, 60.0), (2, 70.0)]
    found = counted({'front': front, 'rear': rear}, rate_hz=5.0, seconds=2.0)
    assert (found['rate_hz'], found['per_camera_hz']) == (3.5, [2.0, 1.5])
    assert found['missed'] == pytest.approx(1 - 7 / 20)
    assert found['backward'] == 1
    assert found['age_ms']['median'] == 40.0


def test_a_camera_without_masks_is_an_error():
    with pytest.raises(EngineError):
        counted({'front': [(1, 1.0)], 'rear': []}, 30.0, 1.0)


def test_the_age_limit_adds_the_wait_of_one_period_at_most():
    idle = {'age_ms': {'median': 25.0}, 'network_median_ms': 20.0}
    assert idle_overhead_ms(idle) == 5.0
    assert limit_ms(20.0, 33.0, 5.0) == 50.0
    assert limit_ms(300.0, 33.0, 5.0) == 343.0


def test_variants_of_serving_are_interleaved_and_compared_within_a_repeat(monkeypatch):
    rates = iter([30.0, 6.0, 8.0, 10.0, 20.0, 9.0, 4.0, 40.0, 25.0, 10.0])
    runs = []

    def measured(nodes, rate_hz, seconds):
        runs.append(nodes)
        return {'rate_hz': next(rates)}

    monkeypatch.setattr(node, 'measured', measured)
    found = node.serve_interleaved({'ours': ['o'], 'plain': ['p']}, 1.0)
    assert runs == [[name] for name in 'oppooppoop']
    assert found == {
        'ours': {'rate_hz': 25.0, 'rate_ratio': 1.0},
        'plain': {'rate_hz': 8.0, 'rate_ratio': 0.4},
    }


def test_processor_time_is_divided_by_masks_and_by_time():
    rows = {'a': [(0, 1.0)] * 20, 'b': [(0, 1.0)] * 30}
    assert per_frame(2.0, rows, 4.0) == {'cpu_ms_per_mask': 40.0, 'cores': 0.5}


def test_ticks_and_faults_are_read_behind_a_name_with_blanks_and_brackets():
    stat = '7 (a) b) S ' + ' '.join(str(number) for number in range(4, 30))
    # proc(5): fields 14 and 15 are utime and stime, 10 is minflt.
    assert cpu_ticks(stat) == 14 + 15
    assert minor_faults(stat) == 10


def test_drops_of_all_cameras_are_added_and_the_slowest_network_is_given():
    statuses = {
        'a: engine': {'network_ms_median': '10', 'network_ms_p99': '12'},
        'b: engine': {'network_ms_median': '11', 'network_ms_p99': '11.5'},
        'a: front': {'dropped_newer': '3', 'dropped_bad': '0'},
        'b: rear': {'dropped_newer': '4', 'input_hz': '30'},
    }
    assert status_figures(statuses) == {
        'network_median_ms': 11.0, 'network_p99_ms': 12.0, 'drops': {'newer': 7}
    }


def test_bars_hold_every_duration_and_the_last_takes_what_is_longer():
    counts = bars([0.0, 50.0, 100.0, 1e6], 100.0)
    assert counts.sum() == 4
    assert (counts[0], counts[BINS // 2], counts[-1]) == (1, 1, 2)


def test_figures_are_flattened_with_their_names():
    assert list(flattened({'a': 1, 'b': {'c': 2}})) == ['a: 1', 'b c: 2']


def test_sets_of_samples_keep_their_names():
    found = {
        'x': {'samples_ms': [1.0]}, 'y': {'samples_ms': {'z': [2.0]}}, 'w': {'rate_hz': 3.0}
    }
    assert dict(sample_sets(found)) == {'x': [1.0], 'y, z': [2.0]}


def test_growth_is_that_of_the_camera_whose_ages_grow_most():
    steady = [(number, 20.0 + number % 2) for number in range(50)]
    growing = [(number, 20.0 + number) for number in range(50)]
    assert age_growth_ms({'steady': steady}) == pytest.approx(0, abs=1)
    assert age_growth_ms({'steady': steady, 'growing': growing}) == 40.0


def test_nodes_without_diagnostics_have_no_figures():
    assert status_figures({}) == {}


def test_rates_are_compared_with_the_limit_of_their_round():
    # 20 ms a frame: two cores could do 100 frames a second; 10 ms: 200.
    found = shares([90.0, 180.0], [20.0, 10.0], 2)
    assert found == {'rate_hz': 135.0, 'limit_hz': 150.0, 'of_limit': 0.9}

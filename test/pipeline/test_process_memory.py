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

from itertools import permutations
import resource

import pytest
from seg_ros.pipeline.process_memory import memory_mib, temperature_c


def test_resident_memory_is_within_what_the_kernel_says_was_the_most():
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    assert 0.1 * most < memory_mib() <= 1.1 * most


@pytest.mark.parametrize('texts', [*permutations(['41500\n', '63000\n', 'off\n'])])
def test_the_hottest_zone_that_can_be_read_is_reported(tmp_path, texts):
    for number, text in enumerate(texts):
        (tmp_path / f'thermal_zone{number}').mkdir()
        (tmp_path / f'thermal_zone{number}' / 'temp').write_text(text)
    assert temperature_c(tmp_path) == 63.0


def test_what_is_not_there_is_not_reported(tmp_path):
    assert temperature_c(tmp_path) is None
    assert memory_mib(tmp_path / 'statm') is None


@pytest.mark.parametrize('text', ['', 'hot'])
def test_a_zone_that_says_no_number_is_left_out(tmp_path, text):
    (tmp_path / 'thermal_zone0').mkdir()
    (tmp_path / 'thermal_zone0' / 'temp').write_text(text)
    assert temperature_c(tmp_path) is None

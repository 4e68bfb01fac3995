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

"""Nested phases of a build are reported as one overall fraction."""

from seg_ros.engines.tensorrt.build_progress import Phases


def test_a_step_within_a_step_counts_as_its_part_of_the_whole() -> None:
    reports: list[tuple[str, float]] = []
    phases = Phases(lambda words, share: reports.append((words, share)))
    phases.start('whole', None, 2)
    phases.start('graph', 'whole', 4)
    phases.step('graph', 0)
    assert reports[-1] == ('graph', round(1 / 4 / 2, 2))
    phases.finish('graph')
    phases.step('whole', 0)
    assert reports[-1] == ('graph', 0.5)
    phases.start('tactics', 'whole', 5)
    phases.start('one tactic', 'tactics', 2)
    phases.step('one tactic', 0)
    assert reports[-1] == ('tactics', 0.5 + 0.5 / 5 / 2)
    phases.finish('one tactic')
    phases.step('tactics', 0)
    assert reports[-1] == ('tactics', 0.6)
    phases.finish('tactics')
    phases.finish('whole')
    assert reports[-1] == ('tactics', 1)


def test_the_share_never_falls_and_is_not_reported_twice() -> None:
    reports: list[tuple[str, float]] = []
    phases = Phases(lambda words, share: reports.append((words, share)))
    phases.start('whole', None, 1)
    for _ in range(3):
        phases.start('again', 'whole', 2)
        phases.step('again', 0)
        phases.step('again', 0)
        phases.finish('again')
    assert reports == [('whole', 0), ('again', 0), ('again', 0.5), ('again', 1)]


def test_steps_of_phases_that_never_began_are_left_aside() -> None:
    reports: list[tuple[str, float]] = []
    phases = Phases(lambda words, share: reports.append((words, share)))
    phases.step('ghost', 3)
    phases.finish('ghost')
    phases.start('empty', None, 0)
    phases.finish('empty')
    assert reports[-1] == ('empty', 1)
